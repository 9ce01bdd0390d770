"""The other machines of a house in words: for the status, and for the message that closes an outage."""

from collections.abc import Callable

from pimains.shared.plan.host_steps import GOING, Host, Hosts, Step
from pimains.shared.plan.outage import Phase
from pimains.ups.plan import waking
from pimains.ups.plan.going_down import House

_SHOWN = {
    Step.DUE: "has to shut down",
    Step.ORDERED: "is told to shut down",
    Step.TOLD: "is going down",
    Step.DOWN: "is down",
    Step.STUCK: "is not down in its time",
    Step.UNTOLD: "does not take the order to shut down",
    Step.WOKEN: "is woken",
    Step.UP: "is up again",
    Step.MISSING: "did not come up",
}


def each_one(hosts: Hosts) -> list[str]:
    """How each stands, in the order in which they were told."""
    return [f"{name} {shown(each)}" for name, each in _in_order(hosts)]


def shown(host: Host) -> str:
    """How it stands, without its name."""
    return _SHOWN[host.step]


def under_way(house: House, hosts: Hosts, phase: Phase, wait: str) -> str:
    """What is done with them, for the status; "" where that is nothing. `wait` is what the waking waits for."""
    going = [name for name, each in _in_order(hosts) if each.step in GOING]
    down = [name for name, each in _in_order(hosts) if each.step not in (Step.UP, Step.DUE, *GOING)]
    if phase is Phase.RETURNING and (left := waking.wanted(house, hosts)):
        return f"the mains are back; {', '.join(sorted(left))} will be woken{wait}"
    if phase is Phase.WAKING:
        woken = [name for name, each in _in_order(hosts) if each.step is Step.WOKEN]
        missing = [name for name, each in _in_order(hosts) if each.step is Step.MISSING]
        later = sorted(waking.wanted(house, hosts) - {*woken})
        coming = _listed(("waking", woken), ("then", later), ("did not come up:", missing))
        return coming + (wait if woken or later else "")
    due = [name for name, each in _in_order(hosts) if each.step is Step.DUE]
    return _listed(("shutting down", going), ("then", due), ("down:", down))


def times(hosts: Hosts, clock: Callable[[float], str]) -> str:
    """When each was ordered down or went, and when it was up again: "nas 14:02 - 14:31, tv 14:02 - ?"; `clock` tells a time of day."""
    told = []
    for name, each in _in_order(hosts):
        went = each.ordered if each.down is None else each.down
        if went is not None or each.up is not None:
            told.append(f"{name} {'?' if went is None else clock(went)} - {'?' if each.up is None else clock(each.up)}")
    return ", ".join(told)


def _listed(*parts: tuple[str, list[str]]) -> str:
    return ", ".join(f"{what} {', '.join(names)}" for what, names in parts if names)


def _in_order(hosts: Hosts) -> list[tuple[str, Host]]:
    return sorted(hosts.items(), key=lambda item: (item[1].number, item[0]))
