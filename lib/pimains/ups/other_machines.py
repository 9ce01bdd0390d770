"""The other machines of the house in an outage: what plan.neighbours decides is said to them, each by a child of its own (hosts.talk).

others = OtherMachines(me, ["eaton"])
minded = others.mind(hosts, situation, now)     # what was answered meanwhile is in it
# the caller writes minded.hosts, then
others.act(minded.moves)
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from pimains.core.errors import Away, PimainsError, Refused, WrongSetting
from pimains.core.instance import Instance
from pimains.shared.plan.host_steps import Host, Hosts, Step
from pimains.shared.plan.outage import Phase
from pimains.ups.hosts import directories, last_look, talk
from pimains.ups.hosts.budgets import Budgets
from pimains.ups.hosts.settings import HostSettings
from pimains.ups.hosts.talk import Talk
from pimains.ups.plan import neighbours, proving
from pimains.ups.plan.going_down import House, Known, Seen
from pimains.ups.plan.neighbours import Do, Minded, Move, Situation
from pimains.ups.plan.waking import PACKETS_EVERY_SECONDS

if TYPE_CHECKING:
    from pimains.core.ledger import Ledger

_LOOK, _BOOT, _ORDER, _WAKE = "look", "boot", "order", "wake"
Talks: TypeAlias = Mapping[str, Callable[[HostSettings], Talk]]
TALKS: Talks = {_LOOK: talk.look_at, _BOOT: talk.boot_id, _ORDER: talk.order_down, _WAKE: talk.wake}
_BOOT_SECONDS = 5.0  # between two questions while something depends on it
_BOOT_SELDOM_SECONDS = 300.0


class OtherMachines:
    """Of one instance, whose UPSes are called `upses`; without hosts it does nothing. `talks` is how each kind of talk is begun."""

    def __init__(self, me: Instance, upses: Collection[str], talks: Talks = TALKS) -> None:
        self._me = me
        self._begin_talk = talks
        read = directories.read(me.directory, upses)
        self._hosts = read.good
        self.faults = [*read.wrong.values()]
        self._after = read.after
        self._budgets = Budgets(me)
        self._talks: dict[tuple[str, str], Talk] = {}
        self._begun_at: dict[tuple[str, str], float] = {}
        self._seen: dict[str, Seen] = {}
        self._steps: dict[str, Step] = {}
        self._said: dict[tuple[str, str], str] = {}
        self.untold: dict[str, str] = {}  # who does not take orders, and why; until it was told

    def files(self) -> list[Talk]:
        """Readable when one has answered."""
        return [*self._talks.values()]

    def close(self) -> None:
        """Nobody is asked any more."""
        for each in self._talks.values():
            each.close()
        self._talks = {}

    def rest(self) -> None:
        """There is no outage."""
        if self._talks or self._seen:
            self.close()
            self._begun_at, self._seen, self._steps, self._said, self.untold = {}, {}, {}, {}, {}
            self._me.leave("hosts", None)

    def house(self) -> House:
        """What plan.neighbours has to know of them."""
        return {name: self._known(each) for name, each in self._hosts.items()}

    def mind(self, hosts: Hosts, situation: Situation, now: float) -> Minded:
        """What has become of them, and what is to be done; then look at them as often as that asks for."""
        house = self.house()
        hosts = self._with_answers(hosts, now)
        seen = {name: self._seen_of(name, hosts.get(name)) for name in house}
        minded = neighbours.mind(house, hosts, seen, situation, now, self._me.clock.wall())
        for name, host in minded.hosts.items():
            self._follow(name, hosts.get(name), host, now)
        self._look(house, minded.hosts, situation.phase, now)
        return minded

    def act(self, moves: Sequence[Move]) -> None:
        """Do what was written down."""
        for move in moves:
            again = "" if move.is_first else " once more"
            print(f"host {move.host}: {move.do}{again}: {move.why}")

            def record(ledger: "Ledger", move: Move = move, again: str = again) -> None:
                ledger.record(f"host {move.host}", f"{move.do}{again}", move.why)

            self._me.with_ledger(record)
            if move.do is Do.ORDER and not self._hosts[move.host].CLIENT:
                self._begin(_ORDER, move.host)

    def _known(self, host: HostSettings) -> Known:
        return Known(
            after=self._after[host.name],
            shed_at=host.SHED_AT,
            goes_by_fsd=bool(host.CLIENT),
            wake=host.WAKE,
            can_be_woken=host.can_be_woken,
            down_seconds=self._budgets.down_seconds(host),
            down_seconds_max=host.DOWN_SECONDS_MAX,
            upses=host.UPS,
        )

    def _seen_of(self, name: str, host: Host | None) -> Seen:
        """Since it came to its step."""
        if host and self._steps.get(name) is not host.step:
            if not neighbours.keeps_looks(self._steps.get(name), host.step):
                self._seen[name] = Seen()
            self._steps[name] = host.step
        return self._seen.get(name, Seen())._replace(is_busy=(_ORDER, name) in self._talks)

    def _with_answers(self, hosts: Hosts, now: float) -> Hosts:
        for (what, name), under_way in [*self._talks.items()]:
            if not under_way.has_ended():
                continue
            del self._talks[what, name]
            try:
                hosts = self._answered(hosts, what, name, under_way.answer(), now)
                self._said.pop((what, name), None)
            except PimainsError as error:
                hosts = self._failed(hosts, what, name, error, now)
        return hosts

    def _answered(self, hosts: Hosts, what: str, name: str, answer: str, now: float) -> Hosts:
        seen = self._seen.get(name, Seen())
        if what == _LOOK:
            self._seen[name] = seen.and_look(answer)
            self._me.leave(*last_look.file(name, answer, now))
        elif what == _BOOT:
            self._seen[name] = seen._replace(boot=answer)
        elif what == _ORDER and name in hosts:
            hosts = neighbours.acknowledged(hosts, name, now)
        return hosts

    def _failed(self, hosts: Hosts, what: str, name: str, error: PimainsError, now: float) -> Hosts:
        if self._said.get((what, name)) != str(error):
            self._said[what, name] = str(error)
            self._me.complain(f"host {name}: {error}")
        is_final = isinstance(error, Refused | WrongSetting)
        if what == _ORDER and is_final and name in hosts and hosts[name].tries == 1:  # later it may refuse because it is going down
            self.untold[name] = str(error)
            hosts = neighbours.refused(hosts, name, now)
        return hosts

    def _follow(self, name: str, before: Host | None, after: Host, now: float) -> None:
        """Whatever `mind` made of it."""
        if before and before.is_going and after.step is Step.DOWN and after.tries == 1:
            self._budgets.went_down(self._hosts[name], now - after.ordered_at)
        if before is None or before.step is not after.step:
            print(f"host {name}: {before.step if before else 'as it was'} -> {after.step}")
            if after.step is Step.WOKEN:
                self._begun_at.pop((_WAKE, name), None)
        if before is not None and before.tries != after.tries:  # what it told is old
            self._seen[name] = Seen()

    def _look(self, house: House, hosts: Hosts, phase: Phase, now: float) -> None:
        is_back = phase in (Phase.RETURNING, Phase.WAKING)
        for name in house:
            host, seen = hosts.get(name), self._seen.get(name, Seen())
            self._begin_after(neighbours.seconds_between_looks(house, hosts, name, seen, phase), _LOOK, name, now)
            if self._hosts[name].SSH and not is_back and (_ORDER, name) not in self._talks:
                if host and host.step is Step.ORDERED:
                    self._begin_after(_BOOT_SECONDS, _BOOT, name, now)
                elif (host is None or host.step is Step.UP) and not seen.boot and proving.is_up(seen.looks):
                    self._begin_after(_BOOT_SELDOM_SECONDS, _BOOT, name, now)
            if host and host.step is Step.WOKEN and phase is Phase.WAKING and house[name].can_be_woken:
                self._begin_after(PACKETS_EVERY_SECONDS, _WAKE, name, now)

    def _begin_after(self, seconds: float | None, what: str, name: str, now: float) -> None:
        last = self._begun_at.get((what, name))
        if seconds is not None and (what, name) not in self._talks and (last is None or now - last >= seconds):
            self._begun_at[what, name] = now
            self._begin(what, name)

    def _begin(self, what: str, name: str) -> None:
        try:
            self._talks[what, name] = self._begin_talk[what](self._hosts[name])
        except Away as error:
            self._me.complain(f"host {name}: {error}")
