"""What happens in a rehearsed outage, second by second, and what was not as it should be."""

import math
from collections.abc import Iterator
from typing import NamedTuple

_COLUMNS = ("AT", "BUDGET", "MARGIN", "WHO", "WHAT")
_NUMBERS = 3


class Entry(NamedTuple):
    """`who` it is about, and `what` becomes of it, `at` seconds after the mains failed; `act` is the same in a word, for programs.

    `budget` is the seconds that it is given, `margin` how long the battery would last after that, without the mains; None for neither.
    """

    at: float
    who: str
    act: str
    what: str
    budget: float | None = None
    margin: float | None = None


class Timeline:
    """Of one rehearsal; `faults` are its lines for people."""

    def __init__(self, began: float) -> None:
        self._began = began
        self.entries: list[Entry] = []
        self.faults: list[str] = []

    def note(self, now: float, who: str, act: str, what: str, budget: float | None = None, battery_end: float | None = None) -> None:
        """It happens now; `battery_end` is when the battery would be empty, None while it feeds nothing."""
        margin = None if budget is None or battery_end is None else battery_end - now - budget
        self.entries.append(Entry(now - self._began, who, act, what, budget, margin))
        if margin is not None and margin < 0:
            self.faults.append(f"{who} {what.partition(':')[0]}: the battery may be empty {math.ceil(-margin)} s before that is done")

    def table(self) -> list[str]:
        """In columns, with a line above that says what they are."""
        rows = [_COLUMNS, *((clock(each.at), clock(each.budget), clock(each.margin), each.who, each.what) for each in self.entries)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS) - 1)]
        return ["  ".join((*_aligned(row, widths), row[-1])) for row in rows]


def _aligned(row: tuple[str, ...], widths: list[int]) -> Iterator[str]:
    for index, (cell, width) in enumerate(zip(row, widths, strict=False)):
        yield cell.rjust(width) if index < _NUMBERS else cell.ljust(width)


def clock(seconds: float | None) -> str:
    """Minutes and seconds."""
    if seconds is None:
        return "-"
    minutes, left = divmod(round(abs(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"
    return f"-{text}" if round(seconds) < 0 else text
