"""The other machines and one outage: what its battery asks of them, whether this machine waits for them, and when they are woken.

What is decided about each is plan.neighbours', and said to it by other_machines; without any hosts all of this is nothing.
"""

import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from pimains.core import state
from pimains.core.instance import Instance
from pimains.core.naps import Readable
from pimains.shared.plan import host_steps
from pimains.shared.plan.host_steps import Host, Step
from pimains.shared.plan.outage import Outage, Phase, Role
from pimains.ups.plan import battery as batteries
from pimains.ups.plan import going_down, host_words, neighbours, strain, supplies, waking
from pimains.ups.plan.going_down import House
from pimains.ups.plan.neighbours import Do, Minded, Move, Situation
from pimains.ups.plan.outage import Event
from pimains.ups.plan.strain import Feeding, Strain
from pimains.ups.plan.supplies import Supply
from pimains.ups.plan.telling import OfAShutdown
from pimains.ups.settings import UpsSettings
from pimains.ups.watched import Watched

if TYPE_CHECKING:
    from pimains.ups.other_machines import OtherMachines, Talks

_NOTHING = Minded({})


class Came(NamedTuple):
    """What came about: an event, why, and what people are told of it, with `about`."""

    event: Event
    why: str
    tell: OfAShutdown | None
    about: str


class Neighbourhood:
    """Of one instance; `supplies` are those of ShuttingDown, which change."""

    def __init__(
        self,
        me: Instance,
        settings: UpsSettings,
        upses: Mapping[str, Watched],
        supplies: Mapping[str, Supply],
        talks: "Talks | None" = None,
    ) -> None:
        self._me, self._settings, self._upses, self._supplies = me, settings, upses, supplies
        self._others = _other_machines(me, [*upses], talks)
        self._well_since: dict[str, float] = {}  # by UPS: since when it says by fresh data that the mains are back
        self._cut_until = state.number(state.read(me.run / "cut_until")) or 0.0

    @property
    def is_empty(self) -> bool:
        """Whether there are no other machines."""
        return self._others is None

    @property
    def house(self) -> House:
        """What is known of them."""
        return self._others.house() if self._others else {}

    def files(self) -> list[Readable]:
        """Readable when one has answered."""
        return [*self._others.files()] if self._others else []

    def close(self) -> None:
        """Nobody is asked any more."""
        if self._others:
            self._others.close()

    def faults(self) -> list[str]:
        """What is wrong with their settings."""
        return self._others.faults if self._others else []

    def mind_mains(self, now: float) -> None:
        """After a look: since when each UPS says that it is on line, by data that are fresh."""
        self._well_since = {name: self._well_since.get(name, now) for name, each in self._supplies.items() if each.has_mains}

    def mind(self, outage: Outage | None, now: float) -> Minded:
        """What has become of them in this outage, and what is to be done when that is written."""
        if self._others is None:
            return _NOTHING
        if outage is None:
            self._others.rest()
            if self._cut_until:
                self._cut_until = 0.0
                self._me.leave("cut_until", None)
            return _NOTHING
        return self._others.mind(hosts(outage), self._situation(outage, now), now)

    def act(self, outage: Outage, moves: tuple[Move, ...]) -> list[tuple[OfAShutdown, str]]:
        """Do it; returns what people are told, and about whom."""
        if self._others is None:
            return []
        self._others.act(moves)
        self._me.leave("hosts", "; ".join(host_words.each_one(hosts(outage))))
        shed = [move.host for move in moves if move.do is Do.ORDER and move.is_first]
        told = [(OfAShutdown.UNTOLD, f"{name}: {why}") for name, why in self._others.untold.items()]
        self._others.untold = {}
        return [*([(OfAShutdown.SHED, ", ".join(shed))] if shed else []), *told]

    def is_to_be_cut(self, until: float) -> None:
        """A UPS that this machine stays up without was told to cut and return, which it does by then, also with the mains there."""
        self._cut_until = until
        self._me.leave("cut_until", f"{until:.1f}")

    def after(self, outage: Outage, event: Event, now: float) -> Outage:
        """The outage, where `event` makes something of its hosts."""
        before = hosts(outage)
        there = neighbours.after_event(self.house, before, event, outage.phase, now, outage.upses)
        return outage if there == before else outage._replace(hosts=host_steps.written(there))

    def came(self, outage: Outage, now: float) -> Came | None:
        """What comes about by itself: the waking may begin, or is over."""
        there = hosts(outage)
        left = waking.wanted(self.house, there)
        event = neighbours.event(self.house, there, outage.phase, is_recharged=not self.waits_to_wake(outage, now))
        if event is None:
            return None
        if event is Event.RECHARGED:
            return Came(event, "the mains are back", OfAShutdown.WAKING if left else None, ", ".join(sorted(left)))
        missing = sorted(name for name, each in there.items() if each.step is Step.MISSING)
        times = host_words.times(there, lambda wall: f"{datetime.fromtimestamp(wall):%H:%M}")
        about = f"{', '.join(missing)} ({times})" if missing else times
        tell = OfAShutdown.ABSENT if missing else OfAShutdown.BACK if times else None
        return Came(event, f"the other machines: {about or 'none was up before'}", tell, about)

    def waits_to_wake(self, outage: Outage, now: float) -> str:
        """What the waking waits for, in words; "" for nothing."""
        settings, feeding = self._settings, self._feeding_who_is_woken(outage)
        well_since = self._are_well_since(feeding)
        if well_since is None:
            return ", once the UPS says that it is on line"
        if outage.phase is not Phase.RETURNING:
            return ""
        if not waking.is_charged([self._upses[name].standing.numbers.charge for name in feeding], settings.WAKE_AT_CHARGE):
            return f", once the charge is {settings.WAKE_AT_CHARGE:g} %"
        left = max(max(well_since, outage.since) + settings.WAKE_AFTER_SECONDS, self._cut_until) - now
        return f" in {left:.0f} s" if left > 0 else ""

    def _feeding_who_is_woken(self, outage: Outage) -> list[str]:
        """The UPSes that have to be well for that: one that feeds nobody who is woken may be away."""
        house = self.house
        woken = [house[name] for name in waking.wanted(house, hosts(outage))]
        is_known = bool(woken) and all(each.upses for each in woken)
        return [name for name in self._upses if not is_known or any(name in each.upses for each in woken)]

    def _are_well_since(self, upses: Collection[str]) -> float | None:
        """Since when all of them say that the mains are back; None while one does not."""
        return max(self._well_since[name] for name in upses) if all(name in self._well_since for name in upses) else None

    def seconds_needed(self, outage: Outage | None, now: float) -> float:
        """Until all of them are down whom a shutdown of this machine takes with it."""
        house = self.house
        stay = {name for name, each in house.items() if each.upses and not all(self._fails(ups, outage) for ups in each.upses)}
        return going_down.seconds_needed(house, hosts(outage), now, stay)

    def are_waited_for(self, outage: Outage, role: Role, since: float, halting_seconds: float, now: float) -> bool:
        """Whether they are going down, and the battery lasts for that and for `halting_seconds` after it; else HOSTSYNC's time.

        With the mains back each has its own time: the cut that is still to come has to find nobody up.
        """
        if not neighbours.is_under_way(self.house, hosts(outage), self._situation(outage, now)):
            return False
        if role is not Role.SECONDARY and not any(each.standing.is_on_battery for each in self._upses.values()):
            return True
        ends = [end.at for each in self._upses.values() if (end := each.ends(now))]
        is_in_time = now - since < self._settings.HOSTSYNC_SECONDS_MAX or (bool(ends) and role is not Role.SECONDARY)
        return is_in_time and all(end - now > halting_seconds + batteries.margin_seconds(halting_seconds) for end in ends)

    def line(self, outage: Outage | None, now: float) -> str:
        """For the status; "" for nothing."""
        if outage is None or not outage.hosts:
            return ""
        return host_words.under_way(self.house, hosts(outage), outage.phase, self.waits_to_wake(outage, now))

    def _situation(self, outage: Outage, now: float) -> Situation:
        may_wake = self._are_well_since(self._feeding_who_is_woken(outage)) is not None
        return Situation(outage.phase, self._strain(outage, now), may_wake, self._settings.WAKE_GIVE_UP_SECONDS)

    def _strain(self, outage: Outage, now: float) -> Strain:
        """By those on battery, seen twice; without fresh data by what is known of the battery."""
        begun = [each for each in (outage, *outage.apart.values()) if each.is_begun]
        unfed = [each for each in self._supplies.values() if not each.power and each.is_critical]
        why = [*(each.why for each in begun), *(_why_critical(each) for each in unfed)]
        all_go = "; ".join(dict.fromkeys(filter(None, why))) or ("shutting down" if why else "")
        feedings = {name: self._feeding(name, outage, now) for name in self._upses}
        own = {name: strain.of_all([feedings[ups] for ups in each.upses]) for name, each in self.house.items() if each.upses}
        return strain.of_any(feedings.values(), all_go)._replace(own=own)

    def _feeding(self, name: str, outage: Outage, now: float) -> Feeding:
        ups, supply, apart = self._upses[name], self._supplies[name], outage.apart.get(name)
        why = ""
        if apart and apart.is_begun:
            why = apart.why or "shutting down"
        elif supply.is_critical and not (supply.power and supplies.is_in_danger([*self._supplies.values()], self._settings.MINSUPPLIES)):
            why = _why_critical(supply)
        elif outage.is_begun and self._fails(name, outage):
            why = outage.why or "shutting down"
        if not (ups.standing.is_on_battery and supply.is_confirmed):
            return Feeding(why)
        began, end = ups.battery.began, ups.ends(now)
        on_battery = 0.0 if began is None else now - began
        return Feeding(why, on_battery, ups.charge_by_now(now), max(0.0, end.at - now) if end else None)

    def _fails(self, ups: str, outage: Outage | None) -> bool:
        """Whether what hangs on it goes when this machine does: nobody looks after it then, and it is cut, or its mains are not there."""
        return (outage is not None and ups in outage.upses) or not self._supplies[ups].has_mains


def _why_critical(supply: Supply) -> str:
    return f"UPS {supply.name}: {supply.why or 'forced shutdown'}"


def hosts(outage: Outage | None) -> dict[str, Host]:
    """Those of an outage."""
    return host_steps.read(outage.hosts) if outage else {}


def _other_machines(me: Instance, upses: list[str], talks: "Talks | None") -> "OtherMachines | None":
    """None where there are no hosts: who has none need not have the modules in memory."""
    with suppress(PermissionError):  # then they are read as well, and what is wrong is told
        if not (me.directory / "hosts").is_dir() or all(name.startswith(".") for name in os.listdir(me.directory / "hosts")):
            return None
    from pimains.ups.other_machines import TALKS, OtherMachines

    return OtherMachines(me, upses, talks or TALKS)
