"""On while the charger of an isolated system holds back: its battery is full, and what the panels could give more is not used."""

from pimains.core.plan.sentences import duration
from pimains.rules.plan.answer import OFF, ON
from pimains.rules.plan.calendar import Now
from pimains.rules.plan.data import Data
from pimains.rules.plan.not_known import NotKnown
from pimains.rules.plan.ready import turns
from pimains.rules.plan.ready.readings import Charge, number
from pimains.rules.plan.relay_view import Relays, RelayView

_FULL, _DRAINED = "full", "drained"


class Floating:
    """By the charger's state, and by the battery's power, called `value` where it is watched: in W, negative while it gives."""

    def __init__(
        self,
        only_float: bool,
        within: float,
        value: str,
        may_give: float,
        start_seconds: float,
        stop_seconds: float,
        charge: Charge,
    ) -> None:
        self.only_float, self.within = only_float, within
        self.state = "in float" if only_float else "in absorption or float"
        self.value, self.may_give = value, may_give
        self.start_seconds, self.stop_seconds = start_seconds, stop_seconds
        self.charge = charge

    def rule(self, relay: RelayView, data: Data, relays: Relays, now: Now | None) -> tuple[str, str]:  # noqa: ARG002  # a rule's signature
        """ON or OFF, and why."""
        try:
            is_full = relay.floating(self.within) if self.only_float else relay.absorbing_or_floating(self.within)
            drained, age = self._drained(data)
            drained = self.charge.lacking(data) or drained
        except NotKnown:
            relay.held(_FULL, False)  # what was before a gap counts no more
            relay.held(_DRAINED, False)
            turns.not_ready(relay)
            raise
        words = f"the charger is {'' if is_full else 'not '}{self.state}"
        relay.held(_FULL if relay.on else _DRAINED, False)
        if not is_full:
            return self._not_full(relay, words)
        return (self._while_on if relay.on else self._while_off)(relay, relays, words, drained, age)

    def _drained(self, data: Data) -> tuple[str, float]:
        """That the battery gives too much, '' if it does not, and how old that is. Raises NotKnown."""
        if not self.value:
            return "", 0.0
        power = number(data, self.value)
        return "" if power >= -self.may_give else f"the battery gives {-power:.0f} W", power.age

    def _not_full(self, relay: RelayView, words: str) -> tuple[str, str]:
        relay.held(_FULL, False)
        relay.held(_DRAINED, False)
        turns.not_ready(relay)
        return OFF, words

    def _while_on(self, relay: RelayView, relays: Relays, words: str, drained: str, age: float) -> tuple[str, str]:
        seconds = relay.held(_DRAINED, drained, self.stop_seconds)
        if not drained:
            turns.not_ready(relay)
            return ON, words
        words = f"{words}, but {drained}"
        if seconds < self.stop_seconds - turns.TICK_SECONDS:
            turns.not_ready(relay)
            return ON, f"{turns.lasted(words, seconds)}; it stops after {duration(self.stop_seconds)}"
        waits = turns.what_ends_first(relay, relays, age)
        return (ON, f"{words}; {waits}") if waits else (OFF, turns.lasted(drained, seconds))

    def _while_off(self, relay: RelayView, relays: Relays, words: str, drained: str, age: float) -> tuple[str, str]:
        seconds = relay.held(_FULL, not drained, self.start_seconds)
        if drained:
            turns.not_ready(relay)
            return OFF, f"{words}, but {drained}"
        words = turns.lasted(words, seconds)
        if seconds < self.start_seconds - turns.TICK_SECONDS:
            turns.not_ready(relay)
            return OFF, f"{words}; it starts after {duration(self.start_seconds)}"
        waits = turns.what_begins_first(relay, relays, self.start_seconds, age)
        return (OFF, f"{words}; {waits}") if waits else (ON, words)
