"""A collector's journal for pictures of any length: all readings while they are few, counts and samples where they are many.

A picture of ten years of readings at 5 s has sixty million of them, and 2000 points. What a meter has counted is looked up where each
point begins and ends, and is exact. A value that is recorded has no sum to look up: it is sampled, each sample for as many seconds
in which it was known, which is what the sequence of such readings counts (shared/plan/known_seconds.py).
"""

import time
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from pimains.shared.readings.plan.energy import Meter
from pimains.shared.readings.plan.flow_steps import spread_seconds
from pimains.shared.readings.plan.gauge import HELD_SECONDS
from pimains.shared.readings.series.derived_series import DerivedSeries
from pimains.web.plan import curves
from pimains.web.plan.curves import Band, Grid, Part

READ_MAX = 80_000  # readings that are all looked at for a picture: four days at 5 s, and a fifth of a second here
SAMPLES = 40_000
SAMPLED_POINTS_MAX = 500  # of a band: each is the average of 80
_STEPS = 10_000  # of SQLite's machine, about a millisecond
_SAMPLES = """
with recursive looked (n) as (select ?2 union all select n + ?4 from looked where n + ?4 <= ?3)
select r.uptime + n - r.sequence, r.pulses from looked join readings as r on r.boot = ?1
and r.sequence = (select sequence from readings where boot = ?1 and sequence <= n order by sequence desc limit 1)
"""


class _Looked(NamedTuple):
    """At a time: what it had counted, when it was heard last before, and whether what was since is known."""

    counted: float | None
    heard: float
    is_known: bool


class HistorySeries(DerivedSeries):
    """As a DerivedSeries, which only looks. What takes longer than `within` allowed raises sqlite3.OperationalError."""

    def within(self, seconds: float) -> None:
        """From now on."""
        until = time.monotonic() + seconds
        self._connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS)

    def curve(self, meter: Meter, grid: Grid) -> tuple[list[float | None], bool]:
        """The average flow, or value, of each piece of the grid, and whether that was sampled."""
        if meter.parts:
            return curves.together([self._part(sign, part, grid) for sign, part in meter.parts]), False
        spare = HELD_SECONDS if meter.is_gauge else 2 * spread_seconds(meter)
        if not self._are_more(meter.source, grid.start - spare, grid.end + spare):
            return curves.of_readings(meter, self.readings(meter.source, grid.start - spare, grid.end + spare), grid), False
        if meter.is_gauge:
            return curves.of_samples(self._samples(meter.source, grid), grid), True
        return self._counted(meter, grid), False

    def bands(self, meter: Meter, grid: Grid) -> tuple[list[Band], bool]:
        """From when until when a relay was on, and whether that was sampled."""
        source, start, end = meter.source, grid.start - HELD_SECONDS, grid.end + HELD_SECONDS
        if not self._are_more(source, start, end) and (found := curves.bands(self.readings(source, start, end), grid)) is not None:
            return found, False
        coarse = grid._replace(points=min(grid.points, SAMPLED_POINTS_MAX))
        values, is_sampled = self.curve(meter, coarse)
        return curves.coarse_bands(values, coarse), is_sampled

    def _part(self, sign: int, part: Meter, grid: Grid) -> Part:
        first = self.first(part.source)
        begins = grid.points if first is None else int((first.time - grid.start) / grid.every)
        return Part(sign, self.curve(part, grid)[0], begins)

    def _are_more(self, source: str, start: float, end: float) -> bool:
        """Whether it has more readings in this time than are all looked at."""
        left = READ_MAX
        for boot in self._boots_of(source):
            if boot.start < end and boot.end >= start:
                first, last = boot.sequence("uptime", start - boot.offset), boot.sequence("uptime", end - boot.offset)
                (count,) = self._connection.execute(
                    "select count(*) from (select 1 from readings where boot = ? and sequence >= ? and sequence < ? limit ?)",
                    (boot.id, first, last, left + 1),
                ).fetchone()
                left -= count
                if left < 0:
                    return True
        return False

    def _samples(self, source: str, grid: Grid) -> Iterator[tuple[float, float]]:
        found = []
        for boot in self._boots_of(source):
            if boot.start < grid.end and boot.end >= grid.start:
                first, last = (boot.sequence("uptime", edge - boot.offset) for edge in (grid.start, grid.end))
                found.append((boot, first, min(last, boot.last)))
        every = max(1, sum(last - first for _, first, last in found) // SAMPLES)
        for boot, first, last in found:
            rows = self._connection.execute(_SAMPLES, (boot.id, first, last, every)).fetchall()
            yield from ((boot.offset + uptime, value) for uptime, value in rows)

    def _counted(self, meter: Meter, grid: Grid) -> list[float | None]:
        found = curves.Averages(grid)
        for begun, ended in self._stretches(meter.source):
            start, end = max(begun, grid.start), min(ended, grid.end)
            edges = [start, *(edge for edge in grid.edges() if start < edge < end), end] if start < end else []
            looked = [self._looked(meter.source, edge) for edge in edges]
            for (since, until), (before, after) in zip(pairwise(edges), pairwise(looked), strict=True):
                if before.counted is not None and after.counted is not None and self._was_known(meter.source, since, until, after):
                    found.add(since, until, meter.flow(max(0.0, after.counted - before.counted), until - since))
        return found.values()

    def _stretches(self, source: str) -> list[tuple[float, float]]:
        """From when until when its runs followed one another: between these nobody heard it."""
        found: list[tuple[float, float]] = []
        for boot in sorted(self._boots_of(source), key=lambda each: each.start):
            if found and boot.start - found[-1][1] <= boot.quiet:
                found[-1] = (found[-1][0], max(found[-1][1], boot.end))
            else:
                found.append((boot.start, boot.end))
        return found

    def _looked(self, source: str, time: float) -> _Looked:
        """As count_at, at a third of its price where one run alone knows of it: mostly one does."""
        boots = [boot for boot in self._boots_of(source) if boot.start <= time < boot.end]
        if len(boots) != 1:
            return _Looked(self.count_at(source, time), float("-inf"), is_known=False)
        (boot,) = boots
        sequence = boot.sequence("uptime", time - boot.offset, above=True)
        after, before = self._row(boot.id, ">=", sequence, "asc"), self._row(boot.id, "<", sequence, "desc")
        if after is None or before is None:  # it was thinned meanwhile
            return _Looked(self.count_at(source, time), float("-inf"), is_known=False)
        share = (time - boot.offset - before[1]) / (after[1] - before[1])
        count = boot.counted(before[2]) + share * (boot.counted(after[2]) - boot.counted(before[2]))
        return _Looked(count, boot.offset + before[1], after[1] - before[1] <= boot.quiet * (after[0] - before[0]))

    def _was_known(self, source: str, start: float, end: float, at_end: _Looked) -> bool:
        return start < end and (at_end.heard >= start or at_end.is_known or self._is_known(source, start, end))

    def _is_known(self, source: str, start: float, end: float) -> bool:
        """Whether it was heard in this time, or knows what was in it."""
        if start >= end:
            return False
        for boot in self._boots_of(source):
            if boot.start >= end or boot.end < start:
                continue
            sequence = boot.sequence("uptime", start - boot.offset)
            after = self._row(boot.id, ">=", sequence, "asc")
            if after is None or boot.offset + after[1] < end:
                return True
            before = self._row(boot.id, "<", sequence, "desc")
            if before is not None and after[1] - before[1] <= boot.quiet * (after[0] - before[0]):
                return True
        return False

    def _row(self, boot: int, side: str, sequence: int, way: str) -> tuple[int, float, float] | None:
        found: tuple[int, float, float] | None = self._connection.execute(
            f"select sequence, uptime, pulses from readings where boot = ? and sequence {side} ? order by sequence {way} limit 1",  # noqa: S608  # words of ours
            (boot, sequence),
        ).fetchone()
        return found
