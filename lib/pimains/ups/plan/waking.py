"""Which host is woken now, once the mains are back and the battery can bear another outage; who counts as up, and who did not come."""

from collections.abc import Iterable

from pimains.shared.plan.host_steps import Host, Hosts, Step
from pimains.ups.plan import host_order, proving
from pimains.ups.plan.going_down import House, Known, Seen, after

PACKETS_EVERY_SECONDS = 30.0
_OVER = frozenset({Step.UP, Step.MISSING})


def is_charged(charges: Iterable[float | None], wake_at: float | None) -> bool:
    """Whether the batteries have what WAKE_AT_CHARGE asks; one that tells no charge is not asked."""
    return wake_at is None or all(charge >= wake_at for charge in charges if charge is not None)


def wanted(house: House, hosts: Hosts) -> set[str]:
    """Who was down in this outage and is to be up again, and is not yet."""
    return {name for name, each in hosts.items() if name in house and _is_wanted(house[name], each) and each.step not in _OVER}


def wake_now(house: House, hosts: Hosts, now: float) -> list[str]:
    """Who gets the first packet now: it is down, or has had all the time to be, and those that it comes up after are up or given up."""
    left = wanted(house, hosts)
    ready = {name for name in left if hosts[name].step in (Step.DOWN, Step.UNTOLD, Step.DUE) or _is_settled(hosts[name], house[name], now)}
    return host_order.up_now(after(house), ready, left)


def woken(host: Host, now: float, wall: float) -> Host:
    """The host whose waking is written down."""
    return host.at(Step.WOKEN, now)._replace(woken=wall)


def coming(host: Host, known: Known, seen: Seen, give_up_seconds: float, now: float, wall: float) -> Host:
    """One that is to be up, after what was seen of it. One that is not proved down may yet go: it is up when its longest time is over."""
    if proving.is_up(seen.looks) and (
        host.step in (Step.DOWN, Step.UNTOLD, Step.DUE, Step.WOKEN, Step.MISSING) or _is_settled(host, known, now)
    ):
        return host.at(Step.UP, now)._replace(up=wall)
    if host.step is Step.WOKEN and now - host.since >= give_up_seconds:
        return host.at(Step.MISSING, now)
    return host


def _is_settled(host: Host, known: Known, now: float) -> bool:
    return host.step is Step.STUCK and now - host.ordered_at >= known.down_seconds_max


def _is_wanted(known: Known, host: Host) -> bool:
    return known.wake == "yes" or (known.wake == "if-up" and host.was_up is not False)
