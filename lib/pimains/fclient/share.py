"""Bringing a share up and down: hooks, units and the mount itself, in the order in which nothing hangs.

Each is a generator that yields what it waits for, may be closed at any moment, and can be begun again from the start.
"""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import NamedTuple

from pimains.core.clock import Clock
from pimains.core.naps import Nap, Readable, seconds
from pimains.core.plan import back_off
from pimains.core.process.function import Forked
from pimains.core.process.program import Failed, Programs
from pimains.core.troubles import Troubles
from pimains.fclient.forced_unmount import Detacher
from pimains.shared.fileserver import mount

Work = Generator[Nap, tuple[Readable, ...], None]

_LOOK_SECONDS = 5.0  # for a touch of the share; an automounter mounts within it
_COMPLAIN_SECONDS = 15.0
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 1.0


class Share(NamedTuple):
    """What is brought up and down; `tell` gets the words for people at each step, `complain` what went wrong."""

    place: Path
    marker: str
    units: list[str]
    hooks: Path | None
    by_force: bool
    clock: Clock
    programs: Programs
    detacher: Detacher
    tell: Callable[[str], None]
    complain: Callable[[str], None]

    def come(self) -> Generator[Nap, tuple[Readable, ...], str]:
        """Start what mounts, wait until the marker is seen, start what uses the share; returns what came of that, in words."""
        yield from self.run_hook("pre_mount")
        for unit in filter(mounts, self.units):
            yield from self.do_unit("start", unit)
        yield from self.until_seen()
        yield from self.run_hook("post_mount")
        units: dict[bool, list[str]] = {True: [], False: []}
        for unit in self.users():
            units[(yield from self.do_unit("start", unit))].append(unit)
        words = [(units[True], "started"), (units[False], "not started")]
        return "; ".join([f"{self.place} is mounted", *(f"{word}: {', '.join(which)}" for which, word in words if which)])

    def quiet(self) -> Work:
        """Stop what uses the share."""
        for unit in reversed(self.users()):
            yield from self.do_unit("stop", unit)

    def leave(self) -> Work:
        """While the server is there, and once it is quiet: unmount it, stop what mounts."""
        yield from self.run_hook("pre_unmount")
        yield from self.unmount(by_force=False)
        yield from self.stop_mounting()
        yield from self.run_hook("post_unmount")

    def give_up(self) -> Work:
        """When the server is gone: unmount by force and stop what mounts, because whatever touches the share hangs; then the rest.

        An automounter that still runs would try to mount it again for the first who looks, and have him wait for the server.
        """
        yield from self.unmount(by_force=True)
        yield from self.stop_mounting()
        yield from self.quiet()
        yield from self.run_hook("post_unmount")

    def users(self) -> list[str]:
        """The units that use the share."""
        return [unit for unit in self.units if not mounts(unit)]

    def until_seen(self) -> Work:
        """Look until something is mounted and the marker is on it."""
        looks, began, troubles = 0, self.clock.monotonic(), Troubles(self.complain)
        what = f"{self.marker} on {self.place}" if self.marker else f"{self.place} to be mounted"
        while True:
            why = ""
            try:
                if (yield from Forked(lambda: mount.look(self.place, self.marker)).wait(self.clock, _LOOK_SECONDS)) is None:
                    why = f" (no answer within {_LOOK_SECONDS:g} s)"
                elif mount.mounted(self.place):
                    return
            except OSError as error:
                why = f" ({(error.strerror or str(error)).lower()})"
            if self.clock.monotonic() - began > _COMPLAIN_SECONDS:
                line = f"still no {self.marker or 'share'} on {self.place} after {_COMPLAIN_SECONDS:g} s{why}: see MDRIVE, MARKER, UNITS"
                troubles.look("share", line, kind="not there")
            self.tell(f"waiting for {what}{why}")
            yield _pause(looks)
            looks += 1

    def stop_mounting(self) -> Work:
        """Stop what mounts, and take away what it has mounted once more in between."""
        for unit in reversed([unit for unit in self.units if mounts(unit)]):
            yield from self.do_unit("stop", unit)
        yield from self.unmount(by_force=True)

    def unmount(self, *, by_force: bool) -> Work:
        """Take away what is mounted. Without force a busy share is waited for, unless FORCE_UMOUNT is set."""
        tries = 0
        while there := mount.mounted(self.place) if by_force else mount.last_mounted(self.place):
            why = yield from self.detacher.detach(there.place, by_force=by_force)
            if not why:
                self.tell(f"{there.source} is unmounted from {there.place}{' by force' if by_force else ''}")
            elif by_force and mount.mounted(self.place) is None:
                self.tell(f"{there.source} is unmounted from {self.place} by force; the kernel is still tidying up")
            elif by_force:
                self.complain(f"{self.place} could not be unmounted by force: {why}")
                return
            elif self.by_force:
                by_force = True
            else:
                holders = ", ".join(mount.holders(there.place)) or "nobody who can be seen"
                self.tell(f"waiting to unmount {there.place}: {why}, kept by {holders}")
                yield _pause(tries)
                tries += 1

    def do_unit(self, verb: str, unit: str) -> Generator[Nap, tuple[Readable, ...], bool]:
        """systemctl start or stop; what fails is said, and the rest goes on. Returns whether it was done."""
        self.tell(f"{'starting' if verb == 'start' else 'stopping'} {unit}")
        try:
            yield from self.programs.unit(verb, unit)
        except Failed as failed:
            self.complain(str(failed))
            return False
        return True

    def run_hook(self, name: str) -> Work:
        """An executable of the administrator's, if there is one; what fails is said, and the rest goes on."""
        try:
            yield from self.programs.hook(self.hooks, name)
        except Failed as failed:
            self.complain(str(failed))


def _pause(tries: int) -> Nap:
    return seconds(back_off.wait_seconds(tries, first=_FIRST_PAUSE_SECONDS, longest=_LONGEST_PAUSE_SECONDS, growth=1.5))


def mounts(unit: str) -> bool:
    """Whether a unit mounts the share, so that it has to be started before and stopped after it is used."""
    name, _, suffix = unit.rpartition(".")
    return (name or unit) == "autofs" or suffix in ("mount", "automount")
