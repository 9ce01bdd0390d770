"""The readings of one run in a journal. In a run, uptime and count grow with the sequence: either is found by bisection.

A time is looked for in ever wider steps from where it would be if all readings were as far apart: mostly they are. In 0.1.0 a run
was a boot, and the journal still calls it one.
"""

import sqlite3
from typing import NamedTuple

from pimains.shared.plan.point import Point


class BootReadings(NamedTuple):
    """Those of the run `id`, as it was when they were looked for: its first and last sequence, and the times of these.

    `is_sure`: the time of its boot is of a clock that was synchronised.
    """

    connection: sqlite3.Connection
    id: int
    offset: float
    first: int
    last: int
    start: float
    end: float
    is_imported: bool
    quiet: float  # seconds for each step of the sequence; when it were more, nobody knows what was in between
    scale: float = 1
    shift: float = 0
    name: str = ""
    is_sure: bool = False

    def counted(self, pulses: float) -> float:
        """What the journal has, as a count of its source."""
        return pulses * self.scale + self.shift

    def at(self, sequence: int) -> Point:
        """The reading with this sequence, or the next there is."""
        uptime, pulses = self.connection.execute(
            "select uptime, pulses from readings where boot = ? and sequence >= ? order by sequence limit 1", (self.id, sequence)
        ).fetchone()
        return Point(self.offset + uptime, self.counted(pulses))

    def before(self, time: float) -> Point:
        """The last reading until `time`, which is not before its first."""
        uptime, pulses = (
            self.connection.execute(
                "select uptime, pulses from readings where boot = ? and sequence < ? order by sequence desc limit 1",
                (self.id, self.sequence("uptime", time - self.offset, above=True)),
            ).fetchone()
            or self.connection.execute(
                "select uptime, pulses from readings where boot = ? order by sequence limit 1", (self.id,)
            ).fetchone()
        )
        return Point(self.offset + uptime, self.counted(pulses))

    def where(self, column: str, value: float, *, above: bool = False) -> Point:
        """The first reading that has `column` (uptime or pulses) at least `value`, or above it; the last where there is none."""
        return self.at(min(self.sequence(column, value, above=above), self.last))

    def sequence(self, column: str, value: float, *, above: bool = False) -> int:
        """Its sequence; one behind the last where there is none."""
        look = f"select sequence, {column} from readings where boot = ? and sequence >= ? order by sequence limit 1"  # noqa: S608  # ours
        low, high = self.first, self.last + 1
        step, guess = 1, self._guess(value) if column == "uptime" else None
        while low < high:
            middle = (low + high) // 2 if guess is None else min(max(guess, low), high - 1)
            sequence, found = self.connection.execute(look, (self.id, middle)).fetchone()
            is_there = found > value if above else found >= value
            if is_there:
                high = middle
            else:
                low = sequence + 1
            if guess is not None:
                guess, step = (middle - step if is_there else sequence + step), step * 4
                guess = guess if low <= guess < high else None
        return low

    def _guess(self, uptime: float) -> int | None:
        seconds = self.end - self.start
        return self.first + int((self.last - self.first) * (uptime + self.offset - self.start) / seconds) if seconds > 0 else None
