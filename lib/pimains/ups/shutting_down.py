"""From danger to halt: what the plan decides is written, then done over the links, through halt's request, and in answers to its steps.

shutting = ShuttingDown(me, settings, upses)
shutting.looked(ups, now)      # after each look at a UPS
shutting.tick(now)             # when time has passed, or one of shutting.files() is readable
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from pimains.core import notify_queue, state
from pimains.core.clock import boot_id
from pimains.core.instance import Instance
from pimains.core.naps import Readable
from pimains.shared import battery_end, halt_length, halt_request
from pimains.shared.orders.service_end import Orders
from pimains.ups.forcing import Forcing, return_load
from pimains.ups.outage_file import OutageFile
from pimains.ups.plan import battery as batteries
from pimains.ups.plan import clients, supplies
from pimains.ups.plan.outage import Act, Event, Moment, Outage, Phase, Role, Wait, decide, decide_apart, timer
from pimains.ups.plan.supplies import Supply
from pimains.ups.settings import UpsSettings
from pimains.ups.watched import Watched

if TYPE_CHECKING:
    from pimains.core.ledger import Ledger  # sqlite3 costs a megabyte, and is used when there is an outage

WORDS = {"outage-halt": "REASON", "outage-last": "REASON", "outage-stay": "REASON", "outage-rehearse": "REASON"}
_LOGOUT_SECONDS = 2.0
_AGAIN_SECONDS = 1.0
_CUT_WAIT_AFTER_OFFDELAY = 60.0
_CUT_WAIT_UNKNOWN = 300.0
_LATER = (Phase.FORCED, Phase.DELAYED)
_RECORDED = (Phase.DELAYED, Phase.ASKED, Phase.RETURNING)  # FSD does not wait for the ledger, and a line that flaps does not fill it
_ANSWERS = {Act.NOTHING_TO_DO: "nothing to do", Act.GO_ON: "go on"}


class ShuttingDown:
    """Of all UPSes of one instance."""

    def __init__(self, me: Instance, settings: UpsSettings, upses: Sequence[Watched]) -> None:
        self._me, self._settings = me, settings
        self._upses = {each.name: each for each in upses}
        self._supplies = {each.name: Supply(each.name, each.power, settings.commands(each.ups)) for each in upses}
        self._forcing = {each.name: Forcing() for each in upses}
        self._file = OutageFile(me)
        self._orders = Orders(me.run, WORDS)
        self._forced = set((state.read(me.run / "forced") or "").split())  # by this machine, and it stands there still
        self._later: list[str] = []  # orders that are answered when halt was asked
        self._last: dict[str, tuple[float, str]] = {}  # orders that are answered when this machine is logged out
        self._wants_to_ask = False
        self._again_at = 0.0
        self._gone_since: float | None = None
        self._took: dict[str, Sequence[float]] = {}
        self._has_left_an_end = True  # the one before may have
        self._there: tuple[str, ...] = ()
        self.outage = self._file.read()
        if self.outage:
            is_of_this_boot = self.outage.boot == boot_id()
            self._decide(Event.RESTARTED if is_of_this_boot else Event.BOOTED, self._moment(me.clock.monotonic(), self._role()))

    def files(self) -> list[Readable]:
        """Readable when a step of halt asks."""
        return [self._orders]

    def close(self) -> None:
        """No step is answered any more."""
        self._orders.close()

    def seconds_to_wait(self, now: float) -> float:
        """Until there is something to do besides the next look."""
        if self._later or self._last or self._wants_to_ask or (self.outage and self.outage.is_begun):
            return max(0.05, min(1.0, self._until_timer(now)))
        return float("inf")

    def need_seconds(self) -> float:
        """How long a shutdown takes from now on."""
        settings = self._settings
        halting = settings.FINALDELAY_SECONDS + halt_length.read().measured + battery_end.SHUTDOWN_SECONDS
        if self._role() is Role.SECONDARY:
            return halting + settings.HOSTSYNC_SECONDS_MAX
        return halting + self._budget(self._clients())

    def line(self) -> str:
        """What is under way, in words; "" for nothing."""
        if not (self.outage and self.outage.is_begun):
            return ""
        names = {
            Phase.FORCED: f"forced shutdown, waiting for {', '.join(self._clients() or ['its answer'])}",
            Phase.DELAYED: "shutting down in a moment",
        }
        return f"{names.get(self.outage.phase, 'this machine is shutting down')}: {self.outage.why}"

    def looked(self, ups: Watched, now: float) -> None:
        """`ups` was looked at just now."""
        before = self._supplies[ups.name]
        if ups.standing.fresh_at == now and ups.standing.fsd is None and ups.name in self._forced and not self._is_forcing(ups.name):
            self._forced.discard(ups.name)
            self._keep_forced()
        need = self.need_seconds() if ups.standing.is_on_battery else 0.0  # it reads files
        why = batteries.due(ups.battery, ups.standing, ups.pasts, self._settings.to_last, need, now)
        self._supplies[ups.name] = supplies.looked_at(before, ups.standing, why, now, is_fsd_ours=ups.name in self._forced)
        self._leave_battery_end(now)
        for each in supplies.happened(self.outage, [*self._supplies.values()], self._settings.MINSUPPLIES):
            self._decide(each.event, self._moment(now, each.role, each.why, each.upses), each.apart)
        self.tick(now)

    def tick(self, now: float) -> None:
        """Whatever the time has brought, and who asks."""
        self._hear(now)
        if now >= self._again_at:
            self._again_at = now + _AGAIN_SECONDS
            self._try_again(now)
        self._mind_timers(now)
        if self._wants_to_ask:
            self._ask()
        self._answer_who_waits(now)

    def _mind_timers(self, now: float) -> None:
        if self.outage is None:
            return
        names = self._ours(self.outage)
        if self.outage.phase is Phase.FORCED and self.outage.role is Role.PRIMARY:
            self._note_who_left(names, now - self.outage.since)
            if names and all(self._forcing[name].refused for name in names):
                self._decide(Event.REFUSED, self._moment(now, self.outage.role))
        while self.outage and (event := timer(self.outage, now, self._wait(names))):
            before = self.outage
            role = before.role if before.is_begun else Role.SECONDARY  # who waits for its primary
            self._decide(event, self._moment(now, role, before.why, before.upses))
            if self.outage == before:
                break
        for name, own in [*(self.outage.apart if self.outage else {}).items()]:
            if event := timer(own, now, self._wait([name])):
                self._decide(event, self._moment(now, Role.APART, own.why), name)

    def _wait(self, names: Sequence[str]) -> Wait:
        forcing = [self._forcing[name] for name in names]
        there = None if any(not each.is_over or each.clients is None for each in forcing) else self._clients(names)
        settings = self._settings
        return Wait(there, self._budget(there), settings.FINALDELAY_SECONDS, settings.HOSTSYNC_SECONDS_MAX)

    def _until_timer(self, now: float) -> float:
        if self.outage and self.outage.phase is Phase.DELAYED:
            return self.outage.since + self._settings.FINALDELAY_SECONDS - now
        return 1.0

    def _budget(self, there: Sequence[str] | None) -> float:
        if there is None:
            return self._settings.HOSTSYNC_SECONDS_MAX
        if unknown := [address for address in dict.fromkeys(there) if address not in self._took]:

            def look(ledger: "Ledger") -> dict[str, list[float]]:
                return {address: ledger.durations(_client(address)) for address in unknown}

            self._took.update(self._me.with_ledger(look) or {address: [] for address in unknown})
        return clients.wait_seconds(there, self._took, self._settings.HOSTSYNC_SECONDS_MAX)

    def _clients(self, names: Sequence[str] | None = None) -> tuple[str, ...]:
        of = [name for name, each in self._supplies.items() if each.is_ours] if names is None else names
        return tuple(address for name in of for address in self._forcing[name].clients or ())

    def _note_who_left(self, names: Sequence[str], seconds: float) -> None:
        there = self._clients(names)
        if gone := clients.gone(self._there, there):

            def note(ledger: "Ledger") -> None:
                for address in gone:
                    ledger.took(_client(address), seconds)

            print(f"logged out after {seconds:.1f} s: {', '.join(gone)}")
            self._me.with_ledger(note)
        self._there = there

    def _try_again(self, now: float) -> None:
        """Once a second: what upsd has not answered, who is still there, whether halt has lost our request."""
        if self.outage is None:
            return
        watched = {*self._ours(self.outage), *self.outage.apart}
        if not self.outage.is_begun:
            watched |= {name for name, each in self._supplies.items() if each.is_ours}
        for name in watched:
            is_forced = self._is_forcing(name)
            forcing = self._forcing[name]
            if is_forced or not self.outage.is_begun:
                self._upses[name].link.ask(forcing.force if is_forced and not forcing.is_over else forcing.look)
        if self.outage.phase in (Phase.ASKED, Phase.CUTTING) and not self._wants_to_ask:
            is_gone = halt_request.pending() is None
            if is_gone and self._gone_since is not None:
                self._decide(Event.REQUEST_GONE, self._moment(now, self.outage.role))
            self._gone_since = now if is_gone else None

    def _hear(self, now: float) -> None:
        for order in self._orders.take():
            if order.word == "outage-rehearse":
                self._orders.answer(order.id, self.line() or "nothing would be cut")
                continue
            event = {"outage-halt": Event.STEP_40, "outage-last": Event.STEP_85, "outage-stay": Event.CALLED_OFF}[order.word]
            on_battery = tuple(name for name, each in self._supplies.items() if each.is_ours and each.is_on_battery)
            acts = self._decide(event, self._moment(now, self._role(), f"this machine is halted: {order.rest}", on_battery))
            if Act.GO_ON_LATER in acts:
                self._later.append(order.id)
            elif event is Event.STEP_85:
                self._last[order.id] = now + _LOGOUT_SECONDS, self._flag() if Act.FLAG in acts else "nothing to cut"
            else:
                self._orders.answer(order.id, next((_ANSWERS[act] for act in acts if act in _ANSWERS), "goes on as before"))

    def _answer_who_waits(self, now: float) -> None:
        if not (self.outage and self.outage.phase in _LATER):
            for id_ in self._later:
                self._orders.answer(id_, "go on")
            self._later = []
        for id_, (until, text) in [*self._last.items()]:
            if now >= until or all(self._forcing[name].is_logged_out for name in self._upses):
                self._orders.answer(id_, text)
                del self._last[id_]

    def _flag(self) -> str:
        """cut SECONDS UPS...: what step 85 writes down for the last act."""
        names = self._ours(self.outage) if self.outage else []
        delays = [state.number(self._upses[name].variables.get("ups.delay.shutdown")) for name in names]
        known = [delay for delay in delays if delay is not None and 0 <= delay <= 3600]
        wait = max(known) + _CUT_WAIT_AFTER_OFFDELAY if len(known) == len(names) else _CUT_WAIT_UNKNOWN
        wait = self._settings.CUT_WAIT_SECONDS or wait
        return " ".join([f"cut {wait:.0f}", *(self._upses[name].ups.name for name in names)])

    def _decide(self, event: Event, moment: Moment, apart: str = "") -> tuple[Act, ...]:
        """Decide, write, act."""
        decided = decide_apart(self.outage, apart, event, moment) if apart and self.outage else decide(self.outage, event, moment)
        before, self.outage = self.outage, decided.outage
        if decided.outage != before:
            self._file.write(decided.outage)
        if _phase(before, apart) is not _phase(self.outage, apart):
            self._say(before, event, moment, apart)
        for act in decided.acts:
            self._do(act, moment, apart)
        return decided.acts

    def _do(self, act: Act, moment: Moment, apart: str) -> None:
        outage = self.outage
        names = [apart] if apart else self._ours(outage) if outage else []
        if act is Act.FORCE:
            self._force(names)
        elif act in (Act.ASK, Act.ASK_UNLESS_ASKED):
            self._wants_to_ask = not self._is_asked()
        elif act is Act.CANCEL:
            self._wants_to_ask = False
            with suppress(OSError):
                halt_request.cancel(self._me.name, only_own=True)
        elif act is Act.RETURN:
            for name in names:
                self._upses[name].link.ask(return_load(self._me.complain))
        elif act in (Act.LOG_IN, Act.LOG_OUT):
            for name, ups in self._upses.items():
                self._forcing[name].is_logged_out = not ups.link.nut.is_logged_in
                ups.link.stay_logged_in() if act is Act.LOG_IN else ups.link.leave(self._forcing[name].log_out)
        elif act is Act.TELL_HOSTSYNC:
            for name in names:
                self._upses[name].tell(("SHUTDOWN_HOSTSYNC",), moment.now)
        elif act is Act.TELL_MISSING:
            self._tell(f"going on without {', '.join(self._clients(names)) or 'an answer of upsd'}: still logged in", "ups-missing")
        elif act is Act.TELL_REFUSED:
            self._tell("; ".join(dict.fromkeys(self._forcing[name].refused for name in names)), "ups-refused")
        elif act is Act.TELL_ALONE:
            self._tell("giving up on the primary: it has not forced a shutdown", "ups-alone")
        elif act is Act.TELL_WILL_BE_CUT:
            self._tell("the power is back, and will be cut once more: that restarts everybody who was told to shut down", "ups-cut")

    def _force(self, names: Sequence[str]) -> None:
        self._forced.update(names)
        self._keep_forced()
        for name in names:
            forcing = self._forcing[name] = Forcing()
            self._upses[name].link.ask(forcing.force)
            self._upses[name].link.hurry()

    def _ask(self) -> None:
        if self.outage is None:
            self._wants_to_ask = False
            return
        try:
            halt_request.ask(self.outage.why, self._me.name, is_final=self.outage.is_final)
            self._wants_to_ask = False
        except OSError as error:
            self._me.complain(f"this machine cannot be shut down: {error.strerror} (is there a halt service?)")

    def _is_asked(self) -> bool:
        """Whether halt has our request, and does not let anybody take it back where nobody may."""
        request = halt_request.pending()
        return (
            request is not None and request.requester == self._me.name and (request.is_final or not (self.outage and self.outage.is_final))
        )

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

    def _tell(self, line: str, event: str) -> None:
        self._me.complain(line)
        notify_queue.post(line, self.outage.why if self.outage else "", event, durable=False)

    def _leave_battery_end(self, now: float) -> None:
        feeding = [ups for ups in self._upses.values() if ups.power]
        if not any(ups.standing.is_on_battery for ups in feeding):
            if self._has_left_an_end:
                battery_end.forget(self._me)
                self._has_left_an_end = False
            return
        self._has_left_an_end = True
        ends = [(ups.power, end.at if (end := ups.ends(now)) else None) for ups in feeding if ups.standing.is_on_battery]
        left = sum(ups.power for ups in feeding if not ups.standing.is_on_battery)
        if left < self._settings.MINSUPPLIES:
            battery_end.leave(self._me, supplies.power_ends(ends, left, self._settings.MINSUPPLIES))

    def _ours(self, outage: Outage | None) -> list[str]:
        return [name for name in outage.upses if name in self._supplies and self._supplies[name].is_ours] if outage else []

    def _is_forcing(self, name: str) -> bool:
        if self.outage is None:
            return False
        own = self.outage.apart.get(name)
        return (self.outage.is_begun and name in self.outage.upses) or (own is not None and own.is_begun)

    def _keep_forced(self) -> None:
        self._me.leave("forced", " ".join(sorted(self._forced)) or None)

    def _role(self) -> Role:
        return supplies.role([*self._supplies.values()])

    def _moment(self, now: float, role: Role, why: str = "", upses: tuple[str, ...] = ()) -> Moment:
        wall = self._me.clock.wall()
        return Moment(now, role, why, upses, f"{wall:.0f}", boot_id(), wall)


def _client(address: str) -> str:
    return f"ups client {address}"


def _phase(outage: Outage | None, apart: str) -> Phase | None:
    if outage is None:
        return None
    if apart:
        own = outage.apart.get(apart)
        return own.phase if own else None
    return outage.phase
