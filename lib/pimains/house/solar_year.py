"""What a collector would have recorded of the simulated solar house in the last thirteen months, put into its journal.

    python3 -m pimains.house.solar_year --journal /var/lib/pimains/collector/journal.sqlite

A sky that changes by days and hours, short winter days, and a boiler, a pump and a heater that were switched as rules would. The last
month stands there every five minutes, what is older every half hour, as averages do not matter here.
"""

import argparse
import math
import random
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from pimains.house.history import DAYS, watts
from pimains.house.solar import DAY_SECONDS, Charging, SolarHouse
from pimains.shared.plan import known_seconds
from pimains.shared.plan.delivery import Batch, Boot, Reading
from pimains.shared.readings.journal import Journal

RECORDED = {
    "vedirect.mppt/PPV": "W",
    "vedirect.mppt/CS": "",
    "vedirect.bmv/P": "W",
    "vedirect.bmv/SOC": "%",
    "vedirect.bmv/V": "V",
    "relays/1.state": "",
    "relays/2.state": "",
    "relays/3.state": "",
    "ups/battery.charge": "%",
}
OFF_GRID = 0.7  # of what the household draws from the grid is drawn from the sun, on circuits of its own
_RUN = "record before"  # its name has a blank: its sequence tells what is known (known_seconds.py)
_STEP_SECONDS, _OLD_STEP_SECONDS = 300.0, 900.0
_RECENT_SECONDS = 32 * DAY_SECONDS
_OLD_STEPS = 2  # from one that stands there to the next
_BOILER, _PUMP, _HEATER = 2000.0, 400.0, 1200.0  # W
_OUTAGES_DAYS = 23  # from one outage to the next


def recorded(now: float, peak: float, capacity: float) -> Iterator[tuple[float, dict[str, float]]]:
    """When, in seconds since 1970, and each value."""
    at, number = now - DAYS * DAY_SECONDS, 0
    house = SolarHouse(_hour(at), peak, capacity, 0.7)
    boiler, boiler_seconds = False, 0.0
    while at < now:
        is_recent = now - at <= _RECENT_SECONDS
        step = _STEP_SECONDS if is_recent else _OLD_STEP_SECONDS
        house.seconds += ((_hour(at) - house.hour + 12) % 24 - 12) * 3600  # clocks are set twice a year
        house.clouds, house.load = _clouds(at), OFF_GRID * watts(at)
        house.peak = peak * (0.62 + 0.38 * _summer(at))
        surplus = house.battery_watts + (_BOILER if boiler else 0.0)
        boiler = surplus > (1000.0 if boiler else _BOILER) and house.soc > 0.5
        boiler_seconds = boiler_seconds + step if boiler else 0.0
        pump, heater = boiler_seconds > step, house.charging == Charging.FLOAT
        house.live(step, boiler * _BOILER + pump * _PUMP + heater * _HEATER)
        if is_recent or number % _OLD_STEPS == 0:
            values = (
                house.panel_watts,
                house.charging,
                house.battery_watts,
                house.soc * 100,
                house.volts,
                boiler,
                pump,
                heater,
                _charge(at),
            )
            yield at, dict(zip(RECORDED, map(float, values), strict=True))
        at, number = at + step, number + 1


def _hour(at: float) -> float:
    when = datetime.fromtimestamp(at)
    return when.hour + when.minute / 60 + when.second / 3600


def _summer(at: float) -> float:
    """0 at midwinter, 1 at midsummer."""
    return 0.5 - 0.5 * math.cos(2 * math.pi * (datetime.fromtimestamp(at).timetuple().tm_yday + 10) / 365)


def _clouds(at: float) -> float:
    day = random.Random(int(at // DAY_SECONDS)).betavariate(0.7, 0.9)  # noqa: S311  # for looks
    return min(0.95, max(0.0, day + random.Random(int(at // 1800)).uniform(-0.2, 0.2)))  # noqa: S311  # the same


def _charge(at: float) -> float:
    """Of the UPS, in percent: an outage of some minutes now and then, in the afternoon."""
    into = (at / DAY_SECONDS) % _OUTAGES_DAYS * DAY_SECONDS - 50_000
    return 100.0 if not 0 <= into < 7200 else max(62.0, 100 - into / 40) if into < 1500 else min(100.0, 62 + (into - 1500) / 150)  # s


def batches(now: float, peak: float, capacity: float) -> Iterator[Batch]:
    """One for each source."""
    rows: dict[str, list[Reading]] = {name: [] for name in RECORDED}
    began = now - DAYS * DAY_SECONDS
    last: dict[str, Reading] = {}
    for at, values in recorded(now, peak, capacity):
        uptime = at - began
        for name, value in values.items():
            before = last.get(name)
            sequence = known_seconds.following(before.sequence, uptime - before.uptime) if before else 1
            last[name] = Reading(_RUN, sequence, None, uptime, round(value, 2))
            rows[name].append(last[name])
    for name, unit in RECORDED.items():
        yield Batch(name, unit, 0, None, {_RUN: Boot(began, synchronised=True)}, rows[name])


def main(options: argparse.Namespace) -> None:
    """Make the journal, or add to it."""
    journal = Journal(options.journal)
    journal.store_all(batches(time.time(), options.peak, options.capacity))
    journal.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python3 -m pimains.house.solar_year", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--journal", type=Path, required=True, metavar="FILE", help="the collector's, which must not be running")
    parser.add_argument("--peak", type=float, default=5500, metavar="W", help="of all panels (default: %(default)s)")
    parser.add_argument("--capacity", type=float, default=500, metavar="AH", help="of the battery, at 24 V (default: %(default)s)")
    main(parser.parse_args())
