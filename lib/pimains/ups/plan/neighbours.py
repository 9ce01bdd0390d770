"""The other machines of a house in an outage: from how they stand and what was seen of them, how they stand now and what is done about it.

    minded = mind(house, hosts, seen, Situation(phase, strain, may_wake=True), now, wall)
    # first minded.hosts is written into the outage file; then each of minded.moves is done, in order

Whoever calls it does so each second, and looks at each host as often as `seconds_between_looks` says.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import NamedTuple

from pimains.shared.plan import host_steps
from pimains.shared.plan.host_steps import Host, Hosts, Step
from pimains.shared.plan.outage import BEGUN, Phase
from pimains.ups.plan import going_down, proving, waking
from pimains.ups.plan.going_down import House, Seen
from pimains.ups.plan.outage import Event
from pimains.ups.plan.strain import Strain

_COMING_BACK = frozenset({Phase.RETURNING, Phase.WAKING})
_NOT_SEEN = Seen()
_LOOK_SECONDS = 2.0
_LOOK_SELDOM_SECONDS = 30.0


class Do(StrEnum):
    """What is done with a host."""

    ORDER = "order down"
    WAKE = "wake"


class Move(NamedTuple):
    """One act, of which the hosts say already that it was done; `is_first` is false for what is done once more."""

    do: Do
    host: str
    why: str
    is_first: bool = True


class Situation(NamedTuple):
    """Of the outage: `may_wake` is whether the data that say that the mains are back are fresh."""

    phase: Phase
    strain: Strain = Strain()
    may_wake: bool = False
    give_up_seconds: float = 600.0


class Minded(NamedTuple):
    """The hosts from now on, and what is to be done once that is written."""

    hosts: dict[str, Host]
    moves: tuple[Move, ...] = ()


def mind(house: House, hosts: Hosts, seen: Mapping[str, Seen], situation: Situation, now: float, wall: float) -> Minded:
    """Whatever has changed since it was asked last."""
    found: dict[str, Host] = {}
    moves: list[Move] = []
    for name, host in hosts.items():
        known, what = house.get(name), seen.get(name, _NOT_SEEN)
        if known is None:
            continue  # it is no host of this house any more
        found[name] = _followed(host, known, what, situation, now, wall)
        is_back = situation.phase in _COMING_BACK
        may_be_told = not is_back and found[name].step in (Step.ORDERED, Step.STUCK)
        if may_be_told and going_down.is_ordered_again(host, known, what, now):
            found[name] = host._replace(ordered_at=now, tries=host.tries + 1)
            moves.append(Move(Do.ORDER, name, host.why, is_first=False))
    if situation.phase not in _COMING_BACK:
        moves += _orders(house, found, seen, situation.strain, now, wall)
    elif situation.phase is Phase.WAKING and situation.may_wake:
        for name in waking.wake_now(house, found, now):
            found[name] = waking.woken(found[name], now, wall)
            moves.append(Move(Do.WAKE, name, "the mains are back"))
    return Minded(found, tuple(moves))


def after_event(house: House, hosts: Hosts, event: Event, phase: Phase, now: float, upses: Collection[str] = ()) -> Hosts:
    """What an event that comes in `phase` makes of them; `upses` are those that the shutdown is for."""
    if event is Event.BOOTED:
        found = host_steps.rebooted(hosts, now)
        fed_by_them = [name for name, known in house.items() if not known.upses or {*known.upses} & {*upses}]
        return host_steps.all_due(found, fed_by_them, now) if phase in BEGUN else found
    if event is Event.OB and phase in _COMING_BACK:
        return host_steps.on_battery_again(hosts)
    return host_steps.waking_begins(hosts, now) if event is Event.RECHARGED else hosts


def seconds_between_looks(house: House, hosts: Hosts, name: str, seen: Seen, phase: Phase) -> float | None:
    """How often it is looked at now; None for not at all."""
    host, is_back = hosts.get(name), phase in _COMING_BACK
    if host is None:
        is_known = proving.is_up(seen.looks) or proving.is_down(seen.looks)
        return None if is_back else _LOOK_SELDOM_SECONDS if is_known else _LOOK_SECONDS
    if host.is_going or host.step in (Step.STUCK, Step.WOKEN):
        return _LOOK_SECONDS
    if host.step is Step.UP or (is_back and name not in waking.wanted(house, hosts)):
        return None
    return _LOOK_SECONDS if is_back and host.step is not Step.MISSING else _LOOK_SELDOM_SECONDS


def keeps_looks(before: Step | None, after: Step | None) -> bool:
    """Whether what was seen of a host before it came to `after` counts there, too."""
    return after in (before, None, Step.DUE) or (before in (Step.ORDERED, Step.TOLD) and after in (Step.TOLD, Step.STUCK))


def event(house: House, hosts: Hosts, phase: Phase, *, is_recharged: bool) -> Event | None:
    """What comes about by itself: the waking begins, once the mains were back for long enough, or it is over."""
    if phase is Phase.RETURNING and hosts and is_recharged:
        return Event.RECHARGED
    return Event.HOSTS_BACK if phase is Phase.WAKING and not waking.wanted(house, hosts) else None


def is_under_way(house: House, hosts: Hosts, situation: Situation) -> bool:
    """Whether somebody is going down, or has to and waits for that: who shuts this machine down waits for them."""
    return any(each.is_going for name, each in hosts.items() if name in house) or bool(going_down.due(house, hosts, situation.strain))


def acknowledged(hosts: Hosts, name: str, now: float) -> dict[str, Host]:
    """It took its order."""
    host = hosts[name]
    return {**hosts, name: host.at(Step.TOLD, now)._replace(was_up=True) if host.step is Step.ORDERED else host}


def refused(hosts: Hosts, name: str, now: float) -> dict[str, Host]:
    """It does not take orders from here."""
    host = hosts[name]
    return {**hosts, name: host.at(Step.UNTOLD, now) if host.step in (Step.ORDERED, Step.STUCK) else host}


def _followed(host: Host, known: going_down.Known, seen: Seen, situation: Situation, now: float, wall: float) -> Host:
    if host.is_going or host.step is Step.STUCK:
        host = going_down.going(host, known, seen, now, wall)
    if situation.phase in _COMING_BACK or host.step in (Step.DOWN, Step.WOKEN):
        after = waking.coming(host, known, seen, situation.give_up_seconds, now, wall)
        if situation.phase is Phase.WAKING or after.step is not Step.MISSING:  # who was woken when the mains went is not given up
            return after
    return host


def _orders(house: House, found: dict[str, Host], seen: Mapping[str, Seen], strain: Strain, now: float, wall: float) -> list[Move]:
    to_go = going_down.due(house, found, strain)
    moves = []
    able = going_down.order_now(house, found, to_go, seen) if to_go else []
    for name in to_go if strain.does_all_go() else ():
        host = found.get(name)
        if name not in able and (host is None or host.step is not Step.DUE):
            found[name] = going_down.due_later(host, seen.get(name, _NOT_SEEN), to_go[name], now)
    for name in able:
        number = max((each.number for each in found.values()), default=0) + 1
        what = seen.get(name, _NOT_SEEN)
        found[name] = going_down.ordered(found.get(name), house[name], what, to_go[name], number, now, wall)
        if found[name].step is not Step.DOWN:
            moves.append(Move(Do.ORDER, name, to_go[name]))
    return moves
