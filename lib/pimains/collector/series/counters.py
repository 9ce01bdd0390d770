"""The counters of a source, one after the other: a count that falls from a run to the next one is a new counter.

A new SD card, a count file that was lost, an older copy of it: what it counts is added to what was counted before, so that totals
only rise. Nobody knows what flowed between two counters, and it is nothing.
"""

from typing import NamedTuple

from pimains.collector.series.boot_readings import BootReadings


class Anew(NamedTuple):
    """From the run `run` on a source counts with a new counter: from `begins`, when it had counted `reached` in all.

    `is_sure`: nothing that is still to come puts these two runs into another order.
    """

    run: str
    begins: float
    reached: float
    is_sure: bool


class Counters(NamedTuple):
    """The runs in the order of time, each counting on from where the one before has ended, and where a counter was new."""

    runs: list[BootReadings]
    anew: list[Anew]


def counted_on(heard: list[BootReadings]) -> Counters:
    """Put in line what was `heard`. A run that lies within the time of another tells nothing: two senders had one name."""
    found = Counters([], [])
    before: BootReadings | None = None
    shift = reached = 0.0
    for run in sorted(heard, key=lambda each: (each.start, each.end)):
        if before is not None:
            if run.end <= before.end and run.start < before.end:
                continue
            begins = (run.at(run.first) if run.start >= before.end else run.before(before.end)).pulses
            if begins + shift < reached:
                found.anew.append(Anew(run.name, begins, reached, run.is_sure == before.is_sure))
                shift = reached - begins
        before = run._replace(shift=shift)
        reached = before.at(before.last).pulses
        found.runs.append(before)
    return found
