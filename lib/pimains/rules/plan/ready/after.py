"""On after another relay: once that has been on for a while, or once it has finished."""

from pimains.core.plan.sentences import duration
from pimains.rules.plan.answer import OFF, ON
from pimains.rules.plan.calendar import Now
from pimains.rules.plan.data import Data
from pimains.rules.plan.relay_view import Relays, RelayView


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
            if done >= self.most:
                return OFF, f"it ran for {duration(done)} today: FOR {duration(self.most)} is done"
        return self._finished(other) if self.finished else self._on(other)

    def _on(self, other: RelayView) -> tuple[str, str]:
        seconds = other.on_for
        return (OFF, f"relay {self.other} is off") if seconds is None else self._after(seconds, "has been on for {}")

    def _finished(self, other: RelayView) -> tuple[str, str]:
        if other.on:
            return OFF, f"relay {self.other} is on"
        if not other.switched_off_today():
            return OFF, f"relay {self.other} has not run today"
        return self._after(other.last_off or 0.0, "has finished {} ago")

    def _after(self, seconds: float, what: str) -> tuple[str, str]:
        words = f"relay {self.other} {what.format(duration(seconds))}"
        return (ON, words) if seconds >= self.seconds else (OFF, f"{words}; it starts after {duration(self.seconds)}")
