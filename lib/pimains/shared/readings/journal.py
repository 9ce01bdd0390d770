"""The journal of readings: (source, boot, sequence, time, count), append-only SQLite. It is the truth; all else is derived.

A collector stores what it is sent; a meter notes its own readings. An SD card wears out, so a meter's readings wait in
a second file on a tmpfs, where kill -9 does not hurt them, and are put into the journal together now and then.

One connection, which several threads may use.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from pimains.core import broken_sqlite, set_aside
from pimains.core.errors import PimainsError
from pimains.shared.plan.delivery import Batch, Boot, Reading
from pimains.shared.plan.known_seconds import Standing
from pimains.shared.readings import thinning

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
_RECENT = """
create table if not exists recent.readings (
    boot integer not null, sequence integer not null, wall real, uptime real not null, pulses integer not null,
    primary key (boot, sequence)
) without rowid;
create table if not exists recent.sent (boot integer primary key, sent integer not null, told integer not null);
"""
UNBOOKED = 0  # the boot of readings that were noted before the disk took this boot's row; what is recent is of this boot
CACHE_KB = 64  # of pages in memory for each file, where SQLite would have 2000: the kernel keeps them, too
_PAGE_BYTES = 1024  # small: a whole page is written when a row of it is


class Broken(PimainsError):
    """The file `path` is no journal any more."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why


class Journal:
    """The journal in the file `path`; with `recent`, a file on a tmpfs, nobody else may open it at the same time.

    Everything raises sqlite3.Error when the disk does not take it; then nothing has changed.
    """

    def __init__(self, path: Path, recent: Path | None = None) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._has_recent = recent is not None
        for each in filter(None, (path, recent)):
            for suffix in ("", *broken_sqlite.BESIDE):
                set_aside.unless_a_file(each.with_name(each.name + suffix))
        self._connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
        opening = path
        try:
            self._connection.execute(f"pragma page_size = {_PAGE_BYTES}")
            if recent is not None:
                self._connection.execute("pragma locking_mode = exclusive")  # no shared memory file, which is written, too
            self._connection.execute(f"pragma cache_size = -{CACHE_KB}")
            self._connection.execute("pragma journal_mode = wal")
            self._connection.execute("pragma synchronous = full")
            self._connection.executescript(_TABLES + thinning.TABLE)
            if recent is not None:
                opening = recent
                self._attach(recent)
        except sqlite3.DatabaseError as error:
            self._connection.close()
            if isinstance(error, sqlite3.OperationalError):
                raise
            raise Broken(opening, str(error)) from None

    def _attach(self, recent: Path) -> None:
        self._connection.execute("attach ? as recent", (str(recent),))
        self._connection.execute(f"pragma recent.cache_size = -{CACHE_KB}")
        self._connection.execute("pragma recent.journal_mode = truncate")
        self._connection.execute("pragma recent.synchronous = off")
        self._connection.executescript(_RECENT)

    def close(self) -> None:
        """Put away what is open."""
        with self._lock:
            self._connection.close()

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

    # for collectors: what was sent

    def store(self, source: str, boots: dict[str, Boot], readings: Iterable[Reading]) -> int:
        """Store what is not stored yet, and returns how many that were, when it would survive a power cut."""
        with self._change():
            return self._store(source, boots, readings)

    def store_all(self, batches: Iterable[Batch]) -> None:
        """Store several sources' readings together: one commit."""
        with self._change():
            for batch in batches:
                self._store(batch.source, batch.boots, batch.readings)

    def _store(self, source: str, boots: dict[str, Boot], readings: Iterable[Reading]) -> int:
        ids: dict[str, int] = {}
        for name, boot in boots.items():
            ids[name] = self._boot(source, name, boot)
        rows = []
        for reading in readings:
            if reading.boot not in ids:
                ids[reading.boot] = self._boot(source, reading.boot, Boot(None))
            rows.append((ids[reading.boot], *reading[1:]))
        before = self._connection.total_changes
        self._connection.executemany("insert or ignore into readings values (?,?,?,?,?)", rows)
        return self._connection.total_changes - before

    # for collectors: what they measure themselves

    def standing(self, source: str, boot: str) -> tuple[Standing | None, float]:
        """The last reading that a boot of a source has, and the highest count that its boots end with, 0 when there is none."""
        ends = "select sequence, uptime, pulses from readings where boot = ? order by sequence desc limit 1"
        with self._lock:
            boots = self._connection.execute("select id, name from boots where source = ?", (source,)).fetchall()
            last = {name: self._connection.execute(ends, (id_,)).fetchone() for id_, name in boots}
        found = last.get(boot)
        return found and Standing(*found), max((row[2] for row in last.values() if row), default=0.0)

    def _boot(self, source: str, name: str, boot: Boot) -> int:
        """The id of a boot, made if need be, its offset improved if it is."""
        find = 'select id, "offset", synchronised from boots where source = ? and name = ?'
        found = self._connection.execute(find, (source, name)).fetchone()
        if found is None:
            new = self._connection.execute(
                'insert into boots (source, name, "offset", synchronised) values (?,?,?,?)', (source, name, boot.offset, boot.synchronised)
            )
            return int(new.lastrowid or 0)
        if Boot(found[1], bool(found[2])).is_improved_by(boot):
            self._connection.execute(
                'update boots set "offset" = ?, synchronised = ?, told = 0 where id = ?', (boot.offset, boot.synchronised, found[0])
            )
        return int(found[0])

    # for meters: what is measured here

    def boot(self, source: str, name: str, boot: Boot) -> int:
        """The id by which this boot's readings are noted, also those that were UNBOOKED; another offset is told to the collector again."""
        with self._change() as connection:
            before = connection.total_changes
            id_ = self._boot(source, name, boot)
            if connection.total_changes > before:
                connection.execute("update recent.sent set told = 0 where boot = ?", (id_,))
        with self._lock:
            self._connection.execute("update or replace recent.readings set boot = ? where boot = ?", (id_, UNBOOKED))
            return id_

    def note(self, boot: int, reading: Reading) -> None:
        """Keep a reading of a boot, or an UNBOOKED one; it would survive kill -9 at once, a power cut after `save`."""
        with self._lock:
            self._connection.execute("insert or ignore into recent.readings values (?,?,?,?,?)", (boot, *reading[1:]))

    def save(self) -> None:
        """Returns when all readings would survive a power cut."""
        with self._change() as connection:
            connection.execute("insert or ignore into main.readings select * from recent.readings where boot != ?", (UNBOOKED,))
            connection.execute(
                "update boots set sent = max(boots.sent, s.sent), told = s.told from recent.sent as s where s.boot = boots.id"
            )
        with self._lock:  # not in the same transaction: the two files are not written together, and twice does no harm
            self._connection.execute("delete from recent.readings where boot != ?", (UNBOOKED,))
            self._connection.execute("delete from recent.sent")

    def last_sequence(self, boot: int) -> int:
        """The last one noted in a boot, 0 when there is none."""
        with self._lock:
            return self._last("sequence", boot)

    def pulses(self) -> int:
        """The highest count of all, 0 when there is none."""
        with self._lock:
            return max((self._last("pulses", id_) for id_, *_ in self._boots()), default=0)

    def _last(self, column: str, boot: int) -> int:
        """A column of the last reading of a boot, 0 when there is none."""
        sql = (
            f"select {column} from (select * from main.readings where boot = ?1 union all select * from recent.readings where boot = ?1)"  # noqa: S608  # column is a word of ours
            " order by sequence desc limit 1"
        )
        row = self._connection.execute(sql, (boot,)).fetchone()
        return int(row[0]) if row else 0

    def unsent(self, limit: int) -> tuple[dict[str, Boot], list[Reading]]:
        """The oldest readings that no collector has acknowledged, at most `limit`, and boots whose offset it does not know."""
        with self._lock:
            readings: list[Reading] = []
            boots: dict[str, Boot] = {}
            for id_, name, boot, sent, told in self._boots():
                if len(readings) < limit:
                    rows = self._connection.execute(
                        "select sequence, wall, uptime, pulses from main.readings where boot = ?1 and sequence > ?2"
                        " union select sequence, wall, uptime, pulses from recent.readings where boot = ?1 and sequence > ?2"
                        " order by sequence limit ?3",
                        (id_, sent, limit - len(readings)),
                    ).fetchall()
                    readings += [_dated(Reading(name, *row), boot) for row in rows]
                if not told or (readings and readings[-1].boot == name):
                    boots[name] = boot
            return boots, readings

    def _boots(self) -> list[tuple[int, str, Boot, int, bool]]:
        """Oldest first: id, name, its offset, the last sequence that is acknowledged, whether its offset is."""
        rows = self._connection.execute(
            'select id, name, "offset", synchronised, max(boots.sent, coalesce(s.sent, 0)), max(boots.told, coalesce(s.told, 0))'
            " from boots left join recent.sent as s on s.boot = boots.id order by id"
        )
        return [(id_, name, Boot(offset, bool(synchronised)), sent, bool(told)) for id_, name, offset, synchronised, sent, told in rows]

    def acknowledge(self, boots: dict[str, Boot], accepted: dict[str, int]) -> None:
        """A collector has these boots' offsets, and their readings up to these sequences."""
        with self._lock:
            for id_, name, boot, sent, told in self._boots():
                if name in accepted or name in boots:
                    # an offset that changed while it was on its way is told again
                    row = (id_, max(sent, accepted.get(name, 0)), told or boots.get(name) == boot)
                    self._connection.execute("insert or replace into recent.sent values (?,?,?)", row)

    def waiting(self) -> int:
        """How many readings no collector has acknowledged, those that were left out counted too."""
        with self._lock:
            return sum(max(0, self._last("sequence", id_) - sent) for id_, _, _, sent, _ in self._boots())

    # for both: bounded

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


def _dated(reading: Reading, boot: Boot) -> Reading:
    return reading if boot.offset is None else reading._replace(wall=boot.offset + reading.uptime)
