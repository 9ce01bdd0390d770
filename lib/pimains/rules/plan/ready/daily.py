"""So many minutes each day, when there is surplus; what is missing at the latest time is done in one go."""

from pimains.core.plan.sentences import duration
from pimains.rules.plan.answer import KEEP, OFF, ON
from pimains.rules.plan.calendar import Now
from pimains.rules.plan.data import Data
from pimains.rules.plan.not_known import NotKnown
from pimains.rules.plan.ready.day_spans import Moment
from pimains.rules.plan.ready.floating import Floating
from pimains.rules.plan.ready.surplus import Surplus
from pimains.rules.plan.ready.turns import TICK_SECONDS
from pimains.rules.plan.relay_view import Relays, RelayView

_RUNS = "runs"  # asked again when they are done
_MARGIN_MINUTES = 1.0  # a rule is asked once a minute where nothing else changes


class Daily:
    """`minutes` from `first` to `last`, while `when` says ON (None: at any time), in at most `runs`, of which the last goes on to the end.

    `must`: what is missing is done at the latest time at which it still fits.
    """

    def __init__(self, minutes: float, first: Moment, last: Moment, when: Surplus | Floating | None, must: bool, runs: int) -> None:
        self.minutes, self.first, self.last, self.when, self.must, self.runs = minutes, first, last, when, must, runs

    def rule(self, relay: RelayView, data: Data, relays: Relays, now: Now | None) -> tuple[str, str]:
        """ON, OFF or KEEP, and why."""
        if now is None:
            return KEEP, "the clock was not set yet"
        done = relay.seconds_on_today()
        left = self.minutes * 60 - done
        relay.held(_RUNS, relay.on, left)
        if left <= TICK_SECONDS:
            return OFF, f"it ran for {duration(done)} today: MINUTES {self.minutes:g} are done"
        minutes, end = now.minutes, self.last.on(now)
        missing = f"{duration(left)} are missing today"
        if not self.first.on(now) <= minutes < end:
            return OFF, f"{missing}, from {self.first} to {self.last}"
        runs = relay.starts_today()
        if relay.on and runs >= self.runs:
            return ON, f"{missing}, and this run goes on until they are done"
        if self.must and minutes >= end - left / 60 - _MARGIN_MINUTES:
            return ON, f"{missing}, and they just fit before {self.last}"
        if not relay.on and runs >= self.runs:
            return OFF, f"{missing}, after {runs} of RUNS {self.runs}"
        return self._when(missing, relay, data, relays, now)

    def _when(self, missing: str, relay: RelayView, data: Data, relays: Relays, now: Now) -> tuple[str, str]:
        if self.when is None:
            return ON, missing
        try:
            word, why = self.when.rule(relay, data, relays, now)
        except NotKnown as unknown:
            if not self.must:
                raise
            word, why = OFF, str(unknown)  # it is done in the end, whatever the surplus is
        return word, f"{missing}; {why}"
