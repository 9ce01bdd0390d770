"""Bringing a share up and down: hooks, units and the mount itself, in the order in which nothing hangs.

Each is a generator that yields what it waits for, may be closed at any moment, and can be begun again from the start.
"""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import NamedTuple, Protocol

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
_LOOK_AGAIN_SECONDS = 3.0  # for what is mounted already
_COMPLAIN_SECONDS = 15.0
_UNWELL_SECONDS = 60.0
_START_AGAIN_SECONDS = 2.0  # what could not mount because the server was not ready
_START_AGAIN_SECONDS_MAX = 60.0
_START_AGAIN_SHARE_OF_WAIT = 0.1
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 1.0


class Tell(Protocol):
    """Who gets the words for people."""

    def __call__(self, words: str, *, well: bool = True) -> None:
        """How it is now; `well` is whether nobody needs to look after it."""


class Share(NamedTuple):
    """What is brought up and down; `tell` gets the words for people at each step, `complain` what went wrong.

    `who_else_needs` names another client of this machine that needs a unit ("": none): the last one stops it.
    """

    place: Path
    marker: str
    units: list[str]
    hooks: Path | None
    by_force: bool
    clock: Clock
    programs: Programs
    detacher: Detacher
    tell: Tell
    complain: Callable[[str], None]
    who_else_needs: Callable[[str], str]
    unit_troubles: Troubles

    def come(self) -> Work:
        """Start what mounts, and wait until the marker is seen."""
        yield from self.run_hook("pre_mount")
        for unit in filter(mounts, self.units):
            yield from self.do_unit("start", unit)
        yield from self.until_seen()

    def use(self) -> Work:
        """Start what uses the share, which is there."""
        yield from self.run_hook("post_mount")
        units: dict[bool, list[str]] = {True: [], False: []}
        for unit in self.users():
            units[(yield from self.do_unit("start", unit))].append(unit)
        words = [(units[True], "started"), (units[False], "not started")]
        told = [f"{self.place} is mounted", *(f"{word}: {', '.join(which)}" for which, word in words if which)]
        self.tell("; ".join(told), well=not units[False])

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
        """Look until something is mounted and the marker is on it; what is mounted and does not answer is taken away first."""
        looks, began, troubles = 0, self.clock.monotonic(), Troubles(self.complain)
        start_again = began + _START_AGAIN_SECONDS
        what = f"{self.marker} on {self.place}" if self.marker else f"{self.place} to be mounted"
        while True:
            why, is_wrong, is_broken = "", False, False
            there = mount.mounted(self.place)
            patience = _LOOK_AGAIN_SECONDS if there else _LOOK_SECONDS
            try:
                found = yield from Forked(lambda: mount.look(self.place, self.marker)).wait(self.clock, patience)
                if found and mount.mounted(self.place):
                    return
                if found and found != str(self.place):
                    why, is_wrong = f"{self.place} is a link to {found}: put that into variables/MDRIVE", True
                elif found:
                    why = "nothing is mounted there" if self.marker else ""
                else:
                    why, is_broken = f"no answer within {patience:g} s", True
            except OSError as error:
                why, is_broken = (error.strerror or str(error)).lower(), error.errno not in mount.NOT_THERE
            waited = self.clock.monotonic() - began
            if is_wrong:
                troubles.look("share", why, kind="wrong")
            elif waited > _COMPLAIN_SECONDS:
                said = f" ({why})" if why else ""
                line = f"still no {self.marker or 'share'} on {self.place} after {_COMPLAIN_SECONDS:g} s{said}: see MDRIVE, MARKER, UNITS"
                troubles.look("share", line, kind="not there")
            words = why if is_wrong else f"waiting for {what} ({why})" if why else f"waiting for {what}"
            self.tell(words, well=not is_wrong and waited < _UNWELL_SECONDS)
            if is_broken and mount.mounted(self.place):
                yield from self.unmount(by_force=True)
                start_again = 0.0
            if self.clock.monotonic() >= start_again:
                yield from self.start_mounting_again()
                pause = max(_START_AGAIN_SECONDS, _START_AGAIN_SHARE_OF_WAIT * waited)
                start_again = self.clock.monotonic() + min(pause, _START_AGAIN_SECONDS_MAX)
            yield _pause(looks)
            looks += 1

    def start_mounting_again(self) -> Work:
        """Nothing has been mounted so far: a .mount unit that failed does not try again by itself. What runs goes on."""
        for unit in filter(mounts, self.units):
            try:
                yield from self.programs.unit("start", unit)
            except Failed as failed:
                self.unit_troubles.look(f"start {unit}", str(failed))

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
        """systemctl start or stop; what fails is said once, and the rest goes on. Returns whether it was done, or need not be."""
        if verb == "stop" and (other := self.who_else_needs(unit)):
            self.tell(f"{unit} goes on: {other} needs it")
            return True
        self.tell(f"{'starting' if verb == 'start' else 'stopping'} {unit}")
        try:
            yield from self.programs.unit(verb, unit)
        except Failed as failed:
            self.unit_troubles.look(f"{verb} {unit}", str(failed))
            return False
        self.unit_troubles.look(f"{verb} {unit}", "")
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
