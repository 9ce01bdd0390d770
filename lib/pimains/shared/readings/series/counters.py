"""The counters of a source, one after the other: a count that falls from a run to the next one is a new counter.

A new SD card, a count file that was lost, an older copy of it: what it counts is added to what was counted before, so that totals
only rise. Nobody knows what flowed between two counters, and it is nothing. A meter that lost its power goes on from what its card had
by then, a little below what it had sent already: that is added on in the same way, and is the same counter. What a pulse is may be
another thing in each run: a run's `scale` makes them those of now.
"""

from typing import NamedTuple

from pimains.shared.readings.boot_readings import BootReadings

_A_LITTLE_SECONDS = 3600.0  # of counting: a card has at the latest after ten minutes what was counted (the meter's COMMIT_SECONDS)


class Anew(NamedTuple):
    """From the run `run` on, since `time`, a source counts with a new counter: from `begins`, when it had counted `reached` in all.

    `is_sure`: nothing that is still to come puts these two runs into another order.
    """

    run: str
    time: float
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
    shift = reached = 0.0  # counted as pulses of now
    ended = 0.0  # where the counter was then
    for run in sorted(heard, key=lambda each: (each.start, each.end)):
        if before is not None:
            if run.end <= before.end and run.start < before.end:
                continue
            pulses = run._replace(scale=1)
            begins = (pulses.at(run.first) if run.start >= before.end else pulses.before(before.end)).pulses
            if begins < ended:
                if not _lost_its_power(before, begins):
                    found.anew.append(Anew(run.name, run.start, begins * run.scale, reached, run.is_sure == before.is_sure))
                shift = reached - begins * run.scale
            elif run.scale != before.scale:  # what was counted since that one's last reading, it has counted
                shift = reached + (begins - ended) * before.scale - begins * run.scale
        before = run._replace(shift=shift)
        ended = before._replace(scale=1, shift=0).at(before.last).pulses
        reached = before.counted(ended)
        found.runs.append(before)
    return found


def _lost_its_power(before: BootReadings, count: float) -> bool:
    """Whether a run that begins at `count` has only lost the last of what the one `before` had counted."""
    pulses = before._replace(scale=1, shift=0)
    return 0 < count >= pulses.before(max(before.start, before.end - _A_LITTLE_SECONDS)).pulses
