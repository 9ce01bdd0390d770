"""From danger to halt: what the plan decides is written, then done over the links, through halt's request, and in answers to its steps.

shutting = ShuttingDown(me, settings, upses)
shutting.looked(ups, now)      # after each look at a UPS
shutting.tick(now)             # when time has passed, or one of shutting.files() is readable
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from pimains.core.clock import boot_id
from pimains.core.instance import Instance
from pimains.core.naps import Readable
from pimains.shared import halt_request
from pimains.shared.outage_file import OutageFile
from pimains.shared.plan import host_steps
from pimains.shared.plan.outage import Outage, Phase, Role
from pimains.ups.commanding import Commanding
from pimains.ups.neighbourhood import Neighbourhood
from pimains.ups.neighbourhood import hosts as hosts_of
from pimains.ups.orders import OutageOrders, cut_order, cut_wait_seconds
from pimains.ups.plan import battery as batteries
from pimains.ups.plan import cancelling, supplies, words
from pimains.ups.plan.going_down import House
from pimains.ups.plan.outage import Act, Event, Moment, Wait, decide, decide_apart, timer
from pimains.ups.plan.supplies import Supply
from pimains.ups.plan.telling import OfAShutdown
from pimains.ups.request import Request
from pimains.ups.settings import UpsSettings
from pimains.ups.time_left import TimeLeft
from pimains.ups.watched import Watched

if TYPE_CHECKING:
    from pimains.core.ledger import Ledger  # sqlite3 costs a megabyte, and is used when there is an outage
    from pimains.ups.other_machines import Talks

_AGAIN_SECONDS = 1.0
_FORGOTTEN_SECONDS = 7200.0  # longer than any phase of a shutdown: a service that was stopped amid it, and is started again later
_OF_THE_PRIMARY = {Role.SECONDARY: ", as its primary has forced", Role.ALONE: ", and its primary has forced nothing"}
_LATER = (Phase.FORCED, Phase.DELAYED)
_RECORDED = (Phase.DELAYED, Phase.ASKED, Phase.RETURNING)  # FSD does not wait for the ledger, and a line that flaps does not fill it


class Around(NamedTuple):
    """What is acted upon beside the UPSes: in a rehearsal nothing of it is this machine's."""

    file: OutageFile
    request: Request
    orders: OutageOrders
    talks: "Talks | None" = None


class ShuttingDown:
    """Of all UPSes of one instance."""

    def __init__(self, me: Instance, settings: UpsSettings, upses: Sequence[Watched], around: Around | None = None) -> None:
        self._me, self._settings = me, settings
        self._upses = {each.name: each for each in upses}
        self._supplies = {each.name: Supply(each.name, each.power, settings.commands(each.ups)) for each in upses}
        around = around or Around(OutageFile(me), Request(me), OutageOrders(me))
        self._file, self._request, self._orders = around.file, around.request, around.orders
        self._commanding = Commanding(me, settings, self._upses)
        self._clients = self._commanding.clients
        self._time = TimeLeft(me, settings, self._upses, self._clients)
        self._neighbours = Neighbourhood(me, settings, self._upses, self._supplies, around.talks)
        self._again_at = 0.0
        self.outage = self._file.read()
        if self.outage:
            now = me.clock.monotonic()
            is_under_way = self.outage.boot == boot_id() and not (self.outage.is_begun and now - self.outage.since > _FORGOTTEN_SECONDS)
            self._decide(Event.RESTARTED if is_under_way else Event.BOOTED, self._moment(now, self._role()))
        for name, own in self._apart():
            self._commanding.wants_return(name, wants=own.phase is Phase.RETURNING)  # the one before may not have come to it

    def files(self) -> list[Readable]:
        """Readable when a step of halt asks."""
        return [self._orders, *self._neighbours.files()]

    def close(self) -> None:
        """No step is answered any more."""
        self._orders.close()
        self._neighbours.close()

    @property
    def house(self) -> House:
        """The other machines, as their settings and what was measured have them."""
        return self._neighbours.house

    def faults(self) -> list[str]:
        """What is wrong with the settings of other machines."""
        return self._neighbours.faults()

    def seconds_to_wait(self, now: float) -> float:
        """Until there is something to do besides the next look."""
        if self._orders.is_awaited or self._request.is_wanted or (self.outage and self.outage.is_begun):
            return max(0.05, min(1.0, self._until_timer(now)))
        return float("inf") if self.outage is None or self._neighbours.is_empty else 1.0

    def need_seconds(self) -> float:
        """How long a shutdown takes from now on."""
        hosts = self._neighbours.seconds_needed(self.outage, self._me.clock.monotonic())
        return self._time.need_seconds(self._role(), self._commanded(), hosts)

    def then(self, ups: Watched) -> str:
        """What is done when the battery of `ups` is low, in words; "" for nothing."""
        supply = self._supplies[ups.name]
        is_apart = any(name == ups.name for name, _ in self._apart())
        stays_up = is_apart or not supply.power or supplies.is_fed_without([*self._supplies.values()], ups.name, self._settings.MINSUPPLIES)
        if not stays_up:
            return words.SHUTS_DOWN
        return words.OTHERS_SHUT_DOWN if supply.is_ours else ""

    def needed_for(self) -> str:
        """Why this service may not be stopped now; "" where it may, also because this machine goes down."""
        if self.outage is None or self.outage.phase is Phase.CUTTING or halt_request.is_going_down():
            return ""
        return f"an outage is under way, {self.outage.phase}"

    def line(self) -> str:
        """What is under way, in words; "" for nothing."""
        if self.outage and self.outage.is_begun:
            return "; ".join(filter(None, (self._line(self.outage, self._commanded()), self.line_of_hosts())))
        apart = [f"{self._line(own, [name])}; this machine stays up" for name, own in self._apart() if own.is_begun]
        return "; ".join([*apart, *filter(None, [self.line_of_hosts()])]) if apart else ""

    def line_of_hosts(self) -> str:
        """What becomes of the other machines, in words; "" for nothing."""
        return self._neighbours.line(self.outage, self._me.clock.monotonic())

    def _line(self, outage: Outage, names: Sequence[str]) -> str:
        words = {
            Phase.FORCED: f"forced shutdown, waiting for {', '.join(self._clients.there(names)) or 'its answer'}",
            Phase.DELAYED: "shutting down in a moment",
        }.get(outage.phase, "this machine is shutting down")
        return f"{words}{_OF_THE_PRIMARY.get(outage.role, '')}: {outage.why}"

    def looked(self, ups: Watched, now: float) -> None:
        """`ups` was looked at just now."""
        before = self._supplies[ups.name]
        has_forced = self._commanding.has_forced(ups.name)
        if ups.standing.fresh_at == now and ups.standing.fsd is None and has_forced and not self._is_forcing(ups.name):
            self._commanding.stands_no_more(ups.name)
            has_forced = False
        need = self.need_seconds() if ups.standing.is_on_battery else 0.0  # it reads files
        why = batteries.due(ups.battery, ups.standing, ups.pasts, self._settings.to_last, need, now)
        self._supplies[ups.name] = supplies.looked_at(before, ups.standing, why, now, is_fsd_ours=has_forced)
        self._time.leave_battery_end(now)
        self._neighbours.mind_mains(now)
        for each in supplies.happened(self.outage, [*self._supplies.values()], self._settings.MINSUPPLIES):
            self._decide(each.event, self._moment(now, each.role, each.why, each.upses), each.apart)
        self.tick(now)

    def tick(self, now: float) -> None:
        """Whatever the time has brought, and who asks."""
        self._hear(now)
        if now >= self._again_at:
            self._again_at = now + _AGAIN_SECONDS
            self._try_again(now)
        self._mind_hosts(now)
        self._mind_timers(now)
        self._request.make(self.outage)
        self._orders.answer_who_waits(now, is_asked=not self._is_to_wait(now), is_logged_out=self._commanding.is_logged_out)

    def _mind_hosts(self, now: float) -> None:
        """Other machines: who is ordered down, who is down, who is woken. Each act is written before it is done."""
        minded = self._neighbours.mind(self.outage, now)
        if self.outage is None or self._neighbours.is_empty:
            return
        if minded.hosts != hosts_of(self.outage):
            self.outage = with_hosts = self.outage._replace(hosts=host_steps.written(minded.hosts))
            if minded.moves and self.outage.phase is Phase.ON_BATTERY:
                self._decide(Event.SHED, self._moment(now, self._role(), "; ".join(dict.fromkeys(move.why for move in minded.moves))))
            if self.outage == with_hosts:
                self._file.write(with_hosts)
        for event, about in self._neighbours.act(self.outage, minded.moves):
            self._tell(event, (), self._moment(now, self._role()), about=about)
        if came := self._neighbours.came(self.outage, now):
            moment = self._moment(now, self._role(), came.why)
            self._decide(came.event, moment)
            if came.tell:
                self._tell(came.tell, (), moment, about=came.about)

    def _wait(self, outage: Outage, names: Sequence[str], now: float) -> Wait:
        return self._clients.wait(names)._replace(for_hosts=self._waits_for_hosts(outage, now))

    def _waits_for_hosts(self, outage: Outage, now: float) -> bool:
        if self.outage is None or self._neighbours.is_empty:
            return False
        halting = self._time.halting_seconds(self._role(), self._commanded())
        return self._neighbours.are_waited_for(self.outage, outage.role, outage.since, halting, now)

    def _is_to_wait(self, now: float) -> bool:
        """Whether halt's step 40 is answered later."""
        if self.outage is None or self.outage.is_begun:
            return self.outage is not None and self.outage.phase in _LATER
        return any(each.is_going for each in hosts_of(self.outage).values()) and self._waits_for_hosts(self.outage, now)

    def _mind_timers(self, now: float) -> None:
        if self.outage is None:
            return
        names = self._ours(self.outage)
        if self.outage.phase is Phase.FORCED and self.outage.role is not Role.SECONDARY:
            self._mind_clients(self.outage, names, now)
        while self.outage and (event := timer(self.outage, now, self._wait(self.outage, names, now))):
            before = self.outage
            role = before.role if before.is_begun else Role.SECONDARY  # who waits for its primary
            self._decide(event, self._moment(now, role, before.why, before.upses))
            if self.outage == before:
                break
        for name, own in self._apart():
            if own.phase is Phase.FORCED:
                self._mind_clients(own, [name], now, name)
        for name, own in self._apart():
            if event := timer(own, now, self._wait(own, [name], now)):
                self._decide(event, self._moment(now, Role.APART, own.why), name)

    def _mind_clients(self, outage: Outage, names: Sequence[str], now: float, apart: str = "") -> None:
        """Who has left, and whether none knows because upsd refuses."""
        self._clients.note_who_left(names, now - outage.since)
        if self._commanding.refused(names):
            self._decide(Event.REFUSED, self._moment(now, outage.role, outage.why), apart)

    def _apart(self) -> list[tuple[str, Outage]]:
        return [*self.outage.apart.items()] if self.outage else []

    def _until_timer(self, now: float) -> float:
        if self.outage and self.outage.phase is Phase.DELAYED:
            return self.outage.since + self._settings.FINALDELAY_SECONDS - now
        return 1.0

    def _try_again(self, now: float) -> None:
        """Once a second: what upsd has not answered, who is still there, whether halt has lost our request."""
        for each in self._commanding.returned():
            event = OfAShutdown.EMPTIES if each.runs_empty else OfAShutdown.RETURNS
            self._tell(event, [each.ups], self._moment(now, Role.APART), f"{each.ups} {each.words}", each.runs_empty)
        for name in self._commanding.wanting_return():
            self._mind_return(name)
        if self.outage is None:
            return
        watched = {*self._ours(self.outage), *self.outage.apart}
        if not self.outage.is_begun:
            watched.update(self._commanded())
        for name in watched:
            is_forced = self._is_forcing(name)
            if is_forced or not self.outage.is_begun:
                self._commanding.say_again(name, is_forced=is_forced)
        if self.outage.phase in (Phase.ASKED, Phase.CUTTING) and self._request.is_missed():
            self._decide(Event.REQUEST_GONE, self._moment(now, self.outage.role))

    def _mind_return(self, name: str) -> None:
        """A UPS that could not be told to cut its output: it is once it is seen on battery, and not when the mains are back by then."""
        own = self.outage.apart.get(name, self.outage if name in self.outage.upses else None) if self.outage else None
        if own is None or own.phase is not Phase.RETURNING:
            self._commanding.wants_return(name, wants=False)
            print(f"{name} could not be told to cut its output, and need not be any more")
        elif self._upses[name].link.nut.is_open and not (self._supplies[name].is_on_line or self._supplies[name].is_lost):
            self._commanding.wants_return(name, wants=False)
            self._commanding.return_load(name)

    def _hear(self, now: float) -> None:
        for order, event in self._orders.take(self.line):
            if event is Event.CANCELLED:
                answer = cancelling.answer(self.outage)
                print(f"{order.rest} cancels: {answer.text}")
                self._decide(event, self._moment(now, self._role(), f"cancelled by {order.rest}"))
                self._orders.answer_cancel(order, answer)
                continue
            on_battery = tuple(name for name in self._commanded() if self._supplies[name].is_on_battery)
            acts = self._decide(event, self._moment(now, self._role(), f"this machine is halted: {order.rest}", on_battery))
            if Act.NOTHING_TO_DO in acts and self._is_to_wait(now):
                acts = (Act.GO_ON_LATER,)
            self._orders.answer(order, acts, self._flag, now)

    def _flag(self) -> str:
        return cut_order([self._upses[name] for name in self._ours(self.outage)], self._settings.CUT_WAIT_SECONDS)

    def _decide(self, event: Event, moment: Moment, apart: str = "") -> tuple[Act, ...]:
        """Decide, write, act."""
        before = self.outage
        asked = self._neighbours.after(before, event, moment.now) if before and not apart else before
        decided = decide_apart(asked, apart, event, moment) if apart and asked else decide(asked, event, moment)
        self.outage = decided.outage
        if decided.outage != before:
            self._file.write(decided.outage)
        if _phase(before, apart) is not _phase(self.outage, apart):
            self._say(before, event, moment, apart)
        if before and self.outage and before.role is Role.ALONE and self.outage.role is Role.SECONDARY and self.outage.is_begun:
            print("the primary has forced a shutdown after all: from here there is no return")
        for act in decided.acts:
            self._do(act, moment, apart)
        return decided.acts

    def _do(self, act: Act, moment: Moment, apart: str) -> None:
        outage = self.outage
        names = [apart] if apart else self._ours(outage) if outage else []
        if act is Act.FORCE:
            self._commanding.force(names)
        elif act in (Act.ASK, Act.ASK_UNLESS_ASKED):
            self._request.want(outage)
            self._request.make(outage)  # before people are told, which takes a moment
            if act is Act.ASK and outage:
                self._tell(OfAShutdown.SHUTDOWN, outage.upses, moment)
        elif act is Act.CANCEL:
            self._request.take_back()
        elif act is Act.RETURN:
            for name in names:
                self._commanding.return_load(name)
                self._neighbours.is_to_be_cut(moment.now + cut_wait_seconds([self._upses[name]]))
        elif act is Act.LOG_IN:
            self._commanding.log_in()
        elif act is Act.LOG_OUT:
            self._commanding.log_out()
        elif act is Act.TELL_HOSTSYNC:
            for name in names:
                self._upses[name].tell(("SHUTDOWN_HOSTSYNC",), moment.now)
        elif act is Act.TELL_MISSING:
            who = ", ".join(self._clients.there(names)) or "an answer of upsd"
            self._tell(OfAShutdown.MISSING, names, moment, f"going on without {who}: still logged in", who)
        elif act is Act.TELL_REFUSED:
            refused = self._commanding.refused(names)
            self._tell(OfAShutdown.REFUSED, names, moment, refused, refused)
        elif act is Act.TELL_ALONE:
            line = "giving up on the primary: it has not forced a shutdown"
            self._tell(OfAShutdown.ALONE, outage.upses if outage else names, moment, line)
        elif act is Act.TELL_STANDS:
            line = f"the forced shutdown of {apart} stands in upsd: sudo systemctl restart nut-server, or its clients go down once more"
            self._tell(OfAShutdown.STANDS, names, moment, line)
        elif act is Act.TELL_WILL_BE_CUT:
            line = "the power is back, and will be cut once more: that restarts everybody who was told to shut down"
            self._tell(OfAShutdown.CUT, names or (outage.upses if outage else ()), moment, line)

    def _say(self, before: Outage | None, event: Event, moment: Moment, apart: str) -> None:
        after = _phase(self.outage, apart) or Phase.WELL
        why = moment.why or (self.outage.why if self.outage else "") or event.value
        line = f"{apart + ': ' if apart else ''}{_phase(before, apart) or Phase.WELL} -> {after}: {why}"
        print(line)
        if after not in _RECORDED:
            return

        def record(ledger: "Ledger") -> None:
            ledger.record(f"ups {self._me.name}", after.value, why)

        self._me.with_ledger(record)

    def _tell(self, event: OfAShutdown, names: Sequence[str], moment: Moment, line: str = "", about: str = "") -> None:
        if line:
            self._me.complain(line)
        known = [name for name in names if name in self._upses] or [*self._upses]
        self._upses[known[0]].tell_of_a_shutdown(event, known, about, moment.now)

    def _ours(self, outage: Outage | None) -> list[str]:
        return [name for name in outage.upses if name in self._supplies and self._supplies[name].is_ours] if outage else []

    def _commanded(self) -> list[str]:
        return [name for name, each in self._supplies.items() if each.is_ours]

    def _is_forcing(self, name: str) -> bool:
        if self.outage is None:
            return False
        own = self.outage.apart.get(name)
        return (self.outage.is_begun and name in self.outage.upses) or (own is not None and own.is_begun)

    def _role(self) -> Role:
        return supplies.role([*self._supplies.values()])

    def _moment(self, now: float, role: Role, why: str = "", upses: tuple[str, ...] = ()) -> Moment:
        wall = self._me.clock.wall()
        return Moment(now, role, why, upses, f"{wall:.0f}", boot_id(), wall)


def _phase(outage: Outage | None, apart: str) -> Phase | None:
    if outage is None:
        return None
    if apart:
        own = outage.apart.get(apart)
        return own.phase if own else None
    return outage.phase
