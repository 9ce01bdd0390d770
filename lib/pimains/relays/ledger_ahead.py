"""What the ledger is to say of a switching, on the disk before a contact moves: /var/lib/pimains/relays/ahead.

SQLite makes a row of the ledger last by five writes that each wait for the disk, which takes long while others use it, too; and another
service may be just writing there. A line of this file takes one such write: then the contact moves, and the ledger gets its row right
behind it. What a kill or a power cut came in between of, the next service gives to the ledger, once; what the ledger did not take is
given again a minute later, and before anything newer. The file is as long from the beginning as it ever gets, so that the disk need not
note a new length.
"""

import contextlib
import errno
import json
import math
import os
from pathlib import Path

from pimains.core import state
from pimains.core.instance import Instance
from pimains.core.ledger import Ledger, Row

_NAME = "ahead"
_BYTES = 32 * 1024
_ROWS_MAX = 500  # those are kept for a ledger that takes none
_AGAIN_SECONDS = 60.0


class LedgerAhead:
    """The rows that the ledger has not got yet."""

    def __init__(self, me: Instance) -> None:
        self._me = me
        self._path = me.lib / _NAME
        self._rows: list[Row] = []
        self._end = _BYTES  # nothing is noted before it begins
        self._tried = 0  # so many rows, and the ledger did not take them
        self._again_at = 0.0

    def begin(self) -> None:
        """Give the ledger what the service before could not give it any more."""
        text = _text(self._path)
        self._rows = [row for line in text.split("\n") if (row := _row(line))]
        if not self._rows or self._give(self._rows, is_new=False):
            self._is_given()
        elif text.isascii():  # else it is damaged, and where it ends is not known
            self._end = len(text.rstrip("\0"))

    def note(self, row: Row) -> bool:
        """Whether it is on the disk, and may be done; if it is not, the ledger itself has to be asked: `write_down`."""
        line = json.dumps(row).encode() + b"\n"
        if self._end + len(line) > _BYTES:
            return False
        try:
            self._put(line, self._end, is_to_last=True)
        except OSError:
            return False
        self._rows.append(row)
        self._end += len(line)
        return True

    def deliver(self) -> None:
        """Give the ledger what was noted."""
        is_due = len(self._rows) > self._tried or (self._rows and self._me.clock.monotonic() >= self._again_at)
        if is_due and self._give(self._rows, is_new=not self._tried):
            self._is_given()

    def write_down(self, row: Row) -> None:
        """Give the ledger this one, behind what was noted; what it does not take now it may take later."""
        if self._give([*self._rows, row], is_new=not self._tried):
            self._is_given()
        elif len(self._rows) < _ROWS_MAX:
            self._rows.append(row)
            self._tried = len(self._rows)

    def _is_given(self) -> None:
        if self._end == _BYTES or not self._is_emptied():
            self._make()
        self._rows, self._tried = [], 0

    def _is_emptied(self) -> bool:
        with contextlib.suppress(OSError):
            self._put(bytes(self._end), 0)  # if the power goes before that is on the disk, they are given again, and known
            self._end = 0
            return True
        return False

    def _make(self) -> None:
        """As long as it ever gets, whatever stands there."""
        self._end = _BYTES
        with contextlib.suppress(OSError):
            state.write(self._path, "\0" * (_BYTES - 1), durable=True)
            self._end = 0

    def _put(self, data: bytes, at: int, *, is_to_last: bool = False) -> None:
        """Opened each time: nobody is kept from making the disk read-only."""
        handle = os.open(self._path, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if os.pwrite(handle, data, at) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if is_to_last:
                os.fdatasync(handle)
        finally:
            os.close(handle)

    def _give(self, rows: list[Row], *, is_new: bool) -> bool:
        """Whether the ledger took them; of those that are not new it may have some already."""
        self._tried, self._again_at = len(self._rows), self._me.clock.monotonic() + _AGAIN_SECONDS

        def is_given(ledger: Ledger) -> bool:
            (ledger.write_down if is_new else ledger.write_down_once)(rows)
            return True

        return self._me.with_ledger(is_given) or False


def _text(path: Path) -> str:
    with contextlib.suppress(OSError):
        return state.read(path) or ""
    return ""


def _row(line: str) -> Row | None:
    """What is noted there; None for a line that was just being written, or that no ledger would take."""
    with contextlib.suppress(ValueError, TypeError, RecursionError):
        boot, monotonic, wall, subject, action, cause, inputs, next_change = json.loads(line)
        words, numbers = [str(each) for each in (boot, subject, action, cause, inputs)], [float(monotonic), float(wall)]
        until = None if next_change is None else float(next_change)
        "".join(words).encode()  # half a surrogate pair is no text
        if all(math.isfinite(each) for each in (*numbers, until or 0.0)):
            return words[0], numbers[0], numbers[1], words[1], words[2], words[3], words[4], until
    return None
