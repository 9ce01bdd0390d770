"""On while more power is there than is used: a cloud does not end it, a gap between clouds does not begin it."""

from pimains.core.plan.sentences import duration
from pimains.rules.plan.answer import OFF, ON
from pimains.rules.plan.calendar import Now
from pimains.rules.plan.data import Data
from pimains.rules.plan.not_known import NotKnown
from pimains.rules.plan.ready import turns
from pimains.rules.plan.ready.readings import Charge, number
from pimains.rules.plan.relay_view import Relays, RelayView

_ENOUGH, _TOO_LITTLE = "enough", "too little"


class Surplus:
    """`value` is the name of the surplus in W, negative while power is bought or the battery gives it; `is_import`: the other way round.

    While its own load is on, what that draws is added back; so is what those of lower PRIORITY take of the same surplus. A battery below
    its least charge is no surplus.
    """

    def __init__(
        self,
        value: str,
        start_watts: float,
        start_seconds: float,
        stop_watts: float | None,
        stop_seconds: float,
        charge: Charge,
        is_import: bool = False,
    ) -> None:
        self.value = value
        self.sign = -1.0 if is_import else 1.0
        self.start_watts, self.start_seconds = start_watts, start_seconds
        self.stop_watts = start_watts if stop_watts is None else stop_watts
        self.stop_seconds = stop_seconds
        self.charge = charge
        self._of = f"on surplus of {value}"  # the timer by which others see that this relay gives way

    def rule(self, relay: RelayView, data: Data, relays: Relays, now: Now | None) -> tuple[str, str]:  # noqa: ARG002  # a rule's signature
        """ON or OFF, and why."""
        try:
            reading = number(data, self.value)
            lacking = self.charge.lacking(data)
        except NotKnown:
            relay.held(_ENOUGH, False)  # what was before a gap counts no more
            relay.held(_TOO_LITTLE, False)
            turns.not_ready(relay)
            raise
        others, who = turns.giving_way(relay, relays, self._of)
        own = relay.drawn
        watts = self.sign * reading + own + others
        added = [f"the {own:.0f} W of its own load added back"] if own else []
        added += [f"the {others:.0f} W of relay {who}, which gives way, added"] if others else []
        words = f"{watts:.0f} W of surplus" + (f" with {' and '.join(added)}" if added else "")
        relay.held(self._of, relay.on)
        if relay.on:
            relay.held(_ENOUGH, False)
            return self._while_on(relay, relays, watts, words, lacking, reading.age)
        relay.held(_TOO_LITTLE, False)
        return self._while_off(relay, relays, watts, words, lacking, reading.age)

    def _while_on(self, relay: RelayView, relays: Relays, watts: float, words: str, lacking: str, age: float) -> tuple[str, str]:
        is_lost = bool(lacking) or watts < self.stop_watts
        seconds = relay.held(_TOO_LITTLE, is_lost, self.stop_seconds)
        if not is_lost:
            turns.not_ready(relay)
            return ON, words
        words = lacking or f"{words}, less than {self.stop_watts:g} W"
        if seconds < self.stop_seconds - turns.TICK_SECONDS:
            turns.not_ready(relay)
            return ON, f"{turns.lasted(words, seconds)}; it stops after {duration(self.stop_seconds)}"
        waits = turns.what_ends_first(relay, relays, age)
        return (ON, f"{words}; {waits}") if waits else (OFF, turns.lasted(words, seconds))

    def _while_off(self, relay: RelayView, relays: Relays, watts: float, words: str, lacking: str, age: float) -> tuple[str, str]:
        is_there = not lacking and watts >= self.start_watts
        seconds = relay.held(_ENOUGH, is_there, self.start_seconds)
        if not is_there:
            turns.not_ready(relay)
            return OFF, lacking or f"{words}, less than {self.start_watts:g} W"
        if seconds < self.start_seconds - turns.TICK_SECONDS:
            turns.not_ready(relay)
            return OFF, f"{turns.lasted(words, seconds)}; it starts after {duration(self.start_seconds)}"
        waits = turns.what_begins_first(relay, relays, self.start_seconds, age)
        return (OFF, f"{words}; {waits}") if waits else (ON, turns.lasted(words, seconds))
