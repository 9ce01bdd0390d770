"""What counted pulses mean: totals, amounts, how much flows, and in which days, months and years."""

from datetime import datetime, timedelta
from typing import NamedTuple

from pimains.shared.plan.delivery import RegisterReading
from pimains.shared.plan.point import Point

RISES_SECONDS = 60.0
QUIET_SECONDS = 600  # who was not heard for longer is not known to draw anything
KINDS = ("day", "month", "year")


class Meter(NamedTuple):
    """One source: how it counts. `unit` is kWh or m3; `register` is what its register showed at some count, and `before` what it showed
    at lesser ones, the least first: each holds from its count on until the next one's. `faces_from` has of each of them, the register's
    last, the time before which it did not hold though the count was the same: that of another meter.

    One that does not count is a gauge: its `impulses_per_unit` is 0, its readings are values in any unit, or in none.
    `edition` changes with what is known of its past without being heard of it: when something is imported.
    `parts` are the sources that it is the sum of, each with 1 or, where it is taken away, -1; it has no readings of its own then.
    """

    source: str
    unit: str
    impulses_per_unit: float
    register: RegisterReading | None
    edition: int = 0
    parts: "tuple[tuple[int, Meter], ...]" = ()
    before: tuple[RegisterReading, ...] = ()
    faces_from: tuple[float, ...] = ()

    @property
    def is_gauge(self) -> bool:
        """Whether its readings are values instead of counts."""
        return self.impulses_per_unit == 0

    def amount(self, pulses: float) -> float:
        """So many pulses, in units."""
        return pulses / self.impulses_per_unit

    def total(self, pulses: float, time: float = float("inf")) -> float:
        """What its register shows at this count, in units; at what `time` it was says more where that stood still."""
        if self.register is None:
            return self.amount(pulses)
        known = (*self.before, self.register)
        begun = zip(reversed(known), reversed(self.faces_from or (float("-inf"),) * len(known)), strict=True)
        face = next((each for each, since in begun if each.pulses < pulses or (each.pulses == pulses and since <= time)), known[0])
        return face.total + self.amount(pulses - face.pulses)

    def flow(self, pulses: float, seconds: float) -> float:
        """So many pulses in so much time: W, or m3 per hour."""
        per_hour = self.amount(pulses) * 3600 / seconds
        return per_hour * 1000 if self.unit == "kWh" else per_hour

    @property
    def flow_unit(self) -> str:
        """What `flow` is in."""
        return self.unit if self.is_gauge else "W" if self.unit == "kWh" else "m3/h"


class Flow(NamedTuple):
    """How much flows; `is_bound`: it is at most that."""

    value: float
    is_bound: bool


class Rises(NamedTuple):
    """Readings in which the count had risen: the last one, the one before it, and one a minute earlier, or the first of all.

    `still` is the time of the last reading before `rose`: from `risen` until then no pulse came.
    """

    earlier: Point
    risen: Point
    still: float
    rose: Point


def flow_now(meter: Meter, rises: Rises | None, last: Point, now: float) -> Flow | None:
    """How much flows, judged by when the count rose, and by the last reading of all.

    While no pulse comes, it is at most one pulse in the time since the last one. None when nothing is known.
    """
    if rises is None or now - last.time > QUIET_SECONDS or rises.rose.time <= rises.risen.time:
        return None
    flow = _lately(meter, rises)
    since = last.time - rises.rose.time
    bound = meter.flow(1, since) if since > 0 else flow
    return Flow(bound, is_bound=True) if bound < flow else Flow(flow, is_bound=False)


def _lately(meter: Meter, rises: Rises) -> float:
    """The flow of the last minute, as far as the last few pulses allow it.

    Readings are seconds apart: two or three pulses from one to the next are the same load. But when it changes, what was a
    minute ago is no measure any more.
    """
    earlier, risen, still, rose = rises
    came, seconds = rose.pulses - risen.pulses, rose.time - risen.time
    at_most = meter.flow(came + 1, seconds)
    if came == 1 and still > risen.time:
        at_most = min(at_most, meter.flow(1, still - risen.time))
    of_minute = meter.flow(rose.pulses - earlier.pulses, rose.time - earlier.time)
    return min(max(of_minute, meter.flow(came - 1, seconds)), at_most)


class Period(NamedTuple):
    """A day, month or year: seconds since 1970, `end` is the next one's start."""

    label: str
    start: float
    end: float


def periods(kind: str, now: float, count: int) -> list[Period]:
    """The last `count` days, months or years of local time, the one of `now` at the end."""
    start = _start(kind, datetime.fromtimestamp(now))
    found: list[Period] = []
    end = _next(kind, start)
    for _ in range(count):
        found.append(Period(start.strftime(_LABELS[kind]), start.timestamp(), end.timestamp()))
        start, end = _start(kind, start - timedelta(days=1)), start
    return found[::-1]


def period_of(kind: str, time: float) -> Period:
    """The day, month or year of local time that `time` is in."""
    return periods(kind, time, 1)[0]


def day_before(time: float) -> float:
    """When the clock on the wall showed the same a day before."""
    return (datetime.fromtimestamp(time) - timedelta(days=1)).timestamp()


_LABELS = {"day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}


def _start(kind: str, at: datetime) -> datetime:
    at = at.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if kind == "day":
        return at
    return at.replace(day=1) if kind == "month" else at.replace(month=1, day=1)


def _next(kind: str, start: datetime) -> datetime:
    days = {"day": 1, "month": 32, "year": 367}[kind]
    return _start(kind, start + timedelta(days=days))
