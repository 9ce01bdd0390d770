"""The state files of all instances below /run/pimains, as far as rules ask for them: `vedirect.bmv/SOC`, or `*/PPV` of all.

Each is read when it changes; when it was written anew with what it said already, it is as old as that.
"""

import math
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pimains.core import paths, state
from pimains.core.clock import Clock
from pimains.core.plan.text import one_line

_NAME = re.compile(r"([A-Za-z0-9_+@-][A-Za-z0-9_.+@-]{0,80})/([A-Za-z0-9_+-][A-Za-z0-9_.+-]{0,80})")
_WORDS_LONGEST = 200
_ALL = "*/"
_OWN = "rules"
_CHARGER = "/CS"
_CHARGER_PAST = 20
Value = float | str | None


class Values:
    """Those that were asked for: what they say, and when they said so by the monotonic clock; lost `lost_after` seconds later."""

    def __init__(
        self, clock: Clock, lost_after: float, parts: Iterable[str], chargers: dict[str, list[tuple[Value, float]]], top: Path | None = None
    ) -> None:
        self.known: dict[str, tuple[Value, float]] = {}
        self._clock, self._lost_after = clock, lost_after
        self._top = top or paths.run()
        self._wanted: set[str] = set()
        self._ends: set[str] = set()
        self._watched: dict[str, int] = {}
        self._watch: state.Watch | None = None
        self._missed = set(parts)
        self.chargers: dict[str, list[tuple[Value, float]]] = chargers  # what each of them said before, the oldest first
        self.hears_others = False  # what nobody asks for was written when it was last looked

    @property
    def parts(self) -> set[str]:
        """Of what was asked of all instances: those that have told it, and are missed when they do not."""
        return self._missed | {name for name in self.known if f"/{name.partition('/')[2]}" in self._ends}

    def fileno(self) -> int:
        """For poll."""
        return self._watching().fileno()

    def want(self, names: Iterable[str]) -> bool:
        """Rules ask for these, too; whether one of them is known, and was not before."""
        new = {name for name in names if name not in self._wanted and (name.startswith(_ALL) or _NAME.fullmatch(name))}
        self._wanted |= new
        ends = {name[1:] for name in new if name.startswith(_ALL)} - self._ends
        self._ends |= ends
        before = set(self.known)
        for name in new:
            if not name.startswith(_ALL):
                self._see(name.partition("/")[0])
                self._read(name, is_news=False)
        if ends:
            self._look_for_parts()
        return self.known.keys() != before

    def keep_only(self, names: Iterable[Iterable[str]]) -> None:
        """Nobody asks for others any more: a rule may ask for another name each time."""
        gone = {name for name in self._wanted.difference(*names) if not name.startswith(_ALL)}
        self._wanted -= gone
        for name in gone:
            if f"/{name.partition('/')[2]}" not in self._ends:
                self.known.pop(name, None)
                self.chargers.pop(name, None)

    def changed(self) -> set[str]:
        """The names of those that say something else than before, or say something again; never waits."""
        found: set[str] = set()
        names = self._watching().changed()
        for name in names:
            instance, _, value = name.partition("/")
            if not value:
                found |= self._look_at(instance)
            elif value == ".":
                self._watched.pop(instance, None)
                found |= self._forget(instance)
            elif name in self._wanted or f"/{value}" in self._ends:
                found |= {name} if self._read(name, is_news=True) else set()
        self.hears_others = bool(names) and not found
        return found

    def look_again(self) -> None:
        """At directories and files that came without a word."""
        for name in self._wanted:
            if not name.startswith(_ALL):
                self._see(name.partition("/")[0])
                if name not in self.known:
                    self._read(name, is_news=False)
        if self._ends:
            self._look_for_parts()

    def _watching(self) -> state.Watch:
        if self._watch is None:
            self._watch = state.Watch(self._top, new_directories=True)
        return self._watch

    def _look_at(self, instance: str) -> set[str]:
        """A directory is new, or gone."""
        wanted = {name for name in self._wanted | set(self.known) if name.startswith(f"{instance}/")}
        if not wanted and not self._ends:
            return set()
        if not (self._top / instance).is_dir():
            return self._forget(instance)
        self._see(instance)
        found = {name for name in wanted if self._read(name, is_news=True)}
        if self._ends:
            before = dict(self.known)
            self._look_for_parts()
            found |= {name for name in self.known if name not in before}
        return found

    def _see(self, instance: str) -> None:
        with suppress(OSError):  # it is not there
            inode = (self._top / instance).stat().st_ino
            if self._watched.get(instance) != inode:
                self._watching().also(self._top / instance, f"{instance}/")
                self._watched[instance] = inode

    def _look_for_parts(self) -> None:
        with suppress(OSError):
            for instance in os.listdir(self._top):
                if instance == _OWN or not (self._top / instance).is_dir():
                    continue
                self._see(instance)
                for end in self._ends:
                    name = instance + end
                    if name not in self.known and _NAME.fullmatch(name) and (self._top / name).exists():
                        self._read(name, is_news=False)
        for name in self._missed:
            instance, _, value = name.partition("/")
            is_there = (self._top / instance).is_dir() or (paths.lib() / instance).is_dir()
            if f"/{value}" in self._ends and name not in self.known and is_there:
                self.known[name] = None, self._clock.monotonic()

    def _read(self, name: str, *, is_news: bool) -> bool:
        """Whether it says something else than before."""
        path = self._top / name
        text = state.read(path)
        now = self._clock.monotonic()
        value = None if text is None else _parsed(text)
        before = self.known.get(name)
        if value is None and before is None:
            return False
        self.known[name] = value, now if is_news or value is None else now - self._age(path, now)
        if name.endswith(_CHARGER) and before is not None and before[0] != value:
            self.chargers[name] = [*self.chargers.get(name, []), before][-_CHARGER_PAST:]
        return before is None or before[0] != value or now - before[1] > self._lost_after

    def _age(self, path: Path, now: float) -> float:
        """By a wall clock that may have been set since: at most since the boot."""
        age = state.age(path, self._clock.wall())
        return now if age is None else min(age, now)

    def _forget(self, instance: str) -> set[str]:
        """It is no more, and nobody misses what it said."""
        gone = {name for name in self.known if name.startswith(f"{instance}/")}
        for name in gone:
            del self.known[name]
            self.chargers.pop(name, None)
        self._missed -= gone
        return gone

    def close(self) -> None:
        """Watch nothing more."""
        if self._watch is not None:
            self._watch.close()


def _parsed(text: str) -> Value:
    number = state.number(text)
    if number is not None and math.isfinite(number):
        return number
    return one_line(text, _WORDS_LONGEST) or None
