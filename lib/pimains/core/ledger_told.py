"""An entry of the ledger as people and programs are told it."""

from typing import Any

from pimains.core import clock as clocks
from pimains.core.ledger import Entry
from pimains.core.plan import sentences


def when(entry: Entry, clock: clocks.Clock) -> tuple[float, float | None]:
    """When an entry was made: seconds since 1970, and how many seconds ago (None: no clock can tell).

    An entry of this boot is dated by the monotonic clock: its own wall time may be from before the clock was set.
    """
    now = clock.wall()
    age = clock.monotonic() - entry.monotonic
    if entry.boot == clocks.boot_id() and age >= 0:
        return now - age, age
    age = now - entry.wall
    return entry.wall, age if age >= 0 and sentences.clock_was_set(entry.wall) else None


def sentence(entry: Entry, clock: clocks.Clock) -> str:
    """One entry as it is told."""
    wall, age = when(entry, clock)
    return sentences.entry(
        wall=wall,
        now=clock.wall(),
        age=age,
        subject=entry.subject,
        action=entry.action,
        cause=entry.cause,
        inputs=entry.inputs,
        next_change=None if entry.next_change is None else entry.next_change - entry.wall + wall,
    )


def what(entry: Entry, clock: clocks.Clock) -> str:
    """The same without when it was, for who shows that beside it."""
    wall, _ = when(entry, clock)
    next_change = None if entry.next_change is None else entry.next_change - entry.wall + wall
    return sentences.actuation(clock.wall(), entry.subject, entry.action, entry.cause, entry.inputs, next_change)


def as_json(entry: Entry, clock: clocks.Clock) -> dict[str, Any]:
    """One entry for programs; times are seconds since 1970."""
    wall, age = when(entry, clock)
    return {
        "subject": entry.subject,
        "action": entry.action,
        "cause": entry.cause,
        "time": wall,
        "age_seconds": age,
        "inputs": {name: {"value": reading.value, "age_seconds": reading.age_seconds} for name, reading in entry.inputs.items()},
        "may_change_again": None if entry.next_change is None else entry.next_change - entry.wall + wall,
        "this_boot": entry.boot == clocks.boot_id(),
    }
