"""Watts that are told every few seconds, made into a count of watt seconds: what a POWERPI sends.

Watts count for the time since they were told before. Where that is long ago nobody knows what was: a gap is no energy.
"""

import re
from typing import NamedTuple

from pimains.shared.plan import known_seconds
from pimains.shared.plan.known_seconds import Standing

PULSES_PER_KWH = 3_600_000.0
GAP_SECONDS = 60.0
CLOCK_SECONDS = 120.0  # a sender's clock that is wrong by more is not believed
WATTS_MAX = 1_000_000.0
_SAID = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?);([0-9]{1,12}(?:\.[0-9]{0,20})?(?:[eE][+-]?[0-9]{1,2})?)")


class Told(NamedTuple):
    """What was sent: seconds since 1970 by the sender's clock, and watts."""

    time: float
    watts: float


def read(text: str) -> Told:
    """`1795266300;350.5`, which may come from anybody. Raises ValueError with one line."""
    found = _SAID.fullmatch(text)
    if found is None or float(found[2]) > WATTS_MAX:
        raise ValueError(f"val: not TIME;WATTS, such as 1795266300;350, with 0 to {WATTS_MAX:.0f} W")
    return Told(float(found[1]), float(found[2]))


class WattSeconds:
    """The count of one sender, going on from where it stands. Times are uptimes of this machine, in seconds."""

    def __init__(self, standing: Standing | None, count: float) -> None:
        self.is_clock_wrong = False
        self._standing = standing
        self._count = count
        self._said: Told | None = None

    def told(self, said: Told, wall: float, uptime: float) -> Standing | None:
        """The next reading, from what came at `uptime`, when this machine's clock showed `wall`; None for what came before.

        Raises ValueError for what is older than the last one.
        """
        if self._said is not None and said.time == self._said.time:
            return None
        ahead = said.time - wall
        self.is_clock_wrong = abs(ahead) > CLOCK_SECONDS
        at = uptime if self.is_clock_wrong else uptime + ahead
        if self._standing is None:
            self._standing = Standing(1, at, round(self._count))
        else:
            sequence, before, _ = self._standing
            if at <= before:
                raise ValueError(f"val: {said.time:.0f} is not after the last one")
            seconds = at - before
            if seconds <= GAP_SECONDS:
                self._count += said.watts * seconds
                sequence = known_seconds.following(sequence, seconds)
            else:
                sequence += 1
            self._standing = Standing(sequence, at, round(self._count))
        self._said = said
        return self._standing
