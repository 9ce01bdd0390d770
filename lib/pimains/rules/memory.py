"""What rules has to know after a restart: timers, how chargers were before, and which of all instances have told something.

Below /run at once, below /var/lib within ten minutes: a timer that was started or stopped in the last of them before a power cut is as
it was before.
"""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from pimains.core import state
from pimains.core.instance import Instance

_NAME = "memory"
_SAVE_SECONDS = 600.0
_WHAT_THEN = "all timers count as never started"
Timers = dict[str, tuple[float, float]]
Chargers = dict[str, list[tuple[float | str | None, float]]]


def recalled(run: Path) -> tuple[dict[int, Timers], frozenset[str], Chargers]:
    """What was known in this boot, as a service has left it in its directory `run`; nothing where none has."""
    with suppress(ValueError, TypeError, KeyError):
        text = state.read(run / _NAME) or ""
        chargers = {name: [(value, float(at)) for value, at in past] for name, past in json.loads(text)["chargers"].items()}
        return *_parsed(text), chargers
    return {}, frozenset(), {}


class Memory:
    """The timers of each relay's rule, and the `parts` of sums over all instances; of `chargers` what they said, by this boot's clock."""

    def __init__(self, me: Instance) -> None:
        self._me = me
        self.timers, self.parts, self.chargers = recalled(me.run)
        if not (me.run / _NAME).exists() and (kept := me.kept(_NAME, _parsed, _WHAT_THEN)):
            self.timers, self.parts = kept
        self._saved = self._text()
        self._save_at: float | None = None

    def set_timers(self, number: int, timers: Timers) -> None:
        """They are so from now on; {} where there are none, or no rule any more."""
        if timers != self.timers.get(number, {}):
            self.timers[number] = timers
            if not timers:
                del self.timers[number]
            self._changed()

    def set_parts(self, parts: set[str]) -> None:
        """These have told something once."""
        if parts != self.parts:
            self.parts = frozenset(parts)
            self._changed()

    def chargers_changed(self) -> None:
        """One of `chargers` is in another state; that is of no use after a reboot."""
        self._leave()

    def _leave(self) -> None:
        self._me.leave(_NAME, json.dumps({**self._kept(), "chargers": self.chargers}))

    def _changed(self) -> None:
        self._leave()
        if self._save_at is None:
            self._save_at = self._me.clock.monotonic() + _SAVE_SECONDS

    def seconds_to_wait(self) -> float:
        """Until it is to be saved."""
        return 1e6 if self._save_at is None else max(0.0, self._save_at - self._me.clock.monotonic())

    def save_if_due(self) -> None:
        """Within ten minutes."""
        if self.seconds_to_wait() == 0.0:
            self.save()

    def save(self) -> None:
        """For after a reboot."""
        self._save_at = None
        if (text := self._text()) != self._saved:
            self._me.keep(_NAME, text, durable=True)
            self._saved = text

    def _kept(self) -> dict[str, Any]:
        return {"timers": self.timers, "parts": sorted(self.parts)}

    def _text(self) -> str:
        return json.dumps(self._kept())


def _parsed(text: str) -> tuple[dict[int, Timers], frozenset[str]]:
    found: dict[str, Any] = json.loads(text)
    timers = {
        int(number): {str(name): (float(at), float(seconds)) for name, (at, seconds) in timers.items()}
        for number, timers in found["timers"].items()
    }
    return timers, frozenset(map(str, found["parts"]))
