"""Bringing up this server's own drive: hooks, the wait until it is mounted, and the units that use it."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pimains.core.instance import Instance
from pimains.core.naps import Naps, seconds
from pimains.core.process.function import Forked
from pimains.core.process.program import Failed, Programs
from pimains.shared import halt_request
from pimains.shared.fileserver import mount

_LOOK_SECONDS = 2.0
_UNWELL_SECONDS = 60.0
_PROGRAM_SECONDS_MAX = 60.0


class Drive(NamedTuple):
    """Where it is mounted (None: this server has none), what starts once it is, and the administrator's programs around that."""

    me: Instance
    place: Path | None
    units: list[str]
    hooks: Path | None

    def come(self) -> Naps:
        """Wait until it is mounted, then start what uses it; not while this machine is about to halt, which unmounts it."""
        while halt_request.pending():
            self.me.status("closed: this machine is about to halt")
            yield seconds(_LOOK_SECONDS)
        programs = Programs(self.me.clock, _PROGRAM_SECONDS_MAX, {"MDRIVE": str(self.place or "")})
        yield from self._try(lambda: programs.hook(self.hooks, "pre_mount"))
        if self.place:
            yield from self._until_mounted(self.place)
        yield from self._try(lambda: programs.hook(self.hooks, "post_mount"))
        for unit in self.units:
            yield from self._try(lambda unit=unit: programs.unit("start", unit))  # type: ignore[misc]  # mypy knows no default of a lambda

    def _until_mounted(self, place: Path) -> Naps:
        """Clients that come earlier would mount an empty directory."""
        began = self.me.clock.monotonic()
        while True:
            there = None
            with suppress(OSError):  # what counts is the kernel's list
                there = yield from Forked(lambda: mount.look(place, "")).wait(self.me.clock, _LOOK_SECONDS)
            if mount.mounted(place):
                return
            if there and there != str(place):
                self.me.status(f"{place} is a link to {there}: put that into variables/MDRIVE", well=False)
            else:
                is_well = self.me.clock.monotonic() - began < _UNWELL_SECONDS
                self.me.status(f"waiting until {place} is mounted", well=is_well)
            yield seconds(_LOOK_SECONDS)

    def _try(self, begin: Callable[[], Naps]) -> Naps:
        """What fails is said, and the rest goes on."""
        try:
            yield from begin()
        except Failed as failed:
            self.me.complain(str(failed))
