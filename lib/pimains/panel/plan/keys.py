"""What keys do: each press is a step of its relay's mode, and some time after the last one what was chosen is to be said.

Nothing is chosen for good before: a mode that somebody else changes meanwhile holds, and a relay that is back where it was is left alone.
"""

from collections.abc import Collection
from typing import NamedTuple

SETTLE_SECONDS = 2.0  # after the last press
_TAKEN_UP_SECONDS = 1.0  # a mode that was said is told by then, or not at all
RELEASED_SECONDS = 0.05  # a contact that bounces when it is let go is not pressed again
_NEXT = {"auto": "on", "on": "off", "off": "auto"}


class Presses:
    """Which keys of a board were pressed anew, however long they are held; what is held when it begins was not."""

    def __init__(self) -> None:
        self._seen_down: dict[int, float] | None = None

    def forget(self) -> None:
        """Nobody knows what has become of the keys meanwhile."""
        self._seen_down = None

    def feed(self, down: Collection[int], now: float) -> list[int]:
        """The keys of those that are `down` which were not until now."""
        if self._seen_down is None:
            self._seen_down = dict.fromkeys(down, now)
            return []
        if not down and not self._seen_down:
            return []
        pressed = [key for key in down if key not in self._seen_down]
        held = {key: at for key, at in self._seen_down.items() if now - at < RELEASED_SECONDS}
        self._seen_down = held | dict.fromkeys(down, now)
        return sorted(pressed)


class Chosen(NamedTuple):
    """A mode for a relay, in the place of one; `said` is what its file said then."""

    mode: str
    before: str
    said: object


class Choices:
    """What was chosen by keys and is not said yet, or not taken up, by the numbers of relays."""

    def __init__(self) -> None:
        self._chosen: dict[str, Chosen] = {}
        self._saying: dict[str, tuple[str, float]] = {}
        self._due_at = 0.0

    def step(self, relay: str, mode: str, said: object, now: float) -> None:
        """Its key was pressed while it had this `mode`, and its file said `said`."""
        chosen = self._chosen.get(relay) or Chosen(mode, mode, said)
        self._chosen[relay] = chosen._replace(mode=_NEXT[chosen.mode])
        self._due_at = now + SETTLE_SECONDS

    def mode(self, relay: str, told: str | None, now: float) -> str | None:
        """The one that was chosen for it, or just said; else the one that is `told`."""
        chosen = self._chosen.get(relay)
        return chosen.mode if chosen else self._in_effect(relay, told, now)

    def look(self, relay: str, told: str | None, said: object, now: float) -> bool:
        """Forget what was chosen for it if another mode is told by now, or its file says something else; whether that is so."""
        chosen = self._chosen.get(relay)
        if chosen is None or (self._in_effect(relay, told, now), said) == (chosen.before, chosen.said):
            return False
        del self._chosen[relay]
        return True

    def _in_effect(self, relay: str, told: str | None, now: float) -> str | None:
        mode, until = self._saying.get(relay, (told, now))
        if told == mode or now >= until:
            self._saying.pop(relay, None)
            return told
        return mode

    @property
    def due_at(self) -> float | None:
        """When it is to be said; None while nothing is chosen."""
        return self._due_at if self._chosen else None

    @property
    def relays(self) -> list[str]:
        """Those for which something is chosen."""
        return list(self._chosen)

    def take(self, now: float) -> dict[str, str]:
        """The modes that are to be said now, if they are others than before."""
        found = {relay: chosen.mode for relay, chosen in self._chosen.items() if chosen.mode != chosen.before}
        self._chosen.clear()
        self._saying |= {relay: (mode, now + _TAKEN_UP_SECONDS) for relay, mode in found.items()}
        return found
