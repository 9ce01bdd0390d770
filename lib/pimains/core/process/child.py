"""A program that a service starts and never waits for longer than it wants to.

It runs in a session of its own, is read without blocking, and is left alone when even KILL does not end it (a process in
uninterruptible sleep on a dead network share). What it prints becomes log lines, and no amount of it does harm.
"""

import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress

from pimains.core.process import left_alone

_LINES_LOGGED = 200
_LONGEST_LINE = 300
_PIPE_HOLDS = 64 * 1024


class Child:
    """A started program; `fileno` becomes readable when it has ended, and `output` when it has printed something.

    `say` gets its lines. It reads nothing, or what comes from the descriptor `standard_input`. Raises OSError when it cannot be started.
    """

    def __init__(
        self, words: list[str], environment: Mapping[str, str], say: Callable[[str], None], standard_input: int | None = None
    ) -> None:
        self.exit_code: int | None = None
        outward, inward = os.pipe2(os.O_CLOEXEC)
        self.output = Output(outward, say)
        try:
            self._pid = os.posix_spawnp(
                words[0],
                words,
                environment,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
                    if standard_input is None
                    else (os.POSIX_SPAWN_DUP2, standard_input, 0),
                    (os.POSIX_SPAWN_DUP2, inward, 1),
                    (os.POSIX_SPAWN_DUP2, inward, 2),
                ],
                setsid=True,
                setsigmask=(),
                setsigdef=(signal.SIGPIPE, signal.SIGXFSZ),  # Python ignores them, and so would its children
            )
            self._handle = os.pidfd_open(self._pid)
        except OSError:
            os.close(outward)
            raise
        finally:
            os.close(inward)

    def fileno(self) -> int:
        """For poll (pidfd_open(2))."""
        return self._handle

    def has_ended(self) -> bool:
        """Whether it has ended, and `exit_code` (negative: the signal that ended it) is known. Never waits."""
        if self.exit_code is None:
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            self.exit_code = os.waitstatus_to_exitcode(status) if pid else None
        return self.exit_code is not None

    def signal(self, number: signal.Signals) -> None:
        """Signal it and all that it started, as far as they stayed in its process group."""
        with suppress(ProcessLookupError):
            os.killpg(self._pid, number)

    def close(self) -> None:
        """Let go of it, ended or not; a grandchild may keep its end of the pipe as long as it likes."""
        self.output.close()
        os.close(self._handle)
        if self.exit_code is None:
            left_alone.leave_alone(self._pid)


class Output:
    """What a program prints, line by line; `last_line` is the latest that was not blank."""

    def __init__(self, handle: int, say: Callable[[str], None]) -> None:
        os.set_blocking(handle, False)
        self.last_line = ""
        self._handle = handle
        self._say = say
        self._lines = 0
        self._begun = b""

    def fileno(self) -> int:
        """For poll."""
        return self._handle

    def read(self) -> bool:
        """Say what has come so far, at most what a pipe holds; False when no more will come."""
        try:
            data = os.read(self._handle, _PIPE_HOLDS)
        except BlockingIOError:
            return True
        *lines, begun = data.split(b"\n")
        for line in lines:
            self._finish(self._begun + line)
            self._begun = b""
        self._begun = (self._begun + begun)[:_LONGEST_LINE]
        return bool(data)

    def drain(self) -> None:
        """Say what is left, also of a line without an end."""
        self.read()
        self._finish(self._begun)
        self._begun = b""

    def close(self) -> None:
        """Say what is left, and let go of it."""
        self.drain()
        os.close(self._handle)

    def _finish(self, line: bytes) -> None:
        text = "".join(c if c.isprintable() else " " for c in line[:_LONGEST_LINE].decode("utf-8", "replace")).strip()
        if not text:
            return
        self.last_line = text
        self._lines += 1
        if self._lines <= _LINES_LOGGED:
            self._say(text)
        elif self._lines == _LINES_LOGGED + 1:
            self._say("(prints more than is logged)")
