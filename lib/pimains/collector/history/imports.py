"""Histories that people import into a collector's journal, and take out again.

An import is seen when all of it is there: until then its boots have no offset. Who reads or writes the journal meanwhile goes on.
"""

import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from pimains.core.errors import Misused, PimainsError
from pimains.shared.readings.journal import Journal
from pimains.shared.readings.plan.imports import COUNTS_PER_UNIT, Readings, Row, Span, boot_name
from pimains.shared.readings.series.series import Series

_AT_ONCE = 25_000
_BREATH_SECONDS = 0.12  # a collector that waits to store a reading looks every 0.1 s whether it may (sqlite3_busy_timeout)


class Import(NamedTuple):
    """One that is there: `digest` of its file, `rows` as they were in it, `first` and `last` in seconds since 1970."""

    number: int
    source: str
    unit: str
    file: str
    digest: str
    rows: int
    first: float
    last: float
    amount: float
    at: float


class Imports:
    """Those of the journal in the file `path`; one process at a time. Raises PimainsError when there is no such journal."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise PimainsError(f"{path}: there is no journal yet; start the collector once")
        try:
            self._lock = os.open(path.with_name("import.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except PermissionError:
            raise PimainsError(f"{path.parent}: root and user pimains may do that") from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with contextlib.suppress(PermissionError):  # another user made it
                os.fchmod(self._lock, 0o600)
        except BlockingIOError:
            os.close(self._lock)
            raise PimainsError("another import is under way") from None
        Journal(path).close()
        self._series = Series(path)
        self._connection = sqlite3.connect(path, timeout=60, isolation_level=None)
        self._connection.execute("pragma synchronous = normal")
        self._connection.execute("pragma wal_autocheckpoint = 0")
        left = self._connection.execute("select number from imports where state in ('under way', 'leaving')").fetchall()
        self._remove([int(number) for (number,) in left])

    def close(self) -> None:
        """Let others."""
        self._connection.close()
        self._series.close()
        os.close(self._lock)

    def listed(self) -> list[Import]:
        """Those that are there, oldest first."""
        rows = self._connection.execute(
            "select number, source, unit, file, digest, rows, first, last, amount, at from imports where state = 'stored' order by number"
        )
        return [Import(*row) for row in rows]

    def taken(self, source: str) -> list[Span]:
        """Where nothing can be imported into a source: what was imported, and all since its meter was first heard."""
        heard = self._series.first_heard(source)
        return [*self._series.imported(source), *([] if heard is None else [Span(heard, float("inf"))])]

    def unit_of(self, source: str) -> str | None:
        """What the source counts in; None while there is none of that name. Raises Misused for one that does not count."""
        meter = self._series.meters().get(source)
        if meter is not None and meter.is_gauge:
            raise Misused(f"{source} is a value that is recorded, and counts nothing")
        return meter and meter.unit

    def store(
        self,
        source: str,
        unit: str,
        file: str,
        digest: str,
        made: Readings,
        rows: Iterable[Row],
        total: list[float],
        undoes: Callable[[], object] = lambda: None,
    ) -> int:
        """Store `rows`, which `made` makes; the number of the import. `total`: what the meter showed at the end, where that is known.

        Raises sqlite3.Error; whatever it was, nothing of it is seen then. `undoes` is called before what was stored is taken out again.
        """
        number = int(
            self._connection.execute(
                "insert into imports (source, unit, file, digest, state, at) values (?,?,?,?,'under way',?)",
                (source, unit, file, digest, time.time()),
            ).lastrowid
            or 0
        )
        has_begun = False
        try:
            for some in _chunks(rows):
                has_begun = True
                self._put(source, number, some)
                self._breathe()
            span = made.span
            if span is None:
                raise Misused("there is nothing in it that is not there already")
            with self._change():
                self._connection.execute(
                    'update boots set "offset" = 0, synchronised = 1 where source = ? and name like ?', _those(source, number)
                )
                self._connection.execute(
                    "update imports set state = 'stored', rows = ?, first = ?, last = ?, amount = ?, total = ? where number = ?",
                    (made.slices, span.start, span.end, made.amount, total[0] if total else None, number),
                )
                self._connection.execute(
                    "insert or ignore into sources (source, unit, impulses_per_unit) values (?,?,?)", (source, unit, COUNTS_PER_UNIT[unit])
                )
                self._set_register(source)
        except BaseException:
            if has_begun:
                undoes()
            with contextlib.suppress(sqlite3.Error):
                self._remove([number])
            raise
        return number

    def forget(self, number: int) -> Import:
        """Take an import out again. Raises Misused when there is none of that number."""
        found = next((each for each in self.listed() if each.number == number), None)
        if found is None:
            raise Misused(f"there is no import {number} (pimains energy imports)")
        self._remove([number])
        with self._change():
            self._set_register(found.source)
            self._connection.execute(
                "delete from sources where source = ?1 and not exists (select 1 from boots where source = ?1)", (found.source,)
            )
        return found

    def _remove(self, numbers: list[int]) -> None:
        for number in numbers:
            (source,) = self._connection.execute("select source from imports where number = ?", (number,)).fetchone()
            with self._change():
                self._connection.execute('update boots set "offset" = null where source = ? and name like ?', _those(source, number))
                self._connection.execute("update imports set state = 'leaving' where number = ?", (number,))
            boots = self._connection.execute("select id from boots where source = ? and name like ?", _those(source, number)).fetchall()
            for (boot,) in boots:
                while self._connection.execute(
                    "delete from readings where boot = ?1 and sequence in (select sequence from readings where boot = ?1 limit ?2)",
                    (boot, _AT_ONCE),
                ).rowcount:
                    self._breathe()
                self._connection.execute("delete from boots where id = ?", (boot,))
            self._connection.execute("update imports set state = 'forgotten' where number = ?", (number,))

    def _breathe(self) -> None:
        """Bring what was written to its place, which otherwise the collector would with its next reading, and let it in."""
        self._connection.execute("pragma wal_checkpoint(passive)").fetchone()
        time.sleep(_BREATH_SECONDS)

    def _put(self, source: str, number: int, rows: list[Row]) -> None:
        with self._change():
            ids = {}
            for piece in sorted({row.piece for row in rows}):
                name = boot_name(number, piece)
                self._connection.execute(  # below all others: when room is made, it is made in what is oldest first
                    "insert or ignore into boots (id, source, name) select min(0, coalesce(min(id), 0)) - 1, ?, ? from boots",
                    (source, name),
                )
                (ids[piece],) = self._connection.execute("select id from boots where source = ? and name = ?", (source, name)).fetchone()
            self._connection.executemany(
                "insert into readings (boot, sequence, uptime, pulses) values (?,?,?,?)",
                [(ids[piece], sequence, at, count) for piece, sequence, at, count in rows],
            )

    def _set_register(self, source: str) -> None:
        """What a source shows that no meter was heard of yet: the total at the end of what was imported."""
        if self._series.first_heard(source) is not None:
            return
        imports = self._connection.execute(
            "select amount, total from imports where source = ? and state = 'stored' order by last", (source,)
        ).fetchall()
        total = sum(amount for amount, _ in imports)
        if imports and imports[-1][1] is not None:
            total = imports[-1][1]
        self._connection.execute("update sources set face_pulses = 0, face_total = ? where source = ?", (total, source))

    @contextlib.contextmanager
    def _change(self) -> Iterator[None]:
        try:
            self._connection.execute("begin immediate")
            yield
            self._connection.execute("commit")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("rollback")
            raise


def _those(source: str, number: int) -> tuple[str, str]:
    return source, boot_name(number, 0)[:-1] + "%"


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    each = iter(rows)
    while some := list(islice(each, _AT_ONCE)):
        yield some
