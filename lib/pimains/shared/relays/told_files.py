"""What the service relays tells of each of its relays: files below /run/pimains/relays, one value each, written when it changes.

    <n>.state     on or off; written last of all: who sees it sees the others
    <n>.mode      off, auto or on, and for how long: as a person has said it, once it is taken up
    <n>.reason    why it is as it is, and what it waits for
    <n>.next      when it may change: a time, `any time` or `not known`
    <n>.switches  how often it has closed
    <n>.watts     what its load draws now
    <n>.history   what the guards have to know, as JSON: when a mode ends is in it

None of them is there while nothing is known of a relay.
"""

import json
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from pimains.core import clock as clocks
from pimains.core import state

NAMES = ("state", "mode", "reason", "next", "switches", "watts")
ANY_TIME, NOT_KNOWN = "any time", "not known"
HISTORY = ".history"


def read(run: Path, number: str) -> dict[str, str | None]:
    """Each value, by its name; None for one that is not there."""
    return {name: state.read(run / f"{number}.{name}") for name in NAMES}


def next_at(text: str | None) -> float | None:
    """The time that `next` tells, in seconds since 1970; None where it tells none."""
    with suppress(ValueError):
        return datetime.fromisoformat(text or "").timestamp()
    return None


def mode_seconds_left(run: Path, number: str, monotonic: float) -> float | None:
    """In how many seconds its mode ends, which is told by the monotonic clock; None where it does not, or that is not known."""
    with suppress(ValueError, TypeError, KeyError):
        kept = json.loads(state.read(run / f"{number}{HISTORY}") or "{}")
        if kept["boot"] == clocks.boot_id() and kept["mode_ends"] is not None:
            return max(0.0, float(kept["mode_ends"]) - float(kept["time"]) + float(kept["monotonic"]) - monotonic)
    return None
