"""Values that are looked at now and then, as readings: a row when one changes, and what is between them is known or is not.

A value holds until the next reading. Where it was not known, the sequence of readings says so (shared/plan/known_seconds.py).
"""

from collections.abc import Iterable, Iterator

from pimains.shared.plan import known_seconds
from pimains.shared.plan.known_seconds import Standing
from pimains.shared.readings.plan.energy import Meter
from pimains.shared.readings.plan.flow_steps import Counted, Reached, Step

AGAIN_SECONDS = 120.0  # one that does not change is noted as often as this
HELD_SECONDS = 600.0  # what is known now was noted, and is noted again, within less


class Gauge:
    """What is to be noted of one value, going on after `noted`. Times are uptimes, in seconds."""

    def __init__(self, noted: Standing | None) -> None:
        self._noted = noted
        self._is_known = False
        self._known_at = 0.0

    def looked(self, uptime: float, value: float | None) -> list[Standing]:
        """The readings that are new, now that it is `value`; None: it is not known."""
        found: list[Standing] = []
        if value is None:
            if self._is_known and self._noted and self._known_at > self._noted.uptime:
                found.append(self._next(self._known_at, self._noted.pulses))
            self._is_known = False
            return found
        if not self._is_known or self._noted is None:
            found.append(self._begin(uptime, value))
        elif value != self._noted.pulses or uptime - self._noted.uptime >= AGAIN_SECONDS:
            found.append(self._next(uptime, value))
        self._is_known, self._known_at = True, uptime
        return found

    def _begin(self, uptime: float, value: float) -> Standing:
        self._noted = Standing(self._noted.sequence + 1 if self._noted else 1, uptime, value)
        return self._noted

    def _next(self, uptime: float, value: float) -> Standing:
        assert self._noted is not None  # noqa: S101  # a run has begun
        self._noted = Standing(known_seconds.following(self._noted.sequence, uptime - self._noted.uptime), uptime, value)
        return self._noted


class GaugeSteps:
    """The steps that a gauge's readings decide, as flow_steps.Steps has those of a count."""

    def __init__(self, _: Meter, reached: Reached | None) -> None:
        self.reached = reached

    def of(self, readings: Iterable[Counted]) -> Iterator[Step]:
        """In the order of time: a value until the next reading, None where it is not known."""
        for time, value, after_gap in readings:
            if self.reached is not None:
                if time <= self.reached.seen:
                    continue
                yield Step(time, None if after_gap else self.reached.pulses)
            self.reached = Reached(time, value, time)


def averaged(readings: Iterable[Counted], start: float, end: float, every: float) -> Iterator[tuple[float, float]]:
    """What a gauge's readings were on average, from `start` until `end`, in pieces of `every` seconds: when each begins, and its value.

    Only the time counts in which it was known; a piece of which nothing is known is left out.
    """
    number, edge, seconds, total = 0, start + every, 0.0, 0.0
    for begun, until, value in _held(readings, start, end):
        since = begun
        while since < until:
            if since >= edge:
                if seconds > 0:
                    yield start + number * every, total / seconds
                number = max(number + 1, int((since - start) // every))
                edge, seconds, total = start + (number + 1) * every, 0.0, 0.0
                continue
            piece = min(until, edge) - since
            seconds, total, since = seconds + piece, total + piece * value, min(until, edge)
    if seconds > 0:
        yield start + number * every, total / seconds


def _held(readings: Iterable[Counted], start: float, end: float) -> Iterator[tuple[float, float, float]]:
    """From when until when it was which value."""
    before: Counted | None = None
    for each in readings:
        if before is not None and not each.after_gap and max(before.time, start) < min(each.time, end):
            yield max(before.time, start), min(each.time, end), before.pulses
        before = each
