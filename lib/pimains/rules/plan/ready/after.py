"""On after another relay: once that has been on for a while, or once it has finished."""

from pimains.core.plan.sentences import duration
from pimains.rules.plan.answer import OFF, ON
from pimains.rules.plan.calendar import Now
from pimains.rules.plan.data import Data
from pimains.rules.plan.ready.turns import TICK_SECONDS
from pimains.rules.plan.relay_view import Relays, RelayView

_RUNS, _WAITS = "runs", "waits"  # asked again when that is over


class After:
    """`other` is that relay, `seconds` how long it has been on, or off again if it is to have `finished`.

    `most` is for how many seconds this one is on each day; None: as long as the other one lets it.
    """

    def __init__(self, other: int, finished: bool, seconds: float, most: float | None) -> None:
        self.other, self.finished, self.seconds, self.most = other, finished, seconds, most

    def rule(self, relay: RelayView, data: Data, relays: Relays, now: Now | None) -> tuple[str, str]:  # noqa: ARG002  # a rule's signature
        """ON or OFF, and why. Raises NotKnown."""
        other = relays[self.other]
        if self.most is not None:
            done = relay.seconds_on_today()
            relay.held(_RUNS, relay.on, self.most - done)
            if done >= self.most - TICK_SECONDS:
                return OFF, f"it ran for {duration(done)} today: FOR {duration(self.most)} is done"
        word, why, left = self._finished(other) if self.finished else self._on(other)
        relay.held(_WAITS, left > 0, left)
        return word, why

    def _on(self, other: RelayView) -> tuple[str, str, float]:
        seconds = other.on_for
        return (OFF, f"relay {self.other} is off", 0.0) if seconds is None else self._after(seconds, "has been on for {}")

    def _finished(self, other: RelayView) -> tuple[str, str, float]:
        if other.on:
            return OFF, f"relay {self.other} is on", 0.0
        if not other.switched_off_today():
            return OFF, f"relay {self.other} has not run today", 0.0
        return self._after(other.last_off or 0.0, "has finished {} ago")

    def _after(self, seconds: float, what: str) -> tuple[str, str, float]:
        """Also how long it waits still."""
        words, left = f"relay {self.other} {what.format(duration(seconds))}", self.seconds - seconds
        return (ON, words, 0.0) if left <= TICK_SECONDS else (OFF, f"{words}; it starts after {duration(self.seconds)}", left)
