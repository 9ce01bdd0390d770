"""Where a service's lines go: to multilog, without ever waiting for it.

multilog stops reading while the disk is full. A service that waited for it would stop too, once the pipe between them
holds 64 KiB: a halt that never comes, a heartbeat that stays away. So lines that nobody reads are counted and dropped.
"""

import io
import os
import select
import sys

_FITS_WHEN_WRITABLE = 4096  # PIPE_BUF (pipe(7)): poll calls a pipe writable when that much fits


class Log(io.TextIOBase):
    """Takes the place of sys.stdout and sys.stderr; `handle` is the descriptor of both."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._begun = ""
        self._dropped = 0
        self._poller = select.poll()
        self._poller.register(handle, select.POLLOUT)

    @property
    def encoding(self) -> str:  # type: ignore[override]  # typeshed has it as an attribute
        """UTF-8: svscan hands over no locale."""
        return "utf-8"

    def fileno(self) -> int:
        """The descriptor."""
        return self._handle

    def writable(self) -> bool:
        """It is made for that."""
        return True

    def write(self, text: str) -> int:
        """Log the lines that are complete."""
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            self._log(line)
        return len(text)

    def _log(self, line: str) -> None:
        if self._dropped and self._put(f"({self._dropped} lines were dropped: nobody read the log)"):
            self._dropped = 0
        if self._dropped or not self._put(line):
            self._dropped += 1

    def _put(self, line: str) -> bool:
        if not self._poller.poll(0):
            return False
        try:
            os.write(self._handle, line.encode("utf-8", "backslashreplace")[: _FITS_WHEN_WRITABLE - 1] + b"\n")
        except OSError:  # nobody will ever read it
            return False
        return True


def never_wait() -> None:
    """Let print and tracebacks go to the log without waiting for whoever reads it."""
    sys.stdout = sys.stderr = Log(1)
