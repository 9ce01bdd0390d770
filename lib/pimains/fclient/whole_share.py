"""The share with all that stands on it (units, screens, a backup, the ledger): brought up as a whole, and taken down in order or by force.

Each is a generator that yields what it waits for, may be closed at any moment, and can be begun again from the start.
"""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from pimains.core.ledger_beside import LedgerNote
from pimains.core.process.program import Programs
from pimains.core.service import Instance
from pimains.core.troubles import Troubles
from pimains.fclient.forced_unmount import Detacher
from pimains.fclient.holds import Holds
from pimains.fclient.looking import Looking
from pimains.fclient.settings import FclientSettings
from pimains.fclient.share import Share, Tell, Work, mounts
from pimains.shared.backup.child import BackupChild
from pimains.shared.fileserver import mount
from pimains.shared.fileserver.last_error import LastError
from pimains.shared.screens.status import HostStatus


class WholeShare:
    """Of one client; `tell` gets the words for people at each step, `now_at` has the addresses at which its server is now."""

    def __init__(self, me: Instance, settings: FclientSettings, tell: Tell, now_at: Callable[[], set[str]]) -> None:
        self._me, self._now_at = me, now_at
        self.holds = Holds(me.name)
        self.error = LastError(me, adopts=not settings.exposed())
        programs = Programs(me.clock, settings.STEP_SECONDS_MAX, {"MDRIVE": str(settings.MDRIVE)})
        self.share = Share(
            settings.MDRIVE,
            settings.MARKER,
            settings.UNITS,
            settings.HOOKS,
            settings.FORCE_UMOUNT,
            me.clock,
            programs,
            Detacher(me.clock),
            tell,
            self.error.complain,
            self.holds.who_else_needs,
            Troubles(self.error.complain),
        )
        self.looking = Looking(me.clock, settings.MDRIVE, settings.MARKER)
        self.backup = BackupChild(me, wanted=bool(settings.BACKUP))
        self._screens = HostStatus(settings)
        self._mounted_at: set[str] = set()  # the server's addresses when the share was mounted

    def take_down_what_was_set_before(self) -> Work:
        """MDRIVE or UNITS were edited while the share was up: what was up goes down first."""
        place, units = self.holds.what()
        if place and (place, units) != (str(self.share.place), self.share.units):
            print(f"MDRIVE or UNITS were edited: {place} is left first")
            before = self.share._replace(place=Path(place), units=units, by_force=True)
            self.holds.needs_no_units()
            yield from before.quiet()
            yield from before.leave()
            self.holds.end()

    def come(self, cause: str, is_well: Callable[[], bool]) -> Work:
        """Bring everything up; `is_well` is asked once all units are there."""
        self.holds.begin(self.share.place, self.share.units)
        yield from self._note("mounted", cause).written()
        yield from self.share.come()
        self._mounted_at = self._now_at()
        self.looking.begin()
        yield from self.share.use()
        if is_well():
            self.error.is_over()
        self._screens.on()
        self.backup.begin(cause)

    def moved(self, peer: str) -> str:
        """Why what is mounted is none of the server's, who is at `peer` by now; "" as long as nothing speaks for that."""
        if not self.looking or not peer or peer in self._mounted_at:
            return ""
        there = mount.mounted(self.share.place)
        now_at = self._now_at()
        if not there or there.address not in self._mounted_at or there.address in now_at:
            self._mounted_at |= now_at
            return ""
        return f"it is from {there.address}, and the server is at {peer} now"

    def leave_in_order(self, reason: str) -> Work:
        """Take everything down, what uses the share first."""
        self.backup.ask_to_stop()
        self.share.detacher.stand_by()
        yield from self._note("unmounted", reason).written()
        yield from self.backup.stop()
        self.holds.needs_no_units()
        yield from self.share.quiet()
        yield from self.share.leave()
        self.looking.close()

    def take_away(self, cause: str) -> Work:
        """Take the share away before anything hangs, then the rest."""
        self.looking.close()
        self.backup.abandon()
        yield from self.share.unmount(by_force=True)
        self.holds.needs_no_units()
        with closing(self._note("unmounted by force", cause)) as note:
            yield from self.share.give_up()
            yield from note.written()

    def may_stray(self) -> bool:
        """Whether what mounts the share goes on for another client."""
        return any(self.holds.who_else_needs(unit) for unit in filter(mounts, self.share.units))

    def is_down(self, *, will_halt: bool) -> None:
        """All is; `will_halt` is whether this machine goes, too."""
        if self.holds:
            self._screens.off("PowerOff" if will_halt else "MusicOff")
        self.holds.end()

    def close(self) -> None:
        """Let go of everything."""
        self.looking.close()
        self.share.detacher.stand_down()
        self.backup.close()

    def _note(self, action: str, cause: str) -> LedgerNote:
        return LedgerNote(self._me, lambda ledger: ledger.record("share", action, cause))
