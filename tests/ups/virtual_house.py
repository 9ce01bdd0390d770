"""A house in virtual time: a machine with its UPS, and other machines that it takes down and wakes, a second at a time.

house = VirtualHouse(MODELS["returns"], Role.PRIMARY)
house.live(until=100)                 # on battery from ON_BATTERY_AT on
after = house.copy()
after.mains_back()
after.live_until_over()

The plan is the service's own; halt, the last act, the UPS and the hosts are played here, as services/ups/README.md has them.
"""

import copy
from collections.abc import Mapping
from typing import NamedTuple

from pimains.shared.plan import host_steps
from pimains.shared.plan.outage import Outage, Phase, Role
from pimains.ups.plan import neighbours
from pimains.ups.plan.going_down import Known, Seen, Strain
from pimains.ups.plan.neighbours import Do, Situation
from pimains.ups.plan.outage import Act, Event, Moment, Wait, decide, decide_apart, timer
from pimains.ups.plan.shedding import ShedAt
from pimains.ups.plan.supplies import Supply, happened

ON_BATTERY_AT, LOW_AFTER, FINAL_DELAY, HALT_STEPS, HALT_COMMAND, OFFDELAY, CUT_WAIT, BOOT = 5, 300, 5, 15, 10, 20, 80, 30
LASTS, WAKE_AFTER, HOST_BOOTS, DOWN_MAX, PRIMARY_WAITS = 560, 10, 15, 40, 120
LONGEST_RETURN = 900


class Model(NamedTuple):
    """What a UPS does that is told to cut: whether it obeys with the mains there, and without them; it gives back with the mains."""

    cuts_on_line: bool
    cuts_on_battery: bool


MODELS = {"returns": Model(True, True), "ignores": Model(False, True), "cannot": Model(False, False)}
HOUSE = {
    "router": Known(down_seconds=DOWN_MAX, down_seconds_max=DOWN_MAX),
    "nas": Known(("router",), wake="yes", down_seconds=DOWN_MAX, down_seconds_max=DOWN_MAX),
    "pc": Known(("nas",), ShedAt(after=60), down_seconds=DOWN_MAX, down_seconds_max=DOWN_MAX),
    "tv": Known(("nas",), ShedAt(after=120), wake="no", down_seconds=DOWN_MAX, down_seconds_max=DOWN_MAX),
    "client": Known(goes_by_fsd=True, down_seconds=DOWN_MAX, down_seconds_max=DOWN_MAX),
    "spare": Known(down_seconds=DOWN_MAX, down_seconds_max=DOWN_MAX),  # it was off before
}
GOES_DOWN_IN = {"router": 6, "nas": 33, "pc": 12, "tv": 3, "client": 20, "spare": 10}
WANTED = {"router", "nas", "pc", "client"}


class VirtualHouse:
    """One; `supply` is its UPS as the machine sees it."""

    def __init__(self, model: Model, role: Role) -> None:
        self.model, self.role = model, role
        self.second = 0
        self.has_mains = True
        self.on_battery_since = self.low_since = 0
        self.battery = LASTS
        self.is_fed = True  # by the UPS
        self.cut_at: int | None = None
        self.outage: Outage | None = None
        self.supply = Supply("eaton", 0 if role is Role.APART else 1, role is not Role.SECONDARY, is_on_line=True, looks=9)
        self.well_since: int | None = 0
        self.is_up, self.boot = True, 1
        self.boots_at: int | None = None
        self.asked_at: int | None = None
        self.last_act_at: int | None = None
        self.forced_at: int | None = None
        self.hosts = {name: ("off" if name == "spare" else "up", 0) for name in HOUSE}
        self.looked_at: dict[str, int] = {}
        self.packet_at: dict[str, int] = {}
        self.seen: dict[str, Seen] = {}
        self.steps: dict[str, host_steps.Step | None] = {}
        self.read: tuple[Mapping[str, Mapping[str, object]], dict[str, host_steps.Host]] = {}, {}
        self.orders: list[str] = []
        self.woken: list[str] = []
        self.lost: set[str] = set()  # whose power went while it was up

    def copy(self) -> "VirtualHouse":
        """Another one that goes its own way from here."""
        other = copy.copy(self)
        for name in ("hosts", "looked_at", "packet_at", "seen", "steps", "lost"):
            setattr(other, name, getattr(self, name).copy())
        other.orders, other.woken = [*self.orders], [*self.woken]
        return other

    def mains_fail(self) -> None:
        self.has_mains, self.on_battery_since = False, self.second

    def mains_back(self) -> None:
        self.has_mains = True

    def kill(self) -> None:
        """The service, with -9: it goes on from what is written."""
        if self.is_up:
            self.seen, self.steps, self.looked_at, self.packet_at, self.well_since = {}, {}, {}, {}, None
            if self.outage:
                self._decide(Event.RESTARTED)

    def live(self, until: int) -> None:
        while self.second < until:
            self.live_a_second()

    def live_until_over(self) -> None:
        """The mains are there, until all is as it was, or never will be."""
        end = self.second + LONGEST_RETURN
        while self.second < end and not (self.outage is None and self.is_up and self.is_fed and self.boots_at is None):
            self.live_a_second()

    def live_a_second(self) -> None:
        self.second += 1
        self._power()
        for name, (state, until) in [*self.hosts.items()]:
            if until and self.second >= until:
                self.hosts[name] = {"going": "off", "booting": "up"}.get(state, state), 0
        if self.boots_at == self.second:
            self.is_up, self.boots_at, self.asked_at = True, None, None
            self.boot += 1
            self.seen, self.steps, self.looked_at, self.packet_at, self.well_since = {}, {}, {}, {}, None
            if self.outage:
                self._decide(Event.BOOTED)
        if self.is_up:
            self._look()
            self._mind_hosts()
            self._time()

    def _power(self) -> None:
        self.battery += 1 if self.has_mains else -1
        obeys = self.model.cuts_on_line if self.has_mains else self.model.cuts_on_battery
        if self.cut_at == self.second:
            self.cut_at = None
            if obeys:
                self._dark()
        if self.battery <= 0 and not self.has_mains:
            self._dark()
        self.battery = min(self.battery, LASTS)
        if not self.is_fed and self.has_mains:
            self.is_fed = True
            if not self.is_up and self.boots_at is None:
                self.boots_at, self.last_act_at = self.second + BOOT, None
        if self.last_act_at is not None and self.second == self.last_act_at + CUT_WAIT and self.is_fed:
            # it was never cut: it starts again by itself, and a secondary is woken by its primary
            self.boots_at, self.last_act_at = self.second + BOOT, None

    def _dark(self) -> None:
        if self.is_fed:
            self.lost |= {name for name, (state, _) in self.hosts.items() if state in ("up", "going")}
        self.is_fed = False
        self.hosts = dict.fromkeys(self.hosts, ("off", 0))
        if self.role is not Role.APART:
            self.is_up, self.boots_at, self.last_act_at = False, None, None

    def _look(self) -> None:
        is_on_battery = not self.has_mains
        is_low = is_on_battery and (self.second - self.on_battery_since >= LOW_AFTER or self.battery < LASTS - LOW_AFTER)
        looks = self.supply.looks + 1 if is_on_battery == self.supply.is_on_battery else 1
        is_forced = is_low and self.role is Role.SECONDARY
        why = "low" if is_low and not is_forced else ""
        self.supply = self.supply._replace(
            is_on_battery=is_on_battery, is_on_line=not is_on_battery, is_forced=is_forced, why=why, is_certain=is_low, looks=looks
        )
        if is_on_battery or looks < 2:
            self.well_since = None
        elif self.well_since is None:
            self.well_since = self.second
        for each in happened(self.outage, [self.supply], 1):
            self._decide(each.event, each.role, each.why, each.apart)

    def _situation(self, outage: Outage) -> Situation:
        all_go = "low" if outage.is_begun or any(own.is_begun for own in outage.apart.values()) else ""
        on_battery = self.second - self.on_battery_since if self.supply.is_on_battery and self.supply.is_confirmed else 0
        return Situation(outage.phase, Strain(all_go, on_battery=on_battery), may_wake=self.well_since is not None)

    def _mind_hosts(self) -> None:
        if self.outage is None:
            self.seen, self.steps, self.looked_at, self.packet_at = {}, {}, {}, {}
            return
        before = self._hosts()
        for name, host in before.items():
            if not neighbours.keeps_looks(self.steps.get(name), host.step):
                self.seen[name] = Seen()
            self.steps[name] = host.step
        minded = neighbours.mind(HOUSE, before, self.seen, self._situation(self.outage), self.second, self.second)
        hosts = minded.hosts
        self._keep(hosts)
        if minded.moves and self.outage.phase is Phase.ON_BATTERY:
            self._decide(Event.SHED)
        for move in minded.moves:
            if move.do is Do.ORDER:
                self.orders.append(move.host)
                self._is_told(move.host)
        phase = self.outage.phase
        for name in HOUSE:
            self._look_at(name, hosts, phase)
        cut = CUT_WAIT if self.role is Role.APART else 0  # the service waits for so long in that role
        is_recharged = self.well_since is not None and self.second >= max(
            self.well_since + WAKE_AFTER, self.outage.since + cut + WAKE_AFTER
        )
        if event := neighbours.event(HOUSE, hosts, phase, is_recharged=is_recharged):
            self._decide(event)

    def _hosts(self) -> dict[str, host_steps.Host]:
        """Read again only where it is another outage: that costs half of the time."""
        if self.outage is None:
            return {}
        if self.read[0] is not self.outage.hosts:
            self.read = self.outage.hosts, host_steps.read(self.outage.hosts)
        return self.read[1]

    def _keep(self, hosts: host_steps.Hosts) -> None:
        if self.outage and hosts != self._hosts():
            self.outage = self.outage._replace(hosts=host_steps.written(hosts))

    def _is_told(self, name: str) -> None:
        state = self.hosts[name][0]
        if state == "up":
            self.hosts[name] = "going", self.second + GOES_DOWN_IN[name]
        if self.outage and name in self.outage.hosts and state in ("up", "going"):
            told = neighbours.acknowledged(self._hosts(), name, self.second)
            self._keep(told)

    def _look_at(self, name: str, hosts: host_steps.Hosts, phase: Phase) -> None:
        seen = self.seen.get(name, Seen())
        every = neighbours.seconds_between_looks(HOUSE, hosts, name, seen, phase)
        if every is not None and self.second - self.looked_at.get(name, -99) >= every:
            self.looked_at[name] = self.second
            self.seen[name] = seen.and_look("up" if self.hosts[name][0] in ("up", "going") else "silent")
        host = hosts.get(name)
        if host and host.step is host_steps.Step.WOKEN and phase is Phase.WAKING and self.second - self.packet_at.get(name, -99) >= 30:
            self.packet_at[name] = self.second
            self.woken.append(name)
            if self.hosts[name][0] == "off" and self.is_fed:
                self.hosts[name] = "booting", self.second + HOST_BOOTS

    def _time(self) -> None:
        for apart in ("", *(self.outage.apart if self.outage else ())):
            while (own := self._own(apart)) and (event := timer(own, self.second, self._wait())):
                before = self.outage
                self._decide(event, apart=apart)
                if self.outage == before:
                    break
        if self.asked_at is not None and self.second == self.asked_at + HALT_STEPS:
            self._decide(Event.STEP_85)
        if self.asked_at is not None and self.second == self.asked_at + HALT_STEPS + HALT_COMMAND:
            self.is_up, self.asked_at, self.last_act_at = False, None, self.second
            self.cut_at = self.second + OFFDELAY

    def _own(self, apart: str) -> Outage | None:
        return self.outage.apart.get(apart) if apart and self.outage else self.outage

    def _wait(self) -> Wait:
        client = self.hosts["client"][0]
        hosts = self._hosts()
        are_going = bool(self.outage and neighbours.is_under_way(HOUSE, hosts, self._situation(self.outage)))
        return Wait(("client",) if client == "up" else (), 60, FINAL_DELAY, PRIMARY_WAITS, for_hosts=are_going)

    def _decide(self, event: Event, role: Role | None = None, why: str = "low", apart: str = "") -> None:
        moment = Moment(self.second, role or self.role, why, ("eaton",), "1", str(self.boot), 0.0)
        if self.outage and not apart:
            hosts = neighbours.after_event(HOUSE, self._hosts(), event, self.outage.phase, self.second)
            self._keep(hosts)
        decided = decide_apart(self.outage, apart, event, moment) if apart and self.outage else decide(self.outage, event, moment)
        self.outage = decided.outage
        if Act.ASK in decided.acts:
            self.asked_at = self.second
        if Act.CANCEL in decided.acts:
            self.asked_at = None
        if Act.RETURN in decided.acts:
            self.cut_at = self.second + OFFDELAY
        if (self.outage and self.outage.phase is Phase.FORCED) or Act.FORCE in decided.acts:
            self._is_told("client")
