"""A program that copies or removes for a backup: when the backup is told to stop, it is ended by TERM, then by KILL, then left alone."""

import os
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress

from pimains.core.errors import PimainsError
from pimains.core.naps import Readable

_AFTER_TERM_SECONDS = 5.0  # rsync tidies up, and so do the two others that belong to it
_AFTER_KILL_SECONDS = 1.0
_PIPE_HOLDS = 64 * 1024


class Interrupted(PimainsError):
    """It was told to stop half-way."""


class BackupProgram:
    """`words` under way, speaking English; it does not outlive the `with`. Raises OSError when it cannot be started.

    It stays in the process group of this process: who kills the backup as a whole kills it, too.
    """

    def __init__(self, words: list[str]) -> None:
        self._child = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "LC_ALL": "C.UTF-8"}
        )
        self._pipes = [pipe for pipe in (self._child.stdout, self._child.stderr) if pipe]
        self._output, self._errors = (pipe.fileno() for pipe in self._pipes)

    def __enter__(self) -> "BackupProgram":
        return self

    def __exit__(self, *_: object) -> None:
        """End it if it runs, and what it has started; one that hangs in the kernel, on a dead share, is left alone."""
        for act, seconds in ((self._child.terminate, _AFTER_TERM_SECONDS), (self._child.kill, _AFTER_KILL_SECONDS)):
            if self._child.poll() is None:
                act()
            if self._are_closed(seconds):
                break
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(_AFTER_KILL_SECONDS)
        for pipe in self._pipes:
            pipe.close()

    def says(self, stop: Readable | None) -> Iterator[tuple[bytes, bytes]]:
        """What it prints until its end, as it comes: some output, some complaints.

        Raises Interrupted when `stop` becomes readable before.
        """
        poller = select.poll()
        listening = {self._output, self._errors}
        for handle in (*listening, *([stop.fileno()] if stop else [])):
            poller.register(handle, select.POLLIN)
        while listening:
            for handle, _ in poller.poll():
                if handle not in listening:
                    raise Interrupted("stopped half-way")
                data = os.read(handle, _PIPE_HOLDS)
                if not data:
                    poller.unregister(handle)
                    listening.discard(handle)
                else:
                    yield (data, b"") if handle == self._output else (b"", data)
        if stop and select.select([stop], [], [], 0)[0]:  # what stops this process may have stopped the program just before
            raise Interrupted("stopped half-way")

    def exit_code(self) -> int:
        """Once it has said all; negative: the signal that ended it."""
        return self._child.wait()

    def _are_closed(self, seconds: float) -> bool:
        """Read what comes until nobody holds the other ends any more; whether that was within `seconds`."""
        handles = [self._output, self._errors]
        deadline = time.monotonic() + seconds
        while handles and (left := deadline - time.monotonic()) > 0:
            ready = select.select(handles, [], [], left)[0]
            handles = [handle for handle in handles if handle not in ready or os.read(handle, _PIPE_HOLDS)]
        return not handles
