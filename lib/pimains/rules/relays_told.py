"""What relays tells of its relays: /run/pimains/relays/<n>.history is written with each switching and each word of a person's."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from pimains.core import clock as clocks
from pimains.core import paths, state
from pimains.core.errors import WrongSetting
from pimains.rules.off_times import OffTimes
from pimains.shared.relays import relay_settings, said
from pimains.shared.relays.plan.relay import Limits

_HISTORY = ".history"
_SETTINGS = "settings"


class RelaysTold:
    """All relays, as a child's rules are to be given them; an object that has not changed is the same as before."""

    def __init__(self, off_times: OffTimes, top: Path | None = None) -> None:
        self.top = top or paths.run() / said.SERVICE
        self._off_times = off_times
        self.relays: dict[int, dict[str, Any]] = {}
        self.offset: float | None = None  # of the time that never jumps, from this boot's monotonic clock; None: relays does not run
        self._limits: dict[int, dict[str, Any]] = {}
        self._stamps: dict[int, tuple[object, ...]] = {}
        self.hears_others = False  # something was written there when it was last looked
        self._watch: state.Watch | None = None

    @property
    def watch(self) -> state.Watch | None:
        """What to wait for; None while relays never ran in this boot."""
        if self._watch is None:
            with suppress(OSError):
                self._watch = state.Watch(self.top)
        return self._watch

    def changed(self) -> set[int]:
        """The relays of which something is new; never waits."""
        watch = self.watch
        names = watch.changed() if watch else set()
        if "." in names and self._watch:
            self._watch.close()
            self._watch = None
            return self.look()
        numbers = {name.removesuffix(_HISTORY) for name in names if name.endswith(_HISTORY)}
        self.hears_others = bool(names)
        return {int(number) for number in numbers if relay_settings.is_number(number) and self._look_at(int(number))}

    def look(self) -> set[int]:
        """Read all anew that is there; the relays of which something is new, or that are gone."""
        there: set[int] = set()
        _ = self.watch  # before it is read: nothing that comes amid this is missed
        with suppress(OSError):
            names = [name.removesuffix(_HISTORY) for name in os.listdir(self.top) if name.endswith(_HISTORY)]
            there = {int(name) for name in names if relay_settings.is_number(name)}
        directory = Path(state.read(self.top / _SETTINGS) or "/")
        for number in there:
            self._limits[number] = _limits(directory / str(number)) or self._limits.get(number, {})
        return {number for number in there | set(self.relays) if self._look_at(number)}

    def _look_at(self, number: int) -> bool:
        """Whether something is new."""
        text = state.read(self.top / f"{number}{_HISTORY}")
        if text is None:
            self._limits.pop(number, None)
            return self.relays.pop(number, None) is not None
        if number not in self._limits:
            self._limits[number] = _limits(Path(state.read(self.top / _SETTINGS) or "/") / str(number)) or {}
        stamp = text, self._limits[number]
        if number in self.relays and self._stamps.get(number) == stamp:
            return False
        with suppress(ValueError, TypeError, KeyError):
            kept: dict[str, Any] = json.loads(text)
            if kept["boot"] == clocks.boot_id():
                self.offset = float(kept["time"]) - float(kept["monotonic"])
                self.relays[number] = {"limits": self._limits[number], "kept": self._in_real_time(kept)}
                self._stamps[number] = stamp
                return True
        return False

    def look_anew(self) -> None:
        """How long the machine was off is known only now."""
        self._stamps.clear()
        self.look()

    def _in_real_time(self, kept: dict[str, Any]) -> dict[str, Any]:
        real = self._off_times.real
        by_rule = kept.get("closed_by_rule_at")
        return {
            **kept,
            "opened_at": real(kept["opened_at"]),
            "runs": [(real(begin), None if end is None else real(end), unseen) for begin, end, unseen in kept["runs"]],
            "closed_by_rule_at": None if by_rule is None else real(by_rule),
        }

    def is_on(self, number: int) -> bool:
        """Whether its contact is closed."""
        runs = self.relays[number]["kept"]["runs"]
        return bool(runs) and runs[-1][1] is None

    def close(self) -> None:
        """Watch nothing more."""
        if self._watch is not None:
            self._watch.close()


def _limits(directory: Path) -> dict[str, Any] | None:
    """What a rule may know of its settings; None while they are not to be read, or wrong: those of before hold."""
    try:
        limits: Limits = relay_settings.read(directory).limits
    except WrongSetting:
        return None
    names = ("name", "min_on", "min_off", "max_on_per_day", "max_switches_per_day", "priority", "group", "watts")
    return {name: getattr(limits, name) for name in names}
