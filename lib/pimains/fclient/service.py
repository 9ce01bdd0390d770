"""The service fclient: services/fclient/README.md says what it is for, this how it goes about it.

/run/pimains/fclient/holds     what is up, or may be: see pimains.fclient.holds
/run/pimains/fclient/id        by which the server knows this client when the service was restarted
/var/lib/pimains/fclient/address   HOST and the address where it was met last, for when there is no name server
/run/pimains/fclient/orders/   where halt's step 20-shares has this client leave (shared/orders)
"""

from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

from pimains.core import state
from pimains.core.ledger_beside import LedgerNote
from pimains.core.machine import own_name
from pimains.core.process.program import Programs
from pimains.core.service import Instance, Naps, Stop, run, within
from pimains.core.supervisor import Supervisor
from pimains.core.troubles import Troubles
from pimains.fclient.background import Background
from pimains.fclient.forced_unmount import Detacher
from pimains.fclient.holds import Holds
from pimains.fclient.link import Event, Link
from pimains.fclient.looking import Looking
from pimains.fclient.pistop import PistopEnd
from pimains.fclient.plan import is_news
from pimains.fclient.settings import FclientSettings, wrong_by_now
from pimains.fclient.share import Share, Work, mounts
from pimains.shared import halt_request
from pimains.shared.backup.child import BackupChild
from pimains.shared.fileserver import mount
from pimains.shared.fileserver.beats import ClientEnd, End, Secret, client_id, name_of
from pimains.shared.fileserver.last_error import LastError
from pimains.shared.host_address import Address
from pimains.shared.orders.leave import Leave, LeaveOrders
from pimains.shared.screens.status import HostStatus

_CANCEL_LOOK_SECONDS = 2.0
_STRAY_LOOK_SECONDS = 2.0


def fclient(me: Instance, settings: FclientSettings) -> Naps:
    """Be with the server; before going, leave it."""
    supervisor = Supervisor(me.directory)
    kept_host, _, kept = (state.read(me.lib / "address") or "").partition(" ")
    keep = partial(_keep_address, me, settings.HOST)
    address = Address(settings.HOST, settings.PORT, kept if kept_host == settings.HOST else "", keep)
    yield from address.first(me.clock)
    client = Client(me, settings, address)
    try:
        try:
            yield from client.take_down_what_was_set_before()
            yield from client.live()
        except Stop:
            if client.work and client.is_leaving:
                print("told to stop: will do so when the share is left")
                yield from client.work_to_the_end()
            starts_again = yield from supervisor.starts_again()
            if starts_again and not (fault := wrong_by_now(me.directory)):
                print("restarting: the share stays as it is if that takes no more than four seconds")
            else:
                client.is_stopping = True
                client.leave(f"this client would not come back: {fault}" if starts_again else "told to stop")
                yield from client.work_to_the_end()
    finally:
        client.close()


class Client:
    """The link to the server, the share, and the work that is under way between them."""

    def __init__(self, me: Instance, settings: FclientSettings, address: Address) -> None:
        self.me = me
        self.settings = settings
        self.address = address
        self.peer = ""  # the address of the server
        self.mounted_at: set[str] = set()  # the server's addresses when the share was mounted
        self.name = name_of(settings.NAME or own_name())
        self.holds = Holds(me.name)
        self.was_joined = bool(self.holds)
        holding = self.was_joined or mount.mounted(settings.MDRIVE) is not None
        if settings.COMPAT:
            print("COMPAT=pistop: this client believes whatever answers at HOST; empty variables/COMPAT when the server has moved")
        self.link = Link(address.find, self.new_end(), me.clock, settings.RETRY_SECONDS_MAX, expects=holding)
        self.error = LastError(me, adopts=not settings.exposed())
        self.share = self.new_share()
        self.looking = Looking(me.clock, settings.MDRIVE, settings.MARKER)
        self.screens = HostStatus(settings)
        self.backup = BackupChild(me, wanted=bool(settings.BACKUP))
        self.told = ""
        self.words = ""
        self.is_well = True
        self.why_not = ""
        self.may_stray = False  # what mounts the share goes on for another client, while the server is away
        self.is_leaving = False
        self.is_stopping = False
        self.was_told = False  # by the server, to leave
        self.is_halting = False  # this machine
        self.trouble = ""  # what is wrong with the share, as long as nothing is done about it
        self.orders = LeaveOrders(me.run)
        self.unanswered: list[tuple[Leave, float]] = []  # each with the instant until which it may take
        self.work = Background(me.clock)

    def new_end(self) -> Callable[[], End]:
        """What makes this end of each conversation."""
        if self.settings.COMPAT or not self.settings.SECRET:
            return PistopEnd
        own_id = client_id(state.read(self.me.run / "id") or "")
        state.write(self.me.run / "id", own_id.decode())
        return partial(ClientEnd, Secret(self.settings.SECRET), self.name, own_id)

    def new_share(self) -> Share:
        """The share as it is set."""
        settings = self.settings
        programs = Programs(self.me.clock, settings.STEP_SECONDS_MAX, {"MDRIVE": str(settings.MDRIVE)})
        return Share(
            settings.MDRIVE,
            settings.MARKER,
            settings.UNITS,
            settings.HOOKS,
            settings.FORCE_UMOUNT,
            self.me.clock,
            programs,
            Detacher(self.me.clock),
            self.tell,
            self.error.complain,
            self.holds.who_else_needs,
            Troubles(self.error.complain),
        )

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

    def live(self) -> Naps:
        """Come when the server is there, leave when it says so or is gone; for ever."""
        if not self.link.is_joined:
            self.tell(self.waiting())
        elif mount.mounted(self.share.place):  # as the one before this one left it
            self.looking.begin()
        while True:
            yield from self.step()
            self.reply()
            if self.is_halting and not self.work:
                yield from self.until_cancelled()

    def work_to_the_end(self) -> Naps:
        """Finish what is under way, still answering the server."""
        while self.work:
            yield from self.step()

    def step(self) -> Naps:
        """Wait for whatever comes next, and do it."""
        for event in self.link.step():
            self.react(event)
        if self.link.peer != self.peer:
            self.peer = self.link.peer
            self.address.was_good(self.peer)
        self.trouble = self.looking.trouble() or self.moved() or self.trouble
        # a server that is silent as a whole is given up by the link, in time and for what it is
        if self.trouble and not (self.looking.is_broken and self.link.is_in_doubt):
            trouble, self.trouble = self.trouble, ""
            self.repair(trouble)
        if self.link.is_in_doubt or self.looking.is_in_doubt:
            self.share.detacher.stand_by()
        elif not self.work:
            self.share.detacher.stand_down()
        is_away = self.may_stray and not self.work and not self.link.is_joined
        if is_away and mount.mounted(self.share.place):
            self.begin(self.taking_away_again())
        if self.backup.step():
            self.tell(self.told, well=self.is_well)
        why_not = "" if self.link.is_joined else self.link.refused or self.link.hindrance
        if self.why_not != why_not:
            self.why_not = why_not
            self.show()
        wait = min(self.link.wait_seconds(), self.work.seconds_left(), self.looking.seconds_left())
        if is_away:
            wait = min(wait, _STRAY_LOOK_SECONDS)
        if self.unanswered:
            wait = min(wait, max(0.0, min(ends for _, ends in self.unanswered) - self.me.clock.monotonic()))
        ready = yield within(wait, self.link, self.orders, *self.backup.files, *self.work.files, *self.looking.files)
        for order in self.orders.leaves():
            self.obey(order)
        self.work.go_on(ready)

    def react(self, event: Event) -> None:
        """What the server did decides what is to be done."""
        if event.word == "joined":
            print(f"joined {self.server}")
            self.was_joined = True
            if halt_request.pending():
                self.is_halting = True  # there is no use in coming now
            else:
                self.begin(self.coming())
        elif event.word == "leave":
            self.was_told = True
            self.leave(event.text)
        else:
            self.begin(self.giving_up(event.text))

    def moved(self) -> str:
        """Why what is mounted is none of this server's, which has another address by now; "" as long as nothing speaks for that."""
        if not self.looking or not self.peer or self.peer in self.mounted_at:
            return ""
        there = mount.mounted(self.share.place)
        now_at = {self.peer, *self.address.known}
        if not there or there.address not in self.mounted_at or there.address in now_at:
            self.mounted_at |= now_at
            return ""
        return f"it is from {there.address}, and the server is at {self.peer} now"

    def repair(self, trouble: str) -> None:
        """The share is not what it should be, while its server is there for all that is known."""
        if not self.is_leaving:
            self.begin(self.coming_again(trouble))
        elif self.looking.is_broken:
            self.begin(self.leaving_by_force(f"{self.share.place}: {trouble}"))
            self.is_leaving = True
        else:
            self.looking.close()

    def obey(self, order: Leave) -> None:
        """This machine is about to halt: leave, and be done in time."""
        self.unanswered.append((order, self.me.clock.monotonic() + order.seconds))
        self.is_halting = True
        self.leave(order.reason)

    def reply(self) -> None:
        """Tell halt's step how it went, as soon as that is known."""
        now = self.me.clock.monotonic()
        known = [order for order, ends in self.unanswered if not self.work or now >= ends]
        if known:
            self.unanswered = [each for each in self.unanswered if each[0] not in known]
            there = mount.mounted(self.share.place)
            gone = "nothing is mounted" if not there else f"{there.source} is still mounted on {there.place}"
            for order in known:
                self.orders.answer(order.id, f"not done in time, {self.told}" if self.work else gone, ok=not (self.work or there))

    def begin(self, work: Work) -> None:
        """Do this instead of what is under way."""
        self.is_leaving = False
        self.work.begin(work)

    def coming(self) -> Work:
        """The server is there: bring everything up."""
        self.holds.begin(self.share.place, self.share.units)
        yield from self.note("mounted", f"{self.server} is there").written()
        yield from self.share.come()
        self.mounted_at = {self.peer, *self.address.known}
        self.looking.begin()
        yield from self.share.use()
        if self.is_well:
            self.error.is_over()
        self.screens.on()
        self.backup.begin(f"{self.server} is there")

    def coming_again(self, why: str) -> Work:
        """The server is there, and the share is not: take down what uses it, and bring it up anew."""
        why = f"{self.share.place}: {why}"
        print(f"{why}: it is to be mounted anew")
        if self.looking.is_broken:
            yield from self.taking_away(why)
        else:
            yield from self.leaving_in_order(why)
        yield from self.coming()

    def leave(self, reason: str) -> None:
        """Begin to leave, unless that is under way already, in order or because the server is gone."""
        if self.work and (self.is_leaving or not self.link.is_joined):
            return
        self.begin(self.leaving(reason))
        self.is_leaving = True

    def leaving(self, reason: str) -> Work:
        """The server is still there: take everything down in order."""
        if self.holds or mount.mounted(self.share.place):
            print(f"leaving: {reason}")
            yield from self.leaving_in_order(reason)
        self.finish(reason)

    def leaving_in_order(self, reason: str) -> Work:
        """Take everything down, what uses the share first."""
        self.backup.ask_to_stop()
        self.share.detacher.stand_by()
        yield from self.note("unmounted", reason).written()
        yield from self.backup.stop()
        self.holds.needs_no_units()
        yield from self.share.quiet()
        yield from self.share.leave()
        self.looking.close()

    def leaving_by_force(self, reason: str) -> Work:
        """The share has broken while it was left."""
        print(reason)
        yield from self.taking_away(reason)
        self.finish(reason)

    def giving_up(self, reason: str) -> Work:
        """The server is gone."""
        print(f"{self.server} is gone: {reason}")
        yield from self.taking_away(f"{self.server} is gone: {reason}")
        self.finish(f"{self.server} is gone")

    def taking_away(self, cause: str) -> Work:
        """Take the share away before anything hangs, then the rest."""
        self.looking.close()
        self.trouble = ""
        self.backup.abandon()
        yield from self.share.unmount(by_force=True)
        self.holds.needs_no_units()
        with closing(self.note("unmounted by force", cause)) as note:
            yield from self.share.give_up()
            yield from note.written()

    def taking_away_again(self) -> Work:
        """Somebody looked while the server is away, and what mounts the share goes on for another client."""
        print(f"{self.share.place} was mounted again, for somebody who looked")
        yield from self.share.unmount(by_force=True)
        self.tell(self.waiting())

    def finish(self, reason: str) -> None:
        """All is down."""
        self.looking.close()
        self.may_stray = any(self.holds.who_else_needs(unit) for unit in filter(mounts, self.share.units))
        there = mount.mounted(self.share.place)
        may_halt = not self.is_stopping and not self.is_halting and (self.was_told or (self.was_joined and self.settings.POWER_OFF == "1"))
        will_halt = self.is_halting or (may_halt and self.settings.POWER_OFF in ("1", "told"))
        if self.holds:
            self.screens.off("PowerOff" if will_halt else "MusicOff")
        self.holds.end()
        self.was_joined = self.was_told = False
        self.link.leave(f"{self.share.place} is {'still mounted' if there else 'unmounted'}")
        self.tell(self.waiting())
        if may_halt and self.settings.POWER_OFF in ("1", "told"):
            self.ask_for_halt(reason)

    def ask_for_halt(self, reason: str) -> None:
        """POWER_OFF: without its server this machine has nothing to do."""
        try:
            halt_request.ask(reason, self.me.name)
            self.is_halting = True
        except OSError as error:
            self.error.complain(f"POWER_OFF is set, but the halt service cannot be asked ({error.strerror}): is there one?")

    def until_cancelled(self) -> Naps:
        """A halt is under way: join nobody, unless it was cancelled."""
        self.link.pause()
        self.tell("this machine is about to halt")
        while halt_request.pending():
            yield within(_CANCEL_LOOK_SECONDS, self.orders)
            self.unanswered = [(order, 0.0) for order in self.orders.leaves()]
            self.reply()
        self.is_halting = False
        print("there is no halt any more")
        self.tell(self.waiting())

    def note(self, action: str, cause: str) -> LedgerNote:
        """Begin to write into the ledger."""
        return LedgerNote(self.me, lambda ledger: ledger.record("share", action, cause))

    def tell(self, words: str, *, well: bool = True) -> None:
        """Say how things are: here, and to the server."""
        self.told, self.is_well = words, well
        words += self.backup.words
        before, self.words = self.words, words
        if is_news(words, before):
            print(words)
        if words != before:
            self.link.say("words", words)
        self.show()

    def show(self) -> None:
        """The status line."""
        why_not = f", cannot join it: {self.why_not}" if self.why_not else ""
        is_well = self.is_well and self.backup.is_well and not self.link.refused
        self.me.status(f"{self.words or self.waiting()}{why_not}", well=is_well)

    def waiting(self) -> str:
        """What it does without a server."""
        return f"waiting for {self.server}"

    @property
    def server(self) -> str:
        """What the server is called."""
        return f"{self.settings.HOST}:{self.settings.PORT}"

    def close(self) -> None:
        """Let go of everything."""
        self.work.close()
        self.looking.close()
        self.share.detacher.stand_down()
        self.backup.close()
        self.orders.close()
        self.link.close()


def _keep_address(me: Instance, host: str, found: str) -> None:
    me.keep("address", f"{host} {found}")


if __name__ == "__main__":
    run(fclient, FclientSettings, user=None)
