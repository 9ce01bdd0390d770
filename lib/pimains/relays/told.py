"""What is told of each relay: /run/pimains/relays/<n>.state .mode .reason .next .switches .watts, one value each."""

from datetime import datetime

from pimains.core.instance import Instance
from pimains.core.plan.sentences import clock_was_set
from pimains.shared.relays.plan.board import Verdict
from pimains.shared.relays.plan.relay import Relay
from pimains.shared.relays.told_files import ANY_TIME, NAMES, NOT_KNOWN

_PAST = 0.0
_SECONDS = 0.25  # between two reasons of a relay that stays as it is: a rule may change its mind a hundred times a second


class Told:
    """Written when it changes; what is seen of contacts at once, reasons a moment later."""

    def __init__(self, me: Instance) -> None:
        self._me = me
        self._said: dict[str, tuple[object, ...]] = {}
        self._texts: dict[str, str] = {}
        self._next_at: dict[str, float] = {}

    def tell(self, relay: Relay, verdict: Verdict, mode: str, switches: int, now: float) -> float | None:
        """How it stands at `now`, by the time of the board; returns when to call again, None if all is told."""
        next_change = verdict.next_change
        if next_change is not None:  # when something past was is no news, and two looks at the clock are never one
            next_change = round(next_change) if next_change > now else _PAST
        said = (verdict._replace(next_change=next_change), mode, switches, relay.limits.watts)
        before = self._said.get(relay.number)
        if said == before:
            return None
        if before and before[1:3] == said[1:3] and isinstance(before[0], Verdict) and before[0].is_on == verdict.is_on:
            due = self._next_at.get(relay.number, 0.0)
            if now < due:
                return due
        self._said[relay.number], self._next_at[relay.number] = said, now + _SECONDS
        self._leave(relay.number, "watts", f"{relay.limits.watts if verdict.is_on else 0:g}")
        self._leave(relay.number, "mode", mode)
        self._leave(relay.number, "switches", str(switches))
        self._leave(relay.number, "reason", verdict.reason)
        self._leave(relay.number, "next", self._when(verdict.next_change, now))
        self._leave(relay.number, "state", "on" if verdict.is_on else "off")  # last: who sees it sees the others
        return None

    def fault(self, number: str, why: str) -> None:
        """It cannot be switched."""
        self._said.pop(number, None)
        self._leave(number, "reason", why)
        for name in ("state", "watts", "next"):
            self._leave(number, name, None)

    def forget(self, number: str) -> None:
        """It is no more."""
        self._said.pop(number, None)
        for name in NAMES:
            self._leave(number, name, None)

    def _leave(self, number: str, name: str, text: str | None) -> None:
        name = f"{number}.{name}"
        if text is None:
            self._texts.pop(name, None)
            self._me.leave(name, None)
        elif self._texts.get(name) != text:
            self._texts[name] = text
            self._me.leave(name, text)

    def _when(self, at: float | None, now: float) -> str:
        if at is None:
            return NOT_KNOWN
        if at <= now:
            return ANY_TIME
        wall = self._me.clock.wall()
        if not clock_was_set(wall):
            return f"{self._me.clock.monotonic() + at - now:.0f} s after the boot"
        return datetime.fromtimestamp(wall + at - now).astimezone().isoformat(timespec="seconds")
