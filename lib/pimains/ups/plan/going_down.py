"""Which host is ordered down now: one whose SHED_AT is reached, after those that need it; from FSD on, all whose UPS does not feed them."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from pimains.shared.plan.host_steps import GONE, Host, Hosts, Step
from pimains.ups.plan import host_order, proving, shedding
from pimains.ups.plan.shedding import ShedAt
from pimains.ups.plan.strain import Strain

TRIES = 3


class Known(NamedTuple):
    """What the settings say of a host; it is given `down_seconds` to go down, which are `down_seconds_max` until that was measured.

    `upses` are those that feed it; none: any of the instance may.
    """

    after: tuple[str, ...] = ()
    shed_at: ShedAt = ShedAt()
    goes_by_fsd: bool = False
    wake: str = "if-up"
    can_be_woken: bool = True
    down_seconds: float = 180.0
    down_seconds_max: float = 180.0
    upses: tuple[str, ...] = ()


House = Mapping[str, Known]


class Seen(NamedTuple):
    """What was found of a host since it came to its step: the last `looks` (plan.proving), the oldest first, and the `boot` id it told.

    `is_busy`: its order is being given just now.
    """

    looks: tuple[str, ...] = ()
    boot: str = ""
    is_busy: bool = False

    def and_look(self, look: str) -> "Seen":
        """After one more."""
        return self._replace(looks=(*self.looks, look)[-proving.SILENT_LOOKS :])


def after(house: House) -> dict[str, tuple[str, ...]]:
    """For plan.host_order."""
    return {name: each.after for name, each in house.items()}


def due(house: House, hosts: Hosts, strain: Strain) -> dict[str, str]:
    """Who has to go down, and why; who was ordered before is not among them."""
    left = {name: each for name, each in house.items() if name not in hosts or hosts[name].step in (Step.UP, Step.DUE)}
    found = {}
    for name, each in left.items():
        own = strain.of(name)
        is_ordered = name in hosts and hosts[name].number > 0  # one that came up again by itself is left alone
        why = own.all_go or ("" if is_ordered else shedding.why(each.shed_at, own.charge, own.runtime, own.on_battery))
        if why:
            found[name] = why
    for name in sorted(found):
        for other in sorted(with_who_needs_them(house, {name})):
            if other in left:
                found.setdefault(other, f"it needs {name}: {found[name]}")
    return found


def order_now(house: House, hosts: Hosts, to_go: Mapping[str, str], seen: Mapping[str, Seen]) -> list[str]:
    """Who of `to_go` is ordered now: everybody that needs it is down, or was waited for. A client of NUT goes by FSD, at once."""
    down = {name for name, each in hosts.items() if each.step in GONE}
    down |= {name for name in house if is_off(hosts, seen, name)}
    waits = {name: each.after for name, each in house.items() if not (each.goes_by_fsd and name not in to_go and name not in hosts)}
    able = host_order.down_now(waits, set(to_go), down - set(to_go))
    return sorted({*able, *(name for name in to_go if house[name].goes_by_fsd)})


def is_off(hosts: Hosts, seen: Mapping[str, Seen], name: str) -> bool:
    """Whether it was never ordered, and is proved down all the same."""
    return name not in hosts and name in seen and proving.is_down(seen[name].looks)


def ordered(before: Host | None, known: Known, seen: Seen, why: str, number: int, now: float, wall: float) -> Host:
    """The host whose order is written down; one that was off is down already."""
    was_off = (before is None or before.step is Step.DUE) and proving.is_down(seen.looks)
    step = Step.DOWN if was_off else Step.TOLD if known.goes_by_fsd else Step.ORDERED
    was_up = before.was_up if before and before.was_up is not None else _was_up(seen)
    return Host(step, now, number, was_up=was_up, boot=seen.boot, why=why, ordered_at=now, ordered=None if was_off else wall)


def due_later(before: Host | None, seen: Seen, why: str, now: float) -> Host:
    """The host that has to go, and waits for those that need it."""
    was_up = before.was_up if before else _was_up(seen)
    return Host(Step.DUE, now, 0, was_up=was_up, boot=seen.boot, why=why)


def going(host: Host, known: Known, seen: Seen, now: float, wall: float) -> Host:
    """One that was ordered, after what was seen of it."""
    if host.was_up is None:
        host = host._replace(was_up=_was_up(seen))
    if proving.is_down(seen.looks):
        return host.at(Step.DOWN, now)._replace(down=wall if host.was_up else None)
    if host.is_going and not seen.is_busy and now - host.ordered_at > known.down_seconds:
        return host.at(Step.STUCK, now)
    return host


def _was_up(seen: Seen) -> bool | None:
    if any(look != proving.SILENT for look in seen.looks):
        return True
    return False if proving.is_down(seen.looks) else None


def is_ordered_again(host: Host, known: Known, seen: Seen, now: float) -> bool:
    """Whether the order that nobody has acknowledged is given once more."""
    if host.step is not Step.ORDERED or seen.is_busy or host.tries >= TRIES:
        return False
    seconds = now - host.ordered_at
    return proving.is_told_again(host.boot, seen.boot, looks=seen.looks, seconds=seconds, budget_seconds=known.down_seconds)


def with_who_needs_them(house: House, names: Collection[str]) -> set[str]:
    """`names` and all who go down before them; a client of NUT goes by FSD alone."""
    return {name for name in host_order.with_dependents(after(house), names) if name in names or not house[name].goes_by_fsd}


def seconds_needed(house: House, hosts: Hosts, now: float, stay: Collection[str] = ()) -> float:
    """How long it takes until all of the house are down, from now on, but those who `stay`."""
    budgets = {}
    for name in with_who_needs_them(house, house.keys() - {*stay}):
        known = house[name]
        host = hosts.get(name)
        if host is None or host.step in (Step.UP, Step.DUE):
            budgets[name] = known.down_seconds
        elif host.is_going:
            budgets[name] = max(0.0, host.ordered_at + known.down_seconds - now)
    return host_order.down_seconds(after(house), budgets)
