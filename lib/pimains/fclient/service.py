"""The service fclient: services/fclient/README.md says what it is for, this how it goes about it.

/run/pimains/fclient/holds     what is up, or may be: see pimains.fclient.holds
/run/pimains/fclient/id        by which the server knows this client when the service was restarted
/var/lib/pimains/fclient/address   HOST and the address where it was met last, for when there is no name server
/run/pimains/fclient/orders/   where halt's step 20-shares has this client leave (shared/orders)
"""

from collections.abc import Callable
from functools import partial

from pimains.core import state
from pimains.core.machine import own_name
from pimains.core.service import Instance, Naps, Stop, run, within
from pimains.core.supervisor import Supervisor
from pimains.fclient.background import Background
from pimains.fclient.link import Event, Link
from pimains.fclient.pistop import PistopEnd
from pimains.fclient.plan import is_news
from pimains.fclient.settings import FclientSettings, wrong_by_now
from pimains.fclient.share import Work
from pimains.fclient.whole_share import WholeShare
from pimains.shared import halt_request
from pimains.shared.fileserver import mount
from pimains.shared.fileserver.beats import ClientEnd, End, Secret, client_id, name_of
from pimains.shared.host_address import Address
from pimains.shared.orders.leave import Leave, LeaveOrders

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
            yield from client.whole.take_down_what_was_set_before()
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
        self.name = name_of(settings.NAME or own_name())
        self.whole = WholeShare(me, settings, self.tell, lambda: {self.peer, *self.address.known})
        self.share, self.looking, self.backup = self.whole.share, self.whole.looking, self.whole.backup
        self.holds, self.error = self.whole.holds, self.whole.error
        self.was_joined = bool(self.holds)
        holding = self.was_joined or mount.mounted(settings.MDRIVE) is not None
        if settings.COMPAT:
            print("COMPAT=pistop: this client believes whatever answers at HOST; empty variables/COMPAT when the server has moved")
        self.link = Link(address.find, self.new_end(), me.clock, settings.RETRY_SECONDS_MAX, expects=holding)
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
        self.trouble = self.looking.trouble() or self.whole.moved(self.peer) or self.trouble
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
        yield from self.whole.come(f"{self.server} is there", lambda: self.is_well)

    def coming_again(self, why: str) -> Work:
        """The server is there, and the share is not: take down what uses it, and bring it up anew."""
        why = f"{self.share.place}: {why}"
        print(f"{why}: it is to be mounted anew")
        if self.looking.is_broken:
            yield from self.taking_away(why)
        else:
            yield from self.whole.leave_in_order(why)
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
            yield from self.whole.leave_in_order(reason)
        self.finish(reason)

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
        """Take the share away; what was wrong with it is over then."""
        self.trouble = ""
        yield from self.whole.take_away(cause)

    def taking_away_again(self) -> Work:
        """Somebody looked while the server is away, and what mounts the share goes on for another client."""
        print(f"{self.share.place} was mounted again, for somebody who looked")
        yield from self.share.unmount(by_force=True)
        self.tell(self.waiting())

    def finish(self, reason: str) -> None:
        """All is down."""
        self.looking.close()
        self.may_stray = self.whole.may_stray()
        there = mount.mounted(self.share.place)
        may_halt = not self.is_stopping and not self.is_halting and (self.was_told or (self.was_joined and self.settings.POWER_OFF == "1"))
        will_halt = self.is_halting or (may_halt and self.settings.POWER_OFF in ("1", "told"))
        self.whole.is_down(will_halt=will_halt)
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
        self.whole.close()
        self.orders.close()
        self.link.close()


def _keep_address(me: Instance, host: str, found: str) -> None:
    me.keep("address", f"{host} {found}")


if __name__ == "__main__":
    run(fclient, FclientSettings, user=None)
