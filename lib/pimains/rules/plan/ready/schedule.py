"""On at some times of some days."""

from pimains.rules.plan.answer import KEEP, OFF, ON
from pimains.rules.plan.calendar import Now
from pimains.rules.plan.data import Data
from pimains.rules.plan.ready.day_spans import Span
from pimains.rules.plan.relay_view import Relays, RelayView


class Schedule:
    """The `times`, on `days` (1 is Monday) of `months`; a span over midnight is of the day on which it begins."""

    def __init__(self, times: tuple[Span, ...], days: frozenset[int], months: frozenset[int]) -> None:
        self.times, self.days, self.months = times, days, months
        self.words = " ".join(str(each) for each in times)

    def rule(self, relay: RelayView, data: Data, relays: Relays, now: Now | None) -> tuple[str, str]:  # noqa: ARG002  # a rule's signature
        """ON, OFF or KEEP, and why."""
        if now is None:
            return KEEP, "the clock was not set yet"
        if now.month not in self.months:
            return OFF, "it is not in this month's schedule"
        today, before = now.weekday in self.days, (now.weekday - 2) % 7 + 1 in self.days
        for span in self.times:
            if span.holds(now, today, before):
                return ON, f"it is scheduled {span}"
        return OFF, f"it is scheduled {self.words}" if today else "it is not scheduled on this day of the week"
