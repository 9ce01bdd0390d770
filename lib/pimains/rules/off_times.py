"""How long this machine was off: the time of relays stands still meanwhile, and the calendar does not.

Each is known by the wall clock before and after it, so it waits until that was set, and what was written down last before a power cut, at
most six hours earlier, will do.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

from pimains.core import clock as clocks
from pimains.core import state
from pimains.core.instance import Instance

_NAME = "off-times"
_SAVE_SECONDS = 6 * 3600.0
_SHORTEST_SECONDS = 60.0
_LONGEST_SECONDS = 366 * 86400.0
_REMEMBERED_SECONDS = 2 * 86400.0
_WHAT_THEN = "what relays did before this boot counts as if it had been off for no time"


class _Kept(NamedTuple):
    boot: str
    time: float
    wall: float
    off: tuple[tuple[float, float], ...]  # when a boot began, by the time of relays, and how long the machine had been off


class OffTimes:
    """Those of the last two days."""

    def __init__(self, kept: _Kept | None) -> None:
        self._kept = kept
        self._saved_at = kept.time if kept else 0.0

    def look(self, time: float, monotonic: float, wall: float) -> bool:
        """It is so late, by all clocks, and the wall clock was set; whether the machine was off before this boot, as is known only now."""
        boot, off, found = clocks.boot_id(), self._kept.off if self._kept else (), False
        if self._kept and self._kept.boot != boot:
            seconds = wall - self._kept.wall - (time - self._kept.time)
            found = _SHORTEST_SECONDS < seconds < _LONGEST_SECONDS
            off = (*off, (time - monotonic, seconds)) if found else off
        off = tuple(each for each in off if each[0] > time - _REMEMBERED_SECONDS)
        self._kept = _Kept(boot, time, wall, off)
        return found

    def real(self, time: float) -> float:
        """When, as if that time had gone on while the machine was off, something was that it did at `time`."""
        return time - sum(seconds for boot_at, seconds in self._kept.off if time < boot_at) if self._kept else time

    def save(self, me: Instance, *, at_once: bool = False) -> None:
        """For the next boot."""
        if self._kept and (at_once or self._kept.time > self._saved_at + _SAVE_SECONDS):
            self._saved_at = self._kept.time
            me.keep(_NAME, json.dumps(self._kept._asdict()), durable=True)


def kept(me: Instance) -> OffTimes:
    """As the service has kept them."""
    return OffTimes(me.kept(_NAME, _parsed, _WHAT_THEN))


def recalled(lib: Path) -> OffTimes:
    """As a service has kept them in its directory, for who only looks on."""
    try:
        return OffTimes(_parsed(state.read(lib / _NAME) or ""))
    except (ValueError, TypeError, KeyError):
        return OffTimes(None)


def _parsed(text: str) -> _Kept:
    found: dict[str, Any] = json.loads(text)
    off = tuple((float(at), float(seconds)) for at, seconds in found["off"])
    return _Kept(str(found["boot"]), float(found["time"]), float(found["wall"]), off)
