"""A process of its own that writes what the state files say into the CCU: however long a CCU hangs, nobody else waits with it.

It needs nothing of the service but those files (ups/shown), and ends by itself, logged out, when the service does.

/run/pimains/<instance>/ccu          what is wrong with the CCU; not there when all is well, or where there is none
/run/pimains/<instance>/ccu_session  the session that is open at the CCU, so that the next process ends it if this one could not
"""

import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pimains.core import state
from pimains.core.errors import PimainsError
from pimains.core.instance import Instance
from pimains.core.library import Needed
from pimains.core.naps import poll, within
from pimains.core.process.function import Forked, or_away
from pimains.core.troubles import Troubles
from pimains.ups.plan import homematic
from pimains.ups.plan.homematic import Rounds, Seen, Variable, Wanted
from pimains.ups.settings import UpsSettings

if TYPE_CHECKING:
    from pimains.ups.ccu import Ccu

_AGAIN_SECONDS = 60.0
_ONE_LOOK_SECONDS = 0.2  # in which the service writes all files that a look changes
_COMES_UP_SECONDS = 30.0  # for so long nothing is told of a UPS without data: NUT may come up later than this service
_SESSION = "ccu_session"
_TROUBLE = "ccu"


class Homematic:
    """The process, kept up where CCU is set."""

    def __init__(self, me: Instance, settings: UpsSettings) -> None:
        self._me = me
        self._settings = settings
        self._child: Forked | None = None
        self._service_is_there = -1
        self._next_at = 0.0
        self._troubles = Troubles(me.complain)
        self.keep()

    def files(self) -> tuple[Forked, ...]:
        """Readable when there is something to `keep`."""
        return (self._child,) if self._child else ()

    def keep(self) -> None:
        """Start it, again where it has ended, which it does only for what nobody has foreseen."""
        if self._child and self._child.has_ended():
            try:
                self._child.answer()
            except (OSError, PimainsError) as error:
                why = error.strerror if isinstance(error, OSError) else error
                line = f"the process for the CCU ended: {why}; another one begins in {_AGAIN_SECONDS:g} s"
                self._troubles.look("the process", line)
                self._me.leave(_TROUBLE, line)
            self.close()
            self._next_at = self._me.clock.monotonic() + _AGAIN_SECONDS
        if self._child or not self._settings.CCU or self._me.clock.monotonic() < self._next_at:
            return
        until_the_end, self._service_is_there = os.pipe2(os.O_CLOEXEC)
        try:
            self._child = Forked(or_away(lambda: _live(self._me, self._settings, until_the_end)), keep=(until_the_end,))
        except OSError:  # no room for another process: later there may be
            self.close()
            self._next_at = self._me.clock.monotonic() + _AGAIN_SECONDS
        finally:
            os.close(until_the_end)

    def close(self) -> None:
        """Let it end: it is not waited for."""
        if self._service_is_there >= 0:
            os.close(self._service_is_there)
        self._service_is_there, self._child = -1, None


def _live(me: Instance, settings: UpsSettings, until_the_end: int) -> None:
    """In the child, until the other end of the pipe `until_the_end` is closed. Raises WrongSetting where requests is missing."""
    with Needed("python3-requests") as library:
        import pimains.ups.ccu  # noqa: F401  # it costs megabytes, which only this process needs
    library.must_be_there(me.directory)
    with os.fdopen(until_the_end, "rb") as end:
        writer = _Writer(me, settings, end)
        watch = state.Watch(me.run)
        while not poll(within(0), me.clock, end):
            watch.changed()
            if watch in poll(within(writer.write_when_due(), watch), me.clock, end):
                poll(within(_ONE_LOOK_SECONDS), me.clock, end)


class _Writer:
    def __init__(self, me: Instance, settings: UpsSettings, end: BinaryIO) -> None:
        self._me = me
        self._settings = settings
        self._end = end
        self._began = me.clock.monotonic()
        self._rounds = Rounds()
        self._takes_strings: bool | None = None
        self._there: dict[str, Variable] = {}
        self._troubles = Troubles(me.complain, print)
        self._said: set[str] = set()
        me.leave(_TROUBLE, None)

    def write_when_due(self) -> float:
        """Seconds until the next round, as long as nothing changes."""
        upses = _seen(self._me.run, self._settings)
        if any(homematic.WORDS not in each.files for each in upses):
            return float("inf")  # none has been looked at since this machine's boot
        now, every = self._me.clock.monotonic(), self._settings.CCU_SECONDS
        if any(each.is_lost for each in upses) and now < self._began + _COMES_UP_SECONDS:
            return self._began + _COMES_UP_SECONDS - now
        wanted = homematic.wanted(upses, self._settings.PREFIX, f"{datetime.fromtimestamp(self._me.clock.wall()):%Y-%m-%d %H:%M:%S}")
        if now >= self._rounds.next_at(wanted, every):
            self._round(wanted, now, for_all=self._rounds.is_for_all(now, every))
        return self._rounds.next_at(wanted, every) - self._me.clock.monotonic()

    def _round(self, wanted: dict[str, Wanted], now: float, *, for_all: bool) -> None:
        from pimains.ups import ccu as ccus

        ccu = ccus.Ccu(self._settings.CCU or "", state.read(self._me.run / _SESSION) or "")
        try:
            if ccu.session:
                with suppress(ccus.NotDone):
                    ccu.log_out()
                    self._me.leave(_SESSION, None)  # by then it may be somebody else's
            ccu.log_in(self._settings.CCU_USER or "", self._settings.CCU_PASSWORD or "")
            try:
                with suppress(OSError):  # a full disk: who is not killed logs out all the same
                    state.write(self._me.run / _SESSION, ccu.session, mode=0o600)
                told = self._write(ccu, wanted if for_all else self._rounds.of(wanted), for_all=for_all)
            finally:
                ccu.log_out()
                self._me.leave(_SESSION, None)
        except ccus.NotDone as why:
            self._rounds = self._rounds.failed(now, why.leave_alone_seconds)
            self._takes_strings = None
            line = str(self._settings.wrong(why.setting, str(why))) if why.setting else f"the CCU at {self._settings.CCU}: {why}"
            self._troubles.look("the CCU", line)
            self._me.leave(_TROUBLE, line)
            return
        self._rounds = self._rounds.done(wanted, now, for_all=for_all)
        self._troubles.look("the CCU", "")
        self._tell(told, for_all=for_all)

    def _write(self, ccu: "Ccu", wanted: dict[str, Wanted], *, for_all: bool) -> list[str]:
        """What is to be told of those that are not written."""
        from pimains.ups.ccu import NotTaken

        if self._takes_strings is None:
            self._takes_strings = ccu.takes_strings()
        if for_all:
            self._there = ccu.variables()
        choice = homematic.choose(wanted, self._there, takes_strings=self._takes_strings)
        told = list(choice.told)
        for name, value in choice.write.items():
            if poll(within(0), self._me.clock, self._end):
                break
            try:
                ccu.write(name, value)
            except NotTaken as why:
                told.append(f"{name} {why}")
        return told

    def _tell(self, told: list[str], *, for_all: bool) -> None:
        for line in told:
            if line not in self._said:
                self._said.add(line)
                print(f"the CCU at {self._settings.CCU}: {line}")
        whole = f"the CCU at {self._settings.CCU}: {'; '.join(told)}" if told else None
        if for_all and whole != state.read(self._me.run / _TROUBLE):
            self._me.leave(_TROUBLE, whole)


def _seen(run: Path, settings: UpsSettings) -> list[Seen]:
    found = []
    for ups in settings.UPS:
        name = settings.called(ups)
        prefix = "" if ups == settings.UPS[0] else f"{name}."
        files = {each: text for each in homematic.STATE_FILES if (text := state.read(run / f"{prefix}{each}"))}
        files = {each: text for each, text in files.items() if each not in homematic.NUMBERS or state.number(text) is not None}
        found.append(Seen(prefix, name if "@" in name else f"{name}@{ups.host}", files))
    return found
