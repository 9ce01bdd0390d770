"""What the simulated house's meter would have counted in the last thirteen months, put into the journal of a meter service.

    python3 -m pimains.house.history --journal /var/lib/pimains/meter/journal.sqlite --source house

As such a journal is when it was thinned: the last day and a half every 20 s, a month every 5 min, an hour each before.
Last night its Pi was without power for an hour.
"""

import argparse
import math
import random
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from pimains.shared.plan.delivery import Boot, Reading
from pimains.shared.readings.journal import Journal

DAYS = 396
_HOUR = 3600.0
_DAY = 24 * _HOUR
_SEQUENCE_SECONDS = 5
_WITHOUT_POWER = (9.0 * _HOUR, 8.0 * _HOUR)  # before now


def watts(at: float) -> float:
    """A household's load at a time, in seconds since 1970; the same for the same time."""
    when = datetime.fromtimestamp(at)
    hour = when.hour + when.minute / 60
    luck = random.Random(int(at // 600))  # noqa: S311  # for looks
    winter = 0.5 + 0.5 * math.cos(2 * math.pi * (when.timetuple().tm_yday - 15) / 365)
    load = 95.0 + (80.0 if (at / 60) % 45 < 14 else 0.0)  # what is always on, and the fridge
    load += winter * (260.0 if hour < 22.5 and hour > 5.5 else 90.0)
    if 6.2 < hour < 8.5 or 11.8 < hour < 13.2 or 17.5 < hour < 22.5:
        load += luck.choice((0.0, 60.0, 140.0, 260.0, 400.0))
        load += 2000.0 if luck.random() < 0.12 and (at % 600) < 200 else 0.0  # the kettle
    if 18.0 < hour < 19.2:
        load += luck.choice((0.0, 900.0, 1600.0))  # the oven
    if when.weekday() in (2, 5) and 13.5 < hour < 15.3:
        load += 1900.0 if hour < 14.2 else 350.0  # the washing machine
    return load


def gas(at: float) -> float:
    """What heats it, as watts of gas."""
    when = datetime.fromtimestamp(at)
    winter = max(0.05, math.cos(2 * math.pi * (when.timetuple().tm_yday - 15) / 365))
    luck = random.Random(int(at // 1800))  # noqa: S311  # for looks
    return 9000.0 * winter * luck.uniform(0.3, 1.0) * (1.0 if 5 < when.hour < 23 else 0.25)


def readings(now: float, impulses: float, load: Callable[[float], float] = watts) -> Iterator[Reading]:
    """Those of two boots, "before" and "since"; `impulses` a kWh."""
    began = now - DAYS * _DAY
    at, energy = began, 0.0
    while at < now:
        left = now - at
        step = _HOUR if left > 32 * _DAY else 300.0 if left > 1.5 * _DAY else 20.0
        energy += load(at) * step / 3_600_000
        at += step
        is_since = now - at < _WITHOUT_POWER[1]
        if is_since or now - at > _WITHOUT_POWER[0]:
            pulses = int(energy * impulses)
            yield Reading("since" if is_since else "before", int((at - began) / _SEQUENCE_SECONDS), None, at - began, pulses)
        else:
            energy -= load(at - step) * step / 3_600_000  # nobody counts


def boots(now: float) -> dict[str, Boot]:
    """When they were."""
    return dict.fromkeys(("before", "since"), Boot(now - DAYS * _DAY, synchronised=True))


def main(options: argparse.Namespace) -> None:
    """Make the journal."""
    journal = Journal(options.journal)
    now = time.time()
    journal.store(options.source, boots(now), readings(now, options.impulses))
    journal.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python3 -m pimains.house.history", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--journal", type=Path, required=True, metavar="FILE", help="the meter's, which must not be running")
    parser.add_argument("--source", default="house", help="SOURCE of the meter")
    parser.add_argument("--impulses", type=float, default=1000, help="pulses per kWh")
    main(parser.parse_args())
