"""rsync as a child: its progress, what it copied, and its exit codes in words (rsync(1), EXIT VALUES)."""

import os
import re
import select
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from pimains.core.errors import PimainsError
from pimains.core.naps import Readable

SOME_FAILED, VANISHED = 23, 24
_WORDS = {
    1: "rsync does not understand its options",
    2: "the two rsyncs do not understand each other",
    3: "files or directories could not be chosen",
    4: "this rsync cannot do what was asked",
    5: "the connection was refused at its beginning",
    10: "the connection broke",
    11: "reading or writing files failed",
    12: "the other rsync ended",
    13: "rsync failed",
    14: "rsync failed",
    20: "rsync was stopped",
    21: "rsync failed",
    22: "there is not enough memory",
    SOME_FAILED: "some files could not be copied",
    VANISHED: "some files vanished while they were copied",
    25: "more would have been deleted than --max-delete allows",
    30: "no data came in time",
    35: "no connection in time",
}
_COMPLAINTS_KEPT = 5
_AFTER_TERM_SECONDS = 5.0
_AFTER_KILL_SECONDS = 1.0
_PROGRESS = re.compile(rb"([0-9,]+) +([0-9]+)% +\S+ +[0-9:]+(?: \(xfr#([0-9]+), (?:ir|to)-chk=([0-9]+)/([0-9]+)\))?")
_COUNT = re.compile(rb"^(Number of regular files transferred|Total transferred file size): ([0-9,]+)", re.MULTILINE)


class CannotCopy(PimainsError):
    """rsync could not be started."""


class Interrupted(PimainsError):
    """It was told to stop half-way."""


class Progress(NamedTuple):
    """How far it is: bytes and files copied so far, and how many of all known files are still to be looked at."""

    copied: int
    files: int
    to_check: int
    known: int


class Copied(NamedTuple):
    """What came of it: the exit code, files and bytes copied, and the first lines rsync complained in."""

    exit_code: int
    files: int
    size: int
    complaints: list[str]

    @property
    def is_complete(self) -> bool:
        """Whether everything there was is copied now; a file that was deleted meanwhile is no loss."""
        return self.exit_code in (0, VANISHED)

    @property
    def went_through(self) -> bool:
        """Whether it has looked at every file, also if some could not be copied."""
        return self.exit_code in (0, SOME_FAILED, VANISHED)

    @property
    def found_no_space(self) -> bool:
        """Whether the drive is full."""
        return any("No space left on device" in line for line in self.complaints)

    @property
    def words(self) -> str:
        """Why it is not complete."""
        if self.found_no_space:
            return "there is no space left on the drive"
        ended = f"ended by signal {-self.exit_code}" if self.exit_code < 0 else f"exit code {self.exit_code}"
        meaning = f"{_WORDS.get(self.exit_code, 'rsync failed')} ({ended})"
        return f"{meaning}: {self.complaints[0]}" if self.complaints else meaning


def copy(words: list[str], progress: Callable[[Progress], None], stop: Readable | None = None) -> Copied:
    """Run `rsync WORDS` to its end; `progress` is called now and then.

    When `stop` becomes readable rsync is ended. Raises Interrupted then, CannotCopy when there is no rsync.
    """
    # counts without a thousands separator of somebody's language, progress at once
    command = ["rsync", "--info=progress2", "--stats", "--outbuf=N", *words]
    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )
    except FileNotFoundError:
        raise CannotCopy("rsync is not installed: apt install rsync") from None
    except OSError as error:
        raise CannotCopy(f"rsync cannot be started: {error.strerror}") from None
    try:
        return _Talk(child, progress).to_its_end(stop)
    finally:
        _end(child)


class _Talk:
    """What rsync says while it runs."""

    def __init__(self, child: subprocess.Popen[bytes], progress: Callable[[Progress], None]) -> None:
        if child.stdout is None or child.stderr is None:
            raise CannotCopy("rsync has no output")
        self._child = child
        self._progress = progress
        self._said = b""
        self._complained = b""
        self._output, self._errors = child.stdout.fileno(), child.stderr.fileno()

    def to_its_end(self, stop: Readable | None) -> Copied:
        poller = select.poll()
        listening = {self._output, self._errors}
        for handle in (*listening, *([stop.fileno()] if stop else [])):
            poller.register(handle, select.POLLIN)
        while listening:
            for handle, _ in poller.poll():
                if handle not in listening:
                    raise Interrupted("stopped half-way")
                data = os.read(handle, 65536)
                if not data:
                    poller.unregister(handle)
                    listening.discard(handle)
                elif handle == self._output:
                    self._hear(data)
                else:
                    self._complained = (self._complained + data)[:16384]
        if stop and select.select([stop], [], [], 0)[0]:  # what stops this process may have stopped rsync just before
            raise Interrupted("stopped half-way")
        counts = {found[1]: _number(found[2]) for found in _COUNT.finditer(self._said)}
        files, size = counts.get(b"Number of regular files transferred", 0), counts.get(b"Total transferred file size", 0)
        return Copied(self._child.wait(), files, size, self._complaints())

    def _hear(self, data: bytes) -> None:
        self._said = (self._said + data)[-8192:]  # the counts come at the end, whatever options let it say before
        for found in _PROGRESS.finditer(data):
            copied, _, files, to_check, known = found.groups()
            if files:
                self._progress(Progress(_number(copied), int(files), int(to_check), int(known)))

    def _complaints(self) -> list[str]:
        """The lines that say what is wrong; the last one of rsync only repeats the exit code."""
        lines = self._complained.decode("utf-8", "replace").splitlines()
        plain = ["".join(c if c.isprintable() else "?" for c in line).strip() for line in lines]
        told = [line for line in plain if line and not line.startswith(("rsync error:", "rsync warning:"))]
        return [line.removeprefix("rsync: ")[:300] for line in told[:_COMPLAINTS_KEPT]]


def _number(digits: bytes) -> int:
    return int(digits.replace(b",", b""))


def _end(child: subprocess.Popen[bytes]) -> None:
    """End it if it runs, and the two others that belong to it; one that hangs in the kernel, on a dead share, is left alone."""
    pipes = [pipe for pipe in (child.stdout, child.stderr) if pipe]
    for act, seconds in ((child.terminate, _AFTER_TERM_SECONDS), (child.kill, _AFTER_KILL_SECONDS)):
        if child.poll() is None:
            act()
        if _are_closed([pipe.fileno() for pipe in pipes], seconds):
            break
    with suppress(subprocess.TimeoutExpired):
        child.wait(_AFTER_KILL_SECONDS)
    for pipe in pipes:
        pipe.close()


def _are_closed(handles: list[int], seconds: float) -> bool:
    """Read what comes until nobody holds the other ends any more; whether that was within `seconds`."""
    deadline = time.monotonic() + seconds
    while handles and (left := deadline - time.monotonic()) > 0:
        ready = select.select(handles, [], [], left)[0]
        handles = [handle for handle in handles if handle not in ready or os.read(handle, 65536)]
    return not handles
