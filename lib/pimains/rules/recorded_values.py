"""What a collector has recorded of values, looked at step by step: what was known of each at a time, and since when it was so.

Where it was not known, what was known last grows old, as a state file does that nobody writes. It may be years of readings: nothing is
kept of what was looked at.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias

from pimains.shared.plan.known_seconds import UNKNOWN_SECONDS
from pimains.shared.readings import read_only, run_times
from pimains.shared.readings.boot_readings import BootReadings

HELD_SECONDS = 300.0  # what was noted within this is known still: what does not change is noted, and stored, more often
_NEW = float("inf")  # as the sequence before: nothing is known between that reading and the next one
_ROWS = (
    "select sequence, ?2 + uptime, pulses from readings where boot = ?1 and uptime > ?4 and sequence >="
    " coalesce((select max(sequence) from readings where boot = ?1 and sequence < ?3), 0) order by sequence"
)
Known: TypeAlias = tuple[float | None, float]  # a value, and when it was so; None: nobody knew one yet


class Held(NamedTuple):
    """It was `value` from `begin` until `end`, in seconds since 1970."""

    begin: float
    end: float
    value: float


class RecordedValues:
    """Those of the journal in the file `path`, at the time `now`. Raises sqlite3.Error."""

    def __init__(self, path: Path, now: float) -> None:
        self._now = now
        self._connection = read_only.opened(path)
        rows = self._connection.execute("select source, unit from sources where impulses_per_unit = 0 order by source")
        self.units: dict[str, str] = dict(rows.fetchall())
        self._runs: dict[str, list[BootReadings]] = {}

    def close(self) -> None:
        """Put it away."""
        self._connection.close()

    def first(self, name: str) -> float | None:
        """When it was known first; None if it never was."""
        return min((run.start for run in self._runs_of(name)), default=None)

    def known(self, name: str, start: float, every: float) -> Iterator[Known]:
        """What was known of it at `start`, and every so many seconds from then on; it does not end."""
        due = time = start
        before, value = _NEW, None
        for rows in self._rows(name, start):
            for sequence, at, new in rows:
                if at > due:
                    holds = at - time <= UNKNOWN_SECONDS * (sequence - before)
                    while at > due:
                        yield value, due if holds else time
                        due += every
                before, time, value = sequence, at, new
            before = _NEW
        held_until = self._held_until(time)
        while True:
            yield value, due if due <= held_until else time
            due += every

    def held(self, name: str, start: float, end: float) -> Iterator[Held]:
        """From when until when it was which value, as far as it was known."""
        found: Held | None = None
        for span in self._spans(name, start):
            if span.begin >= end:
                break
            if found and span.begin == found.end and span.value == found.value:
                found = found._replace(end=span.end)
                continue
            if found and found.end > start:
                yield found._replace(begin=max(start, found.begin))
            found = span
        if found and found.end > start:
            yield found._replace(begin=max(start, found.begin), end=min(end, found.end))

    def _spans(self, name: str, start: float) -> Iterator[Held]:
        """From each reading to the next one."""
        time = value = 0.0
        for rows in self._rows(name, start):
            before = _NEW
            for sequence, at, new in rows:
                if at - time <= UNKNOWN_SECONDS * (sequence - before):
                    yield Held(time, at, value)
                before, time, value = sequence, at, new
        if time < (until := self._held_until(time)):
            yield Held(time, until, value)

    def _held_until(self, time: float) -> float:
        """Until when the newest of all readings holds, which was taken at `time`."""
        return self._now if self._now - time <= HELD_SECONDS else time

    def _rows(self, name: str, start: float) -> Iterator[sqlite3.Cursor]:
        """Its runs' readings from the last one at or before `start` on, in the order of time."""
        reached = float("-inf")
        runs = self._runs_of(name)
        last_before = max((run.end for run in runs if run.end <= start), default=reached)
        for run in runs:
            if run.end > reached and run.end >= last_before:
                sequence = run.sequence("uptime", start - run.offset, above=True)
                yield self._connection.execute(_ROWS, (run.id, run.offset, sequence, reached - run.offset))
                reached = run.end

    def _runs_of(self, name: str) -> list[BootReadings]:
        if name not in self._runs:
            look = 'select id, "offset" from boots where source = ?'
            found = [(id_, run_times.of(self._connection, id_, known)) for id_, known in self._connection.execute(look, (name,)).fetchall()]
            runs = [BootReadings(self._connection, id_, *times, False, UNKNOWN_SECONDS) for id_, times in found if times]
            self._runs[name] = sorted(runs, key=lambda run: (run.start, run.end))
        return self._runs[name]
