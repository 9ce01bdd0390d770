"""What the journal of a collector says about its sources over time. Reads only, but for what a source says of itself.

When a reading was taken is in shared/readings/run_times.py.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from pimains.shared.plan import known_seconds
from pimains.shared.plan.delivery import Batch, Boot, RegisterReading
from pimains.shared.plan.point import Point
from pimains.shared.readings import read_only, run_times
from pimains.shared.readings.boot_readings import BootReadings
from pimains.shared.readings.journal import CACHE_KB
from pimains.shared.readings.plan import imports
from pimains.shared.readings.plan.energy import QUIET_SECONDS, RISES_SECONDS, Meter, Rises
from pimains.shared.readings.plan.flow_steps import Counted
from pimains.shared.readings.plan.heard_run import HeardRun
from pimains.shared.readings.plan.imports import Span
from pimains.shared.readings.series.counters import Anew, Counters, counted_on

TABLES = """
create table if not exists sources (
    source text primary key, unit text not null, impulses_per_unit real not null, face_pulses integer, face_total real
) without rowid;
create table if not exists imports (
    number integer primary key autoincrement, source text not null, unit text not null, file text not null, digest text not null,
    state text not null, at real not null, rows integer, first real, last real, amount real, total real
);
create table if not exists faces (source text primary key, run text not null) without rowid;
create table if not exists faces_before (source text not null, run text not null, pulses integer not null, total real not null);
create table if not exists counters_told (source text not null, run text not null, primary key (source, run)) without rowid;
"""
_CHUNK = 1000


class Series:
    """The readings of the journal in the file `path`, where a Journal was opened before. For one thread at a time.

    `only_look` is for people who may read the file and not write it. Raises sqlite3.OperationalError.
    """

    def __init__(self, path: Path, *, only_look: bool = False) -> None:
        if only_look:
            self._connection = read_only.opened(path)
        else:
            self._connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
            self._connection.execute("pragma synchronous = full")
            self._connection.executescript(TABLES)
        self._connection.execute(f"pragma cache_size = -{CACHE_KB}")
        self._boots: dict[str, list[BootReadings]] = {}
        self._heard: dict[str, Counters] = {}
        self._version = -1
        names = {name for (name,) in self._connection.execute("select name from sqlite_master where type = 'table'")}
        self._knows_faces, self._knows_faces_before = "faces" in names, "faces_before" in names
        self._knows_impulses = "impulses" in {row[1] for row in self._connection.execute("pragma table_info(boots)")}

    def close(self) -> None:
        """Put it away."""
        self._connection.close()

    def describe(self, batch: Batch) -> None:
        """Keep what a source says of itself, and what it said before for the time before; raises sqlite3.Error."""
        changes = self._connection.total_changes
        register = batch.register or RegisterReading(None, None)  # type: ignore[arg-type]  # as the table has it
        run = batch.run or next(reversed([*batch.boots, *(reading.boot for reading in batch.readings[-1:])]), "")
        # a face that was told before, of an older counter (START_TOTAL on a new card), is none that was read anew
        is_another = (
            self._connection.execute("select face_pulses, face_total from sources where source = ?", (batch.source,)).fetchone() != register
        )
        self._connection.execute(
            "update boots set impulses = s.impulses_per_unit from sources as s where boots.source = ?1 and s.source = ?1"
            " and boots.impulses is null and s.impulses_per_unit != ?2",
            (batch.source, batch.impulses_per_unit),
        )
        if batch.register and is_another:
            self._connection.execute(
                "insert into faces_before select source, coalesce((select run from faces where source = ?1), ?2), face_pulses, face_total"
                " from sources where source = ?1 and face_total is not null",
                (batch.source, run),
            )
        row = (batch.source, batch.unit, batch.impulses_per_unit, *register)
        self._connection.execute(
            "insert into sources values (?,?,?,?,?) on conflict (source) do update set"
            " unit = excluded.unit, impulses_per_unit = excluded.impulses_per_unit,"
            " face_pulses = coalesce(excluded.face_pulses, face_pulses), face_total = coalesce(excluded.face_total, face_total)"
            " where (unit, impulses_per_unit) != (excluded.unit, excluded.impulses_per_unit)"
            " or (excluded.face_total is not null and (face_pulses, face_total) is not (excluded.face_pulses, excluded.face_total))",
            row,
        )
        if batch.register and run and (is_another or not self._face_run(batch.source)):
            self._connection.execute("insert or replace into faces values (?, ?)", (batch.source, run))
        if self._connection.total_changes > changes:  # who has changed it is not told that somebody did
            self._boots.clear()
            self._heard.clear()

    def other_unit(self, batch: Batch) -> str:
        """What its source has counted in until now, where that is something else; '' while it has no reading."""
        look = "select unit from sources where source = ? and unit != ?"
        found = self._connection.execute(look, (batch.source, batch.unit)).fetchone()
        return str(found[0]) if found and self._boots_of(batch.source) else ""

    def meters(self) -> dict[str, Meter]:
        """Every source, by name."""
        rows = self._connection.execute(
            "select *, (select 2 * count(*) - coalesce(sum(state = 'stored'), 0) from imports where imports.source = sources.source"
            " and state != 'under way') from sources order by source"
        )
        found = {}
        for name, unit, impulses, pulses, total, edition in rows.fetchall():
            faces = self._faces(name, unit, impulses, pulses, total)
            edition_now = edition + len(self._counters(name).anew)
            found[name] = Meter(name, unit, impulses, faces[-1][0] if faces else None, edition_now)
            if len(faces) > 1:
                before, begun = tuple(face for face, _ in faces[:-1]), tuple(since for _, since in faces)
                found[name] = found[name]._replace(before=before, faces_from=begun)
        return found

    def _faces(self, source: str, unit: str, impulses: float, pulses: float, total: float | None) -> list[tuple[RegisterReading, float]]:
        """What the register showed, by the count of all counters together, the least first, and from when on at the earliest."""
        if total is None:
            return []
        told = [(self._face_run(source), pulses, total)]
        if self._knows_faces_before:
            look = "select run, pulses, total from faces_before where source = ? order by rowid"
            told = [*self._connection.execute(look, (source,)), *told]
        runs = {run.name: run for run in self._counters(source).runs}
        newest = next(reversed(runs.values()), None)
        faces: list[tuple[RegisterReading, float]] = []
        for of, at, showed in told:
            run = runs.get(of, newest)
            count = run.counted(at) if run else at
            since = run.start if run and run.at(run.first).pulses >= count else float("-inf")
            faces.append((RegisterReading(count, showed), since))  # type: ignore[arg-type]  # of all counters together
        faces.sort(key=lambda face: face[0].pulses)
        first = self.first(source)
        if first and Meter(source, unit, impulses, faces[0][0]).total(first.pulses) < 0:  # it was as counted until it came
            least = min(0.0, first.pulses)  # what was imported may begin anywhere
            faces.insert(0, (RegisterReading(least, 0.0), float("-inf")))  # type: ignore[arg-type]  # as above
        return faces

    def _face_run(self, source: str) -> str:
        """The run that has told it."""
        known = self._knows_faces and self._connection.execute("select run from faces where source = ?", (source,)).fetchone()
        return str(known[0]) if known else ""

    def counters_to_tell(self, source: str) -> list[Anew]:
        """Where it counts anew, as far as that is sure, and nobody was told."""
        told = {run for (run,) in self._connection.execute("select run from counters_told where source = ?", (source,))}
        return [anew for anew in self._counters(source).anew if anew.is_sure and anew.run not in told]

    def counts_anew_since(self, source: str) -> float | None:
        """When it had a new counter last; None where it never had."""
        return max((anew.time for anew in self._counters(source).anew), default=None)

    def counter_is_told(self, source: str, run: str) -> None:
        """People know of it."""
        self._connection.execute("insert or ignore into counters_told values (?, ?)", (source, run))

    def heard_runs(self, source: str) -> list[HeardRun]:
        """What it was sent, run by run."""
        ends = "(select uptime from readings where boot = boots.id order by sequence {} limit 1)"
        rows = self._connection.execute(
            f'select name, boot, host, "offset", synchronised, {ends.format("asc")}, {ends.format("desc")} from boots where source = ?',  # noqa: S608  # words of ours
            (source,),
        )
        return [
            HeardRun(name, boot or name, host, Boot(offset, bool(sure)), first, last)
            for name, boot, host, offset, sure, first, last in rows
            if first is not None and " " not in name
        ]

    def last(self, source: str) -> Point | None:
        """Its newest reading."""
        boots = self._boots_of(source)
        return max((boot.at(boot.last) for boot in boots), default=None)

    def first(self, source: str) -> Point | None:
        """Its oldest reading."""
        return min((boot.at(boot.first) for boot in self._boots_of(source)), default=None)

    def first_heard(self, source: str) -> float | None:
        """When its oldest reading was taken that was not imported."""
        return min((boot.start for boot in self._boots_of(source) if not boot.is_imported), default=None)

    def imported(self, source: str) -> list[Span]:
        """From when until when it has readings that were."""
        return [Span(boot.start, boot.end) for boot in self._boots_of(source) if boot.is_imported]

    def rises(self, source: str) -> Rises | None:
        """Of its newest boot, the last readings in which the count had risen; None where there is only one, or none."""
        boots = self._boots_of(source)
        if not boots:
            return None
        boot = max(boots, key=lambda each: each.end)
        look = "select uptime, pulses from readings where boot = ? and sequence"
        (_, last) = self._connection.execute(f"{look} >= ? order by sequence limit 1", (boot.id, boot.last)).fetchone()
        sequence = boot.sequence("pulses", last)
        rose = boot.at(sequence)
        before = self._connection.execute(f"{look} < ? order by sequence desc limit 1", (boot.id, sequence)).fetchone()
        if before is None:
            return None
        risen = boot.where("pulses", before[1])
        minute_ago = boot.sequence("uptime", rose.time - RISES_SECONDS - boot.offset, above=True)
        known = self._connection.execute(f"{look} < ? order by sequence desc limit 1", (boot.id, minute_ago)).fetchone()
        earlier = boot.where("pulses", known[1]) if known else boot.at(boot.first)
        return Rises(min(earlier, risen), risen, boot.offset + before[0], rose)

    def count_at(self, source: str, time: float) -> float | None:
        """The count at `time`: between two readings it has grown evenly; None when there is none at all."""
        before: Point | None = None
        after: Point | None = None
        for boot in self._boots_of(source):
            if boot.start <= time:
                point = boot.at(boot.last) if boot.end <= time else boot.before(time)
                before = max(before or point, point)
            if boot.end > time:
                point = boot.at(boot.first) if boot.start > time else boot.where("uptime", time - boot.offset, above=True)
                after = min(after or point, point)
        if before is None or after is None:
            known = before or after
            return known and known.pulses
        share = (time - before.time) / (after.time - before.time) if after.time > before.time else 1.0
        return before.pulses + share * (after.pulses - before.pulses)

    def has_reading(self, source: str, start: float, end: float) -> bool:
        """Whether there is one from `start` until before `end`."""
        return any(
            start <= boot.where("uptime", start - boot.offset).time < end
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
            sequence = boot.sequence("uptime", start - boot.offset)
            quiet, scale, shift = boot.quiet, boot.scale, boot.shift
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
                        is_late = time - reached > quiet and before[0] != 0
                        if is_late and before[0] == boot.id:
                            is_late = (time - reached) / (number - before[1]) > quiet
                        yield Counted(time, pulses * scale + shift, is_late)
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

    # its boots

    def _boots_of(self, source: str) -> list[BootReadings]:
        self._look_again()
        if source not in self._boots:
            self._boots[source] = self._read_boots(source)
        return self._boots[source]

    def _counters(self, source: str) -> Counters:
        self._look_again()
        if source not in self._heard:
            self._boots[source] = self._read_boots(source)
        return self._heard[source]

    def _look_again(self) -> None:
        version = self._connection.execute("pragma data_version").fetchone()[0]
        if version != self._version:
            self._boots.clear()
            self._heard.clear()
            self._version = version

    def _read_boots(self, source: str) -> list[BootReadings]:
        impulses = "impulses" if self._knows_impulses else "null"
        rows = self._connection.execute(
            f'select id, name, "offset", synchronised, {impulses} from boots where source = ?',  # noqa: S608  # a word of ours
            (source,),
        ).fetchall()
        (now,) = self._connection.execute("select impulses_per_unit from sources where source = ?", (source,)).fetchone() or (None,)
        heard: list[BootReadings] = []
        imported: list[BootReadings] = []
        for id_, name, known, is_sure, then in rows:
            found = self._read_boot(id_, name, known)
            if found is not None:
                scale = now / then if now and then and now != then and not found.is_imported else 1
                (imported if found.is_imported else heard).append(found._replace(name=name, is_sure=bool(is_sure), scale=scale))
        self._heard[source] = Counters(heard, []) if now == 0 else counted_on(heard)
        heard = self._heard[source].runs
        return [*self._lined_up(source, imported, min(heard, key=lambda boot: boot.start, default=None)), *heard]

    def _read_boot(self, id_: int, name: str, known: float | None) -> BootReadings | None:
        if known is None and imports.is_one(name):  # not all of it is there; to look for a wall time would be to read it all
            return None
        times = run_times.of(self._connection, id_, known)
        if times is None:
            return None
        quiet = known_seconds.UNKNOWN_SECONDS if known_seconds.are_counted_in(name) else QUIET_SECONDS
        return BootReadings(self._connection, id_, *times, imports.is_one(name), quiet)

    def _lined_up(self, source: str, imported: list[BootReadings], heard: BootReadings | None) -> Iterator[BootReadings]:
        """What was imported, each counting up to where what comes after it begins."""
        if not imported:
            return
        (unit, impulses) = self._connection.execute("select unit, impulses_per_unit from sources where source = ?", (source,)).fetchone()
        scale = impulses / imports.COUNTS_PER_UNIT[unit]
        reached = heard.at(heard.first).pulses if heard else 0
        for boot in sorted(imported, key=lambda each: each.start, reverse=True):
            scaled = boot._replace(scale=scale)
            first, last = (scaled.at(sequence).pulses for sequence in (boot.first, boot.last))
            yield scaled._replace(shift=reached - last)
            reached += first - last
