"""How a source went over time, for a picture: averages of pieces of the same length, and from when until when a relay was on."""

from collections.abc import Iterable, Iterator
from itertools import chain, pairwise
from typing import NamedTuple

from pimains.shared.readings.plan.energy import Meter
from pimains.shared.readings.plan.flow_steps import Counted, Steps
from pimains.shared.readings.plan.gauge import GaugeSteps

POINTS_MAX = 2000
BANDS_MAX = 1000
_DIGITS = 6


class Grid(NamedTuple):
    """`points` pieces of the same length from `start` until `end`, seconds since 1970."""

    start: float
    end: float
    points: int

    @property
    def every(self) -> float:
        """How many seconds a piece has."""
        return (self.end - self.start) / self.points

    def edges(self) -> list[float]:
        """Where pieces begin and end, one more than there are."""
        return [*(self.start + number * self.every for number in range(self.points)), self.end]


class Band(NamedTuple):
    """From `start` until `end` a relay was on for this share of the time: 1 is on, 0 is off."""

    start: float
    end: float
    share: float


class Averages:
    """The average of each piece, of what was in which time; a piece of which nothing is known has none."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._seconds = [0.0] * grid.points
        self._sums = [0.0] * grid.points

    def add(self, start: float, end: float, value: float) -> None:
        """From `start` until `end` it was `value`."""
        grid_start, every, most = self._grid.start, self._grid.every, self._grid.points - 1
        since, end = max(start, grid_start), min(end, self._grid.end)
        number = min(int((since - grid_start) / every), most) if since < end else 0
        while since < end:
            edge = grid_start + (number + 1) * every if number < most else end
            until = min(end, edge)
            if until > since:
                self._seconds[number] += until - since
                self._sums[number] += (until - since) * value
                since = until
            number += 1

    def values(self) -> list[float | None]:
        """One for each piece."""
        return [rounded(total / seconds) if seconds else None for total, seconds in zip(self._sums, self._seconds, strict=True)]


def rounded(value: float) -> float:
    """What a picture and a table need of it."""
    return float(f"{value:.{_DIGITS}g}")


def of_readings(meter: Meter, readings: Iterable[Counted], grid: Grid) -> list[float | None]:
    """Each piece's average flow, or value of a gauge; `readings` begin before the grid and end after it, where there are such.

    Since the last pulse no more than one more can have flowed: that is drawn until its meter was last heard.
    """
    found, told = Averages(grid), iter(readings)
    first = next(told, None)
    if first is None:
        return found.values()
    steps = GaugeSteps(meter, None) if meter.is_gauge else Steps(meter, None)
    since, last = first.time, None
    for end, flow in steps.of(chain((first,), told)):
        if flow is not None:
            found.add(since, end, flow)
        since, last = end, flow
    reached = steps.reached
    if last and reached is not None and not meter.is_gauge and reached.seen > reached.decided:
        found.add(reached.decided, reached.seen, min(last, meter.flow(1, reached.seen - reached.decided)))
    return found.values()


def of_samples(samples: Iterable[tuple[float, float]], grid: Grid) -> list[float | None]:
    """The same of a gauge, by values (time, value) that each stand for as long."""
    sums, counts = [0.0] * grid.points, [0] * grid.points
    for time, value in samples:
        if grid.start <= time < grid.end:
            number = min(int((time - grid.start) / grid.every), grid.points - 1)
            sums[number] += value
            counts[number] += 1
    return [rounded(total / count) if count else None for total, count in zip(sums, counts, strict=True)]


class Part(NamedTuple):
    """Of a sum of sources: its sign, its curve, and in which piece it has its first reading: before, it was nothing."""

    sign: int
    values: list[float | None]
    begins: int


def together(parts: list[Part]) -> list[float | None]:
    """The sum, where all that have begun are known."""
    found: list[float | None] = []
    for number in range(len(parts[0].values)):
        begun = [(part.sign, part.values[number]) for part in parts if part.begins <= number]
        known = [sign * value for sign, value in begun if value is not None]
        found.append(rounded(sum(known)) if begun and len(known) == len(begun) else None)
    return found


def bands(readings: Iterable[Counted], grid: Grid) -> list[Band] | None:
    """From when until when it was on and off, as it was; None where that is more than a picture can show."""
    found: list[Band] = []
    for begun, until, value in _held(readings):
        start, end = max(begun, grid.start), min(until, grid.end)
        if start >= end:
            continue
        if found and found[-1].share == value and found[-1].end >= start:
            found[-1] = found[-1]._replace(end=end)
        elif len(found) == BANDS_MAX:
            return None
        else:
            found.append(Band(start, end, value))
    return found


def coarse_bands(values: list[float | None], grid: Grid) -> list[Band]:
    """The same by pieces of which each was on for a share of the time."""
    found: list[Band] = []
    for (start, end), value in zip(pairwise(grid.edges()), values, strict=True):
        if value is None:
            continue
        if found and found[-1].share == value and found[-1].end == start:
            found[-1] = found[-1]._replace(end=end)
        else:
            found.append(Band(start, end, value))
    return found


def on_and_known_seconds(shown: list[Band]) -> tuple[float, float]:
    """How long it was on, and of how long that is known."""
    return sum((band.end - band.start) * band.share for band in shown), sum(band.end - band.start for band in shown)


def _held(readings: Iterable[Counted]) -> Iterator[tuple[float, float, float]]:
    before: Counted | None = None
    for each in readings:
        if before is not None and not each.after_gap:
            yield before.time, each.time, min(1.0, max(0.0, before.pulses))
        before = each
