"""The journal of readings: (source, run, sequence, time, count), append-only SQLite. It is the truth; all else is derived.

A collector stores what it is sent; what a meter has of its own is in meter/own_readings.py. One connection, which several threads may
use. The table `boots` has a row for each run: in 0.1.0 that was a boot, and `name` the kernel's for it.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pimains.core import broken_sqlite
from pimains.core.broken_sqlite import Replaced
from pimains.core.errors import PimainsError
from pimains.shared.plan import delivery
from pimains.shared.plan.delivery import Batch, Boot, Reading, Run
from pimains.shared.plan.known_seconds import Standing
from pimains.shared.readings import put_back, thinning

_TABLES = """
create table if not exists boots (
    id integer primary key, source text not null, name text not null, "offset" real, synchronised integer not null default 0,
    sent integer not null default 0, told integer not null default 0, unique (source, name)
);
create table if not exists readings (
    boot integer not null, sequence integer not null, wall real, uptime real not null, pulses integer not null,
    primary key (boot, sequence)
) without rowid;
"""
# `boot` is the kernel's name for it, `impulses` how many pulses were a unit in it: null is what its source says now
# `unit`, `part_of`, `after` and `until`: see meter/own_readings.py
_COLUMNS_SINCE = {
    "boot": "text not null default ''",
    "host": "text not null default ''",
    "part_of": "integer",
    "after": "integer not null default 0",
    "until": f"integer not null default {2**62}",
    "impulses": "real",
    "unit": "text not null default ''",
}
CACHE_KB = 64  # of pages in memory for each file, where SQLite would have 2000: the kernel keeps them, too
_PAGE_BYTES = 1024  # small: a whole page is written when a row of it is


def mended(path: Path, why: str, more_tables: str = "") -> Replaced | None:
    """Put a new journal in the place of the broken one, with what can be read of that: see core/broken_sqlite. Nobody has it open."""
    since = "".join(f"alter table boots add column {column} {kind};" for column, kind in _COLUMNS_SINCE.items())
    tables = f"pragma page_size = {_PAGE_BYTES};{_TABLES}{since}{more_tables}"
    then = "update boots set boot = name where boot = '';"
    return broken_sqlite.replace(path, broken_sqlite.inode(path), why, tables, {"readings": "boots"}, then)


class Broken(PimainsError):
    """The file `path` is no journal any more."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why


class Journal:
    """The journal in the file `path`; `is_alone`: nobody else opens it at the same time.

    Everything raises sqlite3.Error when the disk does not take it; then nothing has changed.
    """

    def __init__(self, path: Path, *, is_alone: bool = False) -> None:
        self.path = path
        self._lock = threading.RLock()
        broken_sqlite.make_way(path)
        self._connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
        self._opening = path
        try:
            self._open(is_alone)
        except sqlite3.DatabaseError as error:
            self._connection.close()
            if isinstance(error, sqlite3.OperationalError):
                raise
            raise Broken(self._opening, str(error)) from None
        self._files = put_back.inodes(path)

    def _open(self, is_alone: bool) -> None:
        self._connection.execute(f"pragma page_size = {_PAGE_BYTES}")
        if is_alone:
            self._connection.execute("pragma locking_mode = exclusive")  # no shared memory file, which is written, too
        self._connection.execute(f"pragma cache_size = -{CACHE_KB}")
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma synchronous = full")
        self._connection.executescript(_TABLES + thinning.TABLE)
        if missing := _COLUMNS_SINCE.keys() - self._columns("boots"):
            with self._change() as connection:
                for column in missing - self._columns("boots"):  # another process may have been quicker
                    connection.execute(f"alter table boots add column {column} {_COLUMNS_SINCE[column]}")
                connection.execute("update boots set boot = name where boot = ''")

    def _columns(self, table: str) -> set[str]:
        return {str(row[1]) for row in self._connection.execute(f"pragma table_info({table})")}

    def close(self) -> None:
        """Put away what is open."""
        with self._lock:
            self._connection.close()

    def is_in_place(self) -> bool:
        """Whether the file it has open is the one at its path still."""
        return broken_sqlite.inode(self.path) == self._files[""]

    def put_back(self) -> str:
        """It is not: write everything it has to its path, and close. What had happened (put_back.py).

        Raises sqlite3.Error and OSError; then it is open as before.
        """
        with self._lock:
            happened = put_back.put_back(self._connection, self.path, self._files)
            self._connection.close()
            return happened

    @contextlib.contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("begin immediate")
            try:
                yield self._connection
                self._connection.execute("commit")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("rollback")
                raise

    # what was sent

    def store(self, source: str, boots: dict[str, Boot], readings: Iterable[Reading]) -> int:
        """Store what is not stored yet, and returns how many that were, when it would survive a power cut."""
        with self._change():
            return self._store(source, boots, readings)

    def store_all(self, batches: Iterable[Batch]) -> None:
        """Store several sources' readings together: one commit."""
        with self._change():
            for batch in batches:
                self._store(batch.source, batch.boots, batch.readings)

    def store_sent(self, batch: Batch) -> tuple[dict[str, int], int]:
        """The same, of a meter: of each run what was stored before (delivery.py: `known`), and how many were new.

        Nothing is stored of a run that has lost readings.
        """
        with self._change():
            known = {name: self._last_of(batch.source, name) for name, run in batch.runs.items() if run.acknowledged is not None}
            lost = {name for name in known if delivery.has_lost(batch, known, name)}
            readings = [reading for reading in batch.readings if reading.boot not in lost]
            return known, self._store(batch.source, batch.boots, readings, batch.runs, batch.host)

    def lacks(self, source: str, readings: Iterable[Reading]) -> int:
        """How many of these are not stored."""
        look = "select 1 from readings where boot = (select id from boots where source = ? and name = ?) and sequence = ?"
        with self._lock:
            return sum(self._connection.execute(look, (source, each.boot, each.sequence)).fetchone() is None for each in readings)

    def _last_of(self, source: str, name: str) -> int:
        found = self._connection.execute(
            "select max(sequence) from readings where boot = (select id from boots where source = ? and name = ?)", (source, name)
        ).fetchone()
        return int(found[0] or 0)

    def _store(
        self,
        source: str,
        boots: Mapping[str, Boot],
        readings: Iterable[Reading],
        runs: Mapping[str, Run] = delivery.NO_RUNS,
        host: str = "",
    ) -> int:
        ids: dict[str, int] = {}
        for name, boot in boots.items():
            ids[name] = self._run(source, name, runs.get(name), boot, host)
        rows = []
        for reading in readings:
            if reading.boot not in ids:
                ids[reading.boot] = self._run(source, reading.boot, None, Boot(None), host)
            rows.append((ids[reading.boot], *reading[1:]))
        before = self._connection.total_changes
        self._connection.executemany("insert or ignore into readings values (?,?,?,?,?)", rows)
        return self._connection.total_changes - before

    def _run(self, source: str, name: str, said: Run | None, boot: Boot, host: str = "") -> int:
        """The id of a run, made if need be; what is known better of when its boot was is so for all runs of that boot."""
        of = (said and said.boot) or name
        find = 'select id, name, "offset", synchronised from boots where source = ? and boot = ? order by name = ? desc limit 1'
        found = self._connection.execute(find, (source, of, name)).fetchone()
        if found is None or found[1] != name:
            known = Boot(None) if found is None else Boot(found[2], bool(found[3]))
            new = self._connection.execute(
                'insert into boots (source, name, boot, host, "offset", synchronised) values (?,?,?,?,?,?)',
                (source, name, of, host, known.offset, known.synchronised),
            )
            found = (int(new.lastrowid or 0), name, *known)
        if said and said.impulses_per_unit:
            self._connection.execute("update boots set impulses = ? where id = ? and impulses is null", (said.impulses_per_unit, found[0]))
        if Boot(found[2], bool(found[3])).is_improved_by(boot):
            self._connection.execute(
                'update boots set "offset" = ?, synchronised = ?, told = 0 where source = ? and boot = ?',
                (boot.offset, boot.synchronised, source, of),
            )
        return int(found[0])

    # what a collector measures itself

    def standing(self, source: str, boot: str) -> tuple[Standing | None, float]:
        """The last reading that a boot of a source has, and the highest count that its boots end with, 0 when there is none."""
        ends = "select sequence, uptime, pulses from readings where boot = ? order by sequence desc limit 1"
        with self._lock:
            boots = self._connection.execute("select id, name from boots where source = ?", (source,)).fetchall()
            last = {name: self._connection.execute(ends, (id_,)).fetchone() for id_, name in boots}
        found = last.get(boot)
        return found and Standing(*found), max((row[2] for row in last.values() if row), default=0.0)

    # bounded

    def bytes(self) -> int:
        """What its readings take on the disk."""
        with self._lock:
            pages, free = (self._connection.execute(f"pragma {name}").fetchone()[0] for name in ("page_count", "freelist_count"))
            return int(pages - free) * _PAGE_BYTES

    def thin(self, bytes_max: int, rows_max: int = thinning.AT_ONCE) -> int:
        """Leave out every second one of the oldest readings until all take less than `bytes_max`; returns how many went.

        At most `rows_max` are looked at, so that it does not take long. No total changes by it.
        """
        return thinning.thin(self._change, self.bytes, bytes_max, rows_max)
