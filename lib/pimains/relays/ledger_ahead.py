"""What the ledger is to say of a switching, on the disk before a contact moves: /var/lib/pimains/relays/ahead.

SQLite makes a row of the ledger last by five writes that each wait for the disk, which takes long while others use it, too; and another
service may be just writing there. A line of this file takes one such write: then the contact moves, and the ledger gets its row right
behind it. What a kill or a power cut came in between of, the next service gives to the ledger, once. The file is as long from the
beginning as it ever gets, so that the disk need not note a new length.
"""

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path

from pimains.core import state
from pimains.core.instance import Instance
from pimains.core.ledger import Ledger, Row

_NAME = "ahead"
_BYTES = 32 * 1024


class LedgerAhead:
    """The rows that the ledger has not got yet."""

    def __init__(self, me: Instance) -> None:
        self._me = me
        self._path = me.lib / _NAME
        self._rows: list[Row] = []
        self._end = _BYTES  # nothing is noted before it begins
        self._tried = 0  # so many rows, and the ledger did not take them

    def begin(self) -> None:
        """Give the ledger what the service before could not give it any more."""
        self._rows = _rows(self._path)
        with contextlib.suppress(OSError):
            if not self._rows or self._give(lambda ledger: ledger.write_down_once(self._rows)):
                state.write(self._path, "\0" * (_BYTES - 1), durable=True)
                self._end = 0
        self._rows, self._tried = [], 0  # those that no ledger took stay there for the next service

    def note(self, row: Row) -> bool:
        """Whether it is on the disk, and may be done; if it is not, the ledger itself has to be asked."""
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
        if len(self._rows) == self._tried or not self._give(lambda ledger: ledger.write_down(self._rows)):
            return
        with contextlib.suppress(OSError):
            self._put(bytes(self._end), 0)  # if the power goes before that is on the disk, they are given again, and known
        self._rows, self._end, self._tried = [], 0, 0

    def _put(self, data: bytes, at: int, *, is_to_last: bool = False) -> None:
        """Opened each time: nobody is kept from making the disk read-only."""
        handle = os.open(self._path, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            os.pwrite(handle, data, at)
            if is_to_last:
                os.fdatasync(handle)
        finally:
            os.close(handle)

    def _give(self, give: Callable[[Ledger], None]) -> bool:
        self._tried = len(self._rows)

        def is_given(ledger: Ledger) -> bool:
            give(ledger)
            return True

        return self._me.with_ledger(is_given) or False


def _rows(path: Path) -> list[Row]:
    """What is noted there, but for a line that was just being written."""
    with contextlib.suppress(OSError):
        return [row for line in (state.read(path) or "").split("\n") if (row := _row(line))]
    return []


def _row(line: str) -> Row | None:
    with contextlib.suppress(ValueError, TypeError):
        boot, monotonic, wall, subject, action, cause, inputs, next_change = json.loads(line)
        until = None if next_change is None else float(next_change)
        return str(boot), float(monotonic), float(wall), str(subject), str(action), str(cause), str(inputs), until
    return None
