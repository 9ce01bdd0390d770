"""The last outage, told from the entries of the ledger that an ups service wrote; the newest group of them, by their times."""

from collections.abc import Sequence
from typing import NamedTuple

_APART_SECONDS = 6 * 3600.0  # batteries are charged in between, and machines woken


class Row(NamedTuple):
    """An entry of the ledger: when (seconds since 1970), about whom, what was done and why."""

    wall: float
    subject: str
    action: str
    cause: str


def last(rows: Sequence[Row]) -> list[Row]:
    """Those of the newest outage, oldest first: none is further than six hours from the next one."""
    found: list[Row] = []
    for row in sorted(rows, key=lambda each: each.wall, reverse=True):
        if found and found[-1].wall - row.wall > _APART_SECONDS:
            break
        found.append(row)
    return found[::-1]
