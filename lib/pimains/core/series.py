"""What the journal of a collector says about its sources over time. Reads only, but for what a source says of itself.

A reading's time is its boot's offset plus its uptime; where a boot has none, its last reading with a wall time tells it.
In a boot, uptime and count grow with the sequence: so a time or a count is found by bisection.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pimains.plan.delivery import Batch, Face
from pimains.plan.energy import QUIET_SECONDS, Meter, Point
from pimains.plan.flow_steps import Counted

_TABLE = """
create table if not exists sources (
    source text primary key, unit text not null, impulses_per_unit real not null, face_pulses integer, face_total real
) without rowid
"""
_CHUNK = 1000


class _Boot(NamedTuple):
    id: int
    offset: float
    first: int
    last: int
    start: float
    end: float


class Series:
    """The readings of the journal in the file `path`, where a Journal was opened before. For one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
        self._connection.execute("pragma synchronous = full")
        self._connection.execute(_TABLE)
        self._boots: dict[str, list[_Boot]] = {}
        self._version = -1

    def close(self) -> None:
        """Put it away."""
        self._connection.close()

    def describe(self, batch: Batch) -> None:
        """Keep what a source says of itself; raises sqlite3.Error."""
        face = batch.face or Face(None, None)  # type: ignore[arg-type]  # as the table has it
        row = (batch.source, batch.unit, batch.impulses_per_unit, *face)
        self._connection.execute(
            "insert into sources values (?,?,?,?,?) on conflict (source) do update set"
            " unit = excluded.unit, impulses_per_unit = excluded.impulses_per_unit,"
            " face_pulses = coalesce(excluded.face_pulses, face_pulses), face_total = coalesce(excluded.face_total, face_total)"
            " where (unit, impulses_per_unit) != (excluded.unit, excluded.impulses_per_unit)"
            " or (excluded.face_total is not null and (face_pulses, face_total) is not (excluded.face_pulses, excluded.face_total))",
            row,
        )

    def meters(self) -> dict[str, Meter]:
        """Every source, by name."""
        rows = self._connection.execute("select * from sources order by source")
        return {
            name: Meter(name, unit, impulses, None if total is None else Face(pulses, total))
            for name, unit, impulses, pulses, total in rows
        }

    def last(self, source: str) -> Point | None:
        """Its newest reading."""
        boots = self._boots_of(source)
        return max((self._at(boot, boot.last) for boot in boots), default=None)

    def first(self, source: str) -> Point | None:
        """Its oldest reading."""
        return min((self._at(boot, boot.first) for boot in self._boots_of(source)), default=None)

    def rises(self, source: str) -> tuple[Point | None, Point | None]:
        """Of its newest boot, the last two readings in which the count had risen."""
        boots = self._boots_of(source)
        if not boots:
            return None, None
        boot = max(boots, key=lambda each: each.end)
        sequence = self._sequence(boot, "pulses", self._at(boot, boot.last).pulses)
        rose = self._at(boot, sequence)
        before = self._connection.execute(
            "select pulses from readings where boot = ? and sequence < ? order by sequence desc limit 1", (boot.id, sequence)
        ).fetchone()
        return (self._where(boot, "pulses", before[0]) if before else None), rose

    def count_at(self, source: str, time: float) -> float | None:
        """The count at `time`: between two readings it has grown evenly; None when there is none at all."""
        before: Point | None = None
        after: Point | None = None
        for boot in self._boots_of(source):
            if boot.start <= time:
                point = self._at(boot, boot.last) if boot.end <= time else self._before(boot, time)
                before = max(before or point, point)
            if boot.end > time:
                point = self._at(boot, boot.first) if boot.start > time else self._where(boot, "uptime", time - boot.offset, above=True)
                after = min(after or point, point)
        if before is None or after is None:
            known = before or after
            return known and known.pulses
        share = (time - before.time) / (after.time - before.time) if after.time > before.time else 1.0
        return before.pulses + share * (after.pulses - before.pulses)

    def has_reading(self, source: str, start: float, end: float) -> bool:
        """Whether there is one from `start` until before `end`."""
        return any(
            start <= self._where(boot, "uptime", start - boot.offset).time < end
            for boot in self._boots_of(source)
            if boot.start < end and boot.end >= start
        )

    def points(self, source: str, start: float, end: float) -> Iterator[Point]:
        """Its readings from `start` until before `end`, in the order of time."""
        return (Point(time, pulses) for time, pulses, _ in self.readings(source, start, end))

    def readings(self, source: str, start: float, end: float) -> Iterator[Counted]:
        """The same, and where it was not heard in between: not where readings were left out to save room."""
        reached, before = float("-inf"), (0, 0)
        for boot in sorted(self._boots_of(source), key=lambda each: each.start):
            if boot.end < start or boot.start >= end:
                continue
            sequence = self._sequence(boot, "uptime", start - boot.offset)
            while True:
                rows = self._connection.execute(
                    "select sequence, uptime, pulses from readings where boot = ? and sequence >= ? order by sequence limit ?",
                    (boot.id, sequence, _CHUNK),
                ).fetchall()
                for number, uptime, pulses in rows:
                    time = boot.offset + uptime
                    if time >= end:
                        break
                    if time > reached and time >= start:
                        is_late = time - reached > QUIET_SECONDS and before[0] != 0
                        if is_late and before[0] == boot.id:
                            is_late = (time - reached) / (number - before[1]) > QUIET_SECONDS
                        yield Counted(time, pulses, is_late)
                        reached, before = time, (boot.id, number)
                if len(rows) < _CHUNK or boot.offset + rows[-1][1] >= end:
                    break
                sequence = rows[-1][0] + 1

    def newest(self, source: str) -> dict[str, tuple[float | None, int]]:
        """Each boot by its name: its offset, and the last sequence that is stored."""
        rows = self._connection.execute(
            'select name, "offset", (select max(sequence) from readings where boot = boots.id) from boots where source = ?', (source,)
        )
        return {name: (offset, last or 0) for name, offset, last in rows}

    # one boot

    def _boots_of(self, source: str) -> list[_Boot]:
        version = self._connection.execute("pragma data_version").fetchone()[0]
        if version != self._version:
            self._boots.clear()
            self._version = version
        if source not in self._boots:
            self._boots[source] = list(self._read_boots(source))
        return self._boots[source]

    def _read_boots(self, source: str) -> Iterator[_Boot]:
        rows = self._connection.execute('select id, "offset" from boots where source = ?', (source,)).fetchall()
        for id_, known in rows:
            offset = self._offset_by_wall(id_) if known is None else known
            if offset is None:
                continue
            ends = [
                self._connection.execute(
                    f"select sequence, uptime from readings where boot = ? order by sequence {way} limit 1",  # noqa: S608  # two words
                    (id_,),
                ).fetchone()
                for way in ("asc", "desc")
            ]
            if ends[0] is not None:
                yield _Boot(id_, offset, ends[0][0], ends[1][0], offset + ends[0][1], offset + ends[1][1])

    def _offset_by_wall(self, boot: int) -> float | None:
        found = self._connection.execute(
            "select wall - uptime from readings where boot = ? and wall is not null order by sequence desc limit 1", (boot,)
        ).fetchone()
        return float(found[0]) if found else None

    def _at(self, boot: _Boot, sequence: int) -> Point:
        """The reading with this sequence, or the next there is."""
        uptime, pulses = self._connection.execute(
            "select uptime, pulses from readings where boot = ? and sequence >= ? order by sequence limit 1", (boot.id, sequence)
        ).fetchone()
        return Point(boot.offset + uptime, pulses)

    def _before(self, boot: _Boot, time: float) -> Point:
        """The last reading until `time`, which is not before its first."""
        uptime, pulses = (
            self._connection.execute(
                "select uptime, pulses from readings where boot = ? and sequence < ? order by sequence desc limit 1",
                (boot.id, self._sequence(boot, "uptime", time - boot.offset, above=True)),
            ).fetchone()
            or self._connection.execute(
                "select uptime, pulses from readings where boot = ? order by sequence limit 1", (boot.id,)
            ).fetchone()
        )
        return Point(boot.offset + uptime, pulses)

    def _where(self, boot: _Boot, column: str, value: float, *, above: bool = False) -> Point:
        return self._at(boot, min(self._sequence(boot, column, value, above=above), boot.last))

    def _sequence(self, boot: _Boot, column: str, value: float, *, above: bool = False) -> int:
        """The first sequence whose reading has `column` at least `value`, or above it; one behind the last where there is none."""
        look = f"select sequence, {column} from readings where boot = ? and sequence >= ? order by sequence limit 1"  # noqa: S608  # ours
        low, high = boot.first, boot.last + 1
        while low < high:
            middle = (low + high) // 2
            sequence, found = self._connection.execute(look, (boot.id, middle)).fetchone()
            if found > value if above else found >= value:
                high = middle
            else:
                low = sequence + 1
        return low
