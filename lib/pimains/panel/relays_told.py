"""What is told of the relays that have a key, heard as soon as it is written, and what is said to them.

/etc/pimains/relays/<n>/NAME            what it switches
/run/pimains/relays/<n>.state .mode .watts  how it is, as long as the service relays has told
/var/lib/pimains/relays/<n>.mode        what people say of it: keys, too
"""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pimains.core import paths, state
from pimains.panel.plan.face import Shown
from pimains.shared.relays import relay_settings, said
from pimains.shared.relays.said import MODE, Said

_LOOK_SECONDS = 1.0
_STOPPED = "stopped"  # what the status of a service says that was stopped
_WORDS = ("off", "auto", "on")


class RelaysTold:
    """Relays of these `numbers`, with their settings below `settings`."""

    def __init__(self, settings: Path, numbers: Iterable[str]) -> None:
        self._settings = settings
        self._run, self._lib = (place / said.SERVICE for place in (paths.run(), paths.lib()))
        self._numbers = [*numbers]
        self._watch: state.Watch | None = None
        self.look_at = 0.0  # when to hear though nothing was told
        self.shown: dict[str, Shown] = {}  # those that there are
        self.trouble = ""

    @property
    def files(self) -> tuple[state.Watch, ...]:
        """What to wait for."""
        return () if self._watch is None else (self._watch,)

    def hear(self, now: float) -> set[str]:
        """The relays of which something else may be told by now."""
        changed = self._watch.changed() if self._watch else set()
        if now >= self.look_at or any(name.endswith(".") or name.isdecimal() for name in changed):
            self.look_at = now + _LOOK_SECONDS if self._begin_to_watch() else float("inf")
            changed = {f"{number}." for number in self._numbers}
        if not changed:
            return set()
        self.trouble = self._what_is_wrong()
        touched = {name.replace("/", ".").partition(".")[0] for name in changed} & {*self._numbers}
        for number in touched:
            if (told := self._told(number)) is not None:
                self.shown[number] = told
            else:
                self.shown.pop(number, None)
        return touched

    def said(self, number: str) -> Said | None:
        """What was last said to it."""
        return said.read(self._mode_file(number))

    def say(self, number: str, mode: str) -> None:
        """Say that it is to have another mode. Raises OSError."""
        said.write(self._mode_file(number), mode)

    def close(self) -> None:
        """Hear nothing more."""
        if self._watch:
            self._watch.close()
            self._watch = None

    def _mode_file(self, number: str) -> Path:
        return self._lib / f"{number}.{MODE}"

    def _begin_to_watch(self) -> bool:
        """Whether something that is to be watched is not there yet."""
        self.close()
        try:
            self._watch = state.Watch(self._settings, new_directories=True)
            for number in self._numbers:
                with suppress(OSError):  # there is none of this number
                    self._watch.also(self._settings / number, f"{number}/")
            self._watch.also(self._run, "")
            self._watch.also(self._lib, "")
        except OSError:
            return True
        return False

    def _what_is_wrong(self) -> str:
        if self._watch is None:
            return f"{self._settings}: no such directory"
        status = state.read(self._run / "status")
        if status is None:
            return "there is no service relays here (create_service --service_name=relays --add-service)"
        return "the service relays is stopped: what keys say waits for it" if status == _STOPPED else ""

    def _told(self, number: str) -> Shown | None:
        if not (self._settings / number).is_dir():
            return None
        is_on, mode, watts = (state.read(self._run / f"{number}.{what}") for what in ("state", "mode", "watts"))
        word = (mode or "").partition(" ")[0]
        name = relay_settings.name(self._settings / number)
        return Shown(name, is_on == "on" if is_on else None, word if word in _WORDS else None, watts)
