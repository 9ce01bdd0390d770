"""How much flowed in which time, from counted pulses: steps whose sum is exactly what was counted.

A pulse says that its amount flowed since the pulse before. Where that is long ago, it is drawn over the last while only,
and nothing before it: a load that was off all night is drawn as off.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pimains.shared.readings.plan.energy import Meter

_WATTS_SEEN = 5.0
_M3_SECONDS = 3600.0


class Counted(NamedTuple):
    """A reading: `time` in seconds since 1970; `after_gap`: nobody knows what was between it and the one before.

    `pulses` may be below 0 in what was imported.
    """

    time: float
    pulses: float
    after_gap: bool


class Step(NamedTuple):
    """So much flowed, in the meter's flow unit, since the step before until `end`; None: not known."""

    end: float
    flow: float | None


class Reached(NamedTuple):
    """Until where all is decided, at which count, and the time of the last reading that was looked at."""

    decided: float
    pulses: float
    seen: float


def spread_seconds(meter: Meter) -> float:
    """The longest time that one pulse is drawn over: that of 5 W, or an hour of gas or water; a minute at least, two hours at most."""
    return min(7200.0, max(60.0, 3_600_000 / (meter.impulses_per_unit * _WATTS_SEEN))) if meter.unit == "kWh" else _M3_SECONDS


class Steps:
    """The steps that readings decide, going on where `reached` says; when all of them were asked for, it says how far that went."""

    def __init__(self, meter: Meter, reached: Reached | None) -> None:
        self.reached = reached
        self._meter = meter

    def of(self, readings: Iterable[Counted]) -> Iterator[Step]:
        """In the order of time. There may be millions: what is known is in plain names here."""
        spread = spread_seconds(self._meter)
        decided, counted, seen = self.reached or (0.0, 0, float("-inf"))
        begun = self.reached is not None
        for time, pulses, after_gap in readings:
            if time <= seen:
                continue
            if not begun:
                begun, decided, counted = True, time, pulses
            elif pulses == counted and not after_gap:
                if time - decided > 2 * spread:
                    decided = time - spread
                    yield Step(decided, 0.0)
            elif after_gap or pulses < counted:
                if seen > decided:
                    yield Step(seen, 0.0)
                yield Step(time, None)
                decided, counted = time, pulses
            else:
                since = min(max(decided, time - spread), max(seen, decided))
                if since > decided:
                    yield Step(since, 0.0)
                yield Step(time, self._meter.flow(pulses - counted, time - since))
                decided, counted = time, pulses
            seen = time
        if begun:
            self.reached = Reached(decided, counted, seen)
