"""What this machine is fed by: what a look at all UPSes comes to, for the machine and for a UPS that goes its own way.

A UPS with POWER 0 is watched and does not feed it. The machine is in danger when one that does is critical, and what the others feed is
less than MINSUPPLIES. One critical UPS without danger is forced down alone, if it is ours, so that its other clients are not left to it.
"""

from collections.abc import Sequence
from typing import NamedTuple

from pimains.shared.plan.outage import Outage, Phase, Role
from pimains.ups.plan.outage import Event
from pimains.ups.plan.standing import Standing

CONFIRMED_LOOKS = 2
_BACK = frozenset({Phase.RETURNING, Phase.WAKING})


class Supply(NamedTuple):
    """One UPS and what is known of it now.

    `power` is how many power supplies of this machine it feeds; `is_ours`: this machine commands it. `why` is why a shutdown is due by it,
    `is_certain` when the UPS itself says so; `is_forced`: somebody else's FSD is believed. `looks` is how often it was looked at since its
    line is as it is; `is_lost` is without data.
    """

    name: str
    power: int = 1
    is_ours: bool = False
    is_on_battery: bool = False
    is_on_line: bool = False  # by data that came with this look
    is_lost: bool = False
    is_off: bool = False
    is_forced: bool = False
    why: str = ""
    is_certain: bool = False
    looks: int = 0

    @property
    def is_confirmed(self) -> bool:
        """Whether it was seen so more than once: nothing is done after one look."""
        return self.looks >= CONFIRMED_LOOKS

    @property
    def has_mains(self) -> bool:
        """Whether it says so, by data that are fresh, and feeds what hangs on it."""
        return self.is_on_line and self.is_confirmed and not (self.is_lost or self.is_off)

    @property
    def is_critical(self) -> bool:
        """Whether what it feeds has to go down."""
        return self.is_forced or (bool(self.why) and (self.is_certain or self.is_confirmed))


class Happened(NamedTuple):
    """An event, of the machine, or of the one UPS that is `apart`."""

    event: Event
    role: Role
    why: str = ""
    upses: tuple[str, ...] = ()
    apart: str = ""


def looked_at(before: Supply, standing: Standing, why: str, now: float, *, is_fsd_ours: bool) -> Supply:
    """After a look; `why` is battery.due's, `is_fsd_ours` whether the FSD that stands there was set by this machine."""
    is_on_line = standing.fresh_at == now and not standing.is_on_battery
    is_as_before = standing.is_on_battery == before.is_on_battery and (is_on_line or standing.is_on_battery)
    is_forced = standing.is_critical and standing.fsd is not None and not is_fsd_ours
    return before._replace(
        is_on_battery=standing.is_on_battery,
        is_on_line=is_on_line,
        is_lost=standing.lost_at is not None,
        is_off=standing.is_off,
        is_forced=is_forced and (standing.is_on_battery or not before.is_ours),
        why=why,
        is_certain=bool(why) and "LB" in standing.words and why == standing.why_low,
        looks=before.looks + 1 if is_as_before else int(is_on_line or standing.is_on_battery),
    )


def critical(supplies: Sequence[Supply]) -> list[Supply]:
    """Those that feed this machine and have to be left."""
    return [each for each in supplies if each.power and each.is_critical]


def is_in_danger(supplies: Sequence[Supply], min_supplies: int) -> bool:
    """Whether what is left feeds too little; a UPS that is off counts for nothing, but puts nobody in danger."""
    counted = [each for each in supplies if each.power]
    left = sum(each.power for each in counted if not each.is_critical and not (each.is_off and len(counted) > 1))
    return bool(critical(supplies)) and left < min_supplies


def is_fed_without(supplies: Sequence[Supply], name: str, min_supplies: int) -> bool:
    """Whether this machine stays up when the UPS of that name is critical: the mains feed it enough by others."""
    return sum(each.power for each in supplies if each.name != name and not (each.is_on_battery or each.is_off)) >= min_supplies


def power_ends(ends: Sequence[tuple[int, float | None]], left: int, min_supplies: int) -> float | None:
    """When this machine is fed too little, by the power and the end of each battery that feeds it beside `left`; None if not known."""
    known = sorted((end, power) for power, end in ends if end is not None)
    feeding = left + sum(power for power, _ in ends)
    for end, power in known:
        feeding -= power
        if feeding < min_supplies:
            return end
    return None


def role(supplies: Sequence[Supply]) -> Role:
    """What this machine is to `supplies`."""
    if not any(each.power for each in supplies):
        return Role.APART
    return Role.PRIMARY if any(each.is_ours for each in supplies if each.power) else Role.SECONDARY


def happened(outage: Outage | None, supplies: Sequence[Supply], min_supplies: int) -> list[Happened]:
    """The events of one look, in their order; each is to be decided on before the next."""
    events = []
    on_battery = [each for each in supplies if each.is_on_battery]
    is_begun = outage is not None and outage.is_begun
    if on_battery and (outage is None or outage.phase in _BACK):
        events.append(Happened(Event.OB, role(on_battery)))
    in_danger = is_in_danger(supplies, min_supplies)
    if in_danger:
        found = critical(supplies)
        is_forced = role(found) is Role.SECONDARY and any(each.is_forced for each in found)
        why = "; ".join(f"UPS {each.name}: {each.why or 'forced shutdown'}" for each in found)
        events.append(Happened(Event.FSD if is_forced else Event.LOW, role(found), why, _names(found)))
        if not is_begun and all(each.is_lost for each in found):
            events.append(Happened(Event.BUDGET_OVER, role(found), why, _names(found)))  # a primary that is not heard is not waited for
    elif outage and outage.low_at is not None:
        events.append(Happened(Event.EASED, role(supplies)))
    for each in supplies:
        is_apart = outage is not None and each.name in outage.apart
        if each.is_ours and each.is_critical and not (is_begun or (in_danger and each.power) or is_apart):
            events.append(Happened(Event.LOW, Role.APART, f"UPS {each.name}: {each.why or 'forced shutdown'}", (each.name,), each.name))
        if is_apart and each.is_on_line and each.is_confirmed:
            events.append(Happened(Event.OL, Role.APART, upses=(each.name,), apart=each.name))
    if outage and (is_begun or not (in_danger or outage.apart)) and _is_back(supplies, min_supplies, is_begun=is_begun):
        events.append(Happened(Event.OL, role(supplies)))
    return events


def _is_back(supplies: Sequence[Supply], min_supplies: int, *, is_begun: bool) -> bool:
    """Whether the mains are: everywhere, or, to stop a shutdown, as much of them as this machine needs."""
    back = [each for each in supplies if each.is_on_line and each.is_confirmed]
    if is_begun:
        return sum(each.power for each in back) >= max(1, min_supplies)
    return bool(back) and not any(each.is_on_battery or (each.is_on_line and not each.is_confirmed) for each in supplies)


def _names(supplies: Sequence[Supply]) -> tuple[str, ...]:
    return tuple(each.name for each in supplies)
