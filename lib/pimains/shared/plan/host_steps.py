"""How far each host has come in an outage, as it stands in the outage file: ordered down, proved down, woken, proved up.

Of a field that makes no sense the safe thing is believed: that the host was ordered, and that nobody knows whether it is down.
"""

import math
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple


class Step(StrEnum):
    """Where a host is; one without any has not been touched in this outage."""

    DUE = "due"  # it has to go, and waits for those that need it
    ORDERED = "ordered"  # written, and given or not: nobody has acknowledged it
    TOLD = "told"  # it took its order, or goes by FSD
    DOWN = "down"  # proved
    STUCK = "stuck"  # its time is over, and it is not proved down
    UNTOLD = "untold"  # it does not take the order; it stays as it is until the power goes
    WOKEN = "woken"  # magic packets go out
    UP = "up"  # proved
    MISSING = "missing"  # it did not come in time


GOING = frozenset({Step.ORDERED, Step.TOLD})
GONE = frozenset({Step.DOWN, Step.STUCK, Step.UNTOLD, Step.WOKEN, Step.MISSING})  # nobody waits until it is down


class Host(NamedTuple):
    """One: its step since `since`, and `ordered_at`, in monotonic seconds; `ordered`, `down`, `woken` and `up` are of the wall clock.

    `number` is the how-manieth its order was, 0 for one that counts as not ordered any more; `tries` how often it was given; `was_up` if it
    was up before, None while nobody knows; `boot` its boot id then, "" where that is not known.
    """

    step: Step
    since: float
    number: int = 0
    tries: int = 1
    was_up: bool | None = True
    boot: str = ""
    why: str = ""
    ordered_at: float = 0.0
    ordered: float | None = None
    down: float | None = None
    woken: float | None = None
    up: float | None = None

    @property
    def is_going(self) -> bool:
        """Whether it is waited for until it is down."""
        return self.step in GOING

    def at(self, step: Step, now: float) -> "Host":
        """The same one, having come to `step`."""
        return self._replace(step=step, since=now)


Hosts = Mapping[str, Host]


def read(fields: Mapping[str, Mapping[str, object]]) -> dict[str, Host]:
    """The hosts of an outage."""
    return {name: _host(each) for name, each in fields.items()}


def written(hosts: Hosts) -> dict[str, dict[str, object]]:
    """What `read` reads."""
    return {name: each._asdict() for name, each in hosts.items()}


def rebooted(hosts: Hosts, now: float) -> dict[str, Host]:
    """After this machine was started again, where monotonic seconds begin anew: whatever was under way has its whole time once more."""
    return {name: each._replace(since=now, ordered_at=now) for name, each in hosts.items()}


def all_due(hosts: Hosts, names: Iterable[str], now: float) -> dict[str, Host]:
    """After a shutdown of all of them was cut short by the power: whoever of `names` was not told by then has lost his all the same."""
    return {**{name: Host(Step.DUE, now, 0, was_up=None) for name in names}, **hosts}


def on_battery_again(hosts: Hosts) -> dict[str, Host]:
    """The mains were back and are gone: who is up again counts as one that was not ordered."""
    return {name: each._replace(number=0) if each.step is Step.UP else each for name, each in hosts.items()}


def waking_begins(hosts: Hosts, now: float) -> dict[str, Host]:
    """Who was woken before the mains went once more, and who did not come then, gets his whole time; who was up may have lost his power."""
    anew = (Step.WOKEN, Step.MISSING, Step.UP)
    return {name: each.at(Step.DOWN, now) if each.step in anew else each for name, each in hosts.items()}


def _host(fields: Mapping[str, object]) -> Host:
    try:
        step = Step(_text(fields.get("step")))
    except ValueError:
        step = Step.STUCK
    return Host(
        step=step,
        since=_seconds(fields.get("since")) or 0.0,
        number=_count(fields.get("number")),
        tries=_count(fields.get("tries")),
        was_up=was_up if isinstance(was_up := fields.get("was_up"), bool) else None,
        boot=_text(fields.get("boot")),
        why=_text(fields.get("why")),
        ordered_at=_seconds(fields.get("ordered_at")) or 0.0,
        ordered=_seconds(fields.get("ordered")),
        down=_seconds(fields.get("down")),
        woken=_seconds(fields.get("woken")),
        up=_seconds(fields.get("up")),
    )


def _seconds(found: object) -> float | None:
    return float(found) if isinstance(found, int | float) and math.isfinite(found) else None


def _count(found: object) -> int:
    return found if isinstance(found, int) and found >= 0 else 1


def _text(found: object) -> str:
    return found if isinstance(found, str) else ""
