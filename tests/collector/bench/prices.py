#!/usr/bin/env python3
"""How soon costs are known: of many sources with a year of readings, at one price and at Hochtarif and Niedertarif.

    tests/collector/bench/prices.py [SOURCES]

SOURCES (50), each with a reading every five minutes for a year. What is told of all of them once: today, this month, this year and
those before, the last day, the last 31 days; without prices, with them, and with them once more.
"""

import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parents[3] / "lib")]

from pimains.shared.plan.delivery import Batch, Boot, Reading  # noqa: E402  # only findable now
from pimains.shared.readings.journal import Journal  # noqa: E402  # only findable now
from pimains.shared.readings.plan.energy import Period  # noqa: E402  # only findable now
from pimains.shared.readings.plan.price_lines import read  # noqa: E402  # only findable now
from pimains.shared.readings.plan.tariffs import Tariffs  # noqa: E402  # only findable now
from pimains.shared.readings.series.costs import Costs  # noqa: E402  # only findable now
from pimains.shared.readings.series.figures import bars, figures, together_in  # noqa: E402  # only findable now
from pimains.shared.readings.series.series import Series  # noqa: E402  # only findable now

READINGS = 105_120
SECONDS_EACH = 300.0
ONE_PRICE = "FROM 2020-01-01 PRICE=0.3 STANDING_CHARGE=12"
TARIFFS = f"{ONE_PRICE}\nFROM 2020-01-01 PRICE=0.2 HOURS=22:00-06:00\nFROM 2020-01-01 PRICE=0.2 DAYS=Sat,Sun"


def filled(path: Path, sources: int, now: float) -> Series:
    """A journal."""
    journal, series = Journal(path), Series(path)
    boots = {"b": Boot(now - READINGS * SECONDS_EACH, True)}
    for number in range(sources):
        rows = [Reading("b", each, None, each * SECONDS_EACH, each * 9) for each in range(1, READINGS + 1)]
        series.describe(Batch(f"s{number}", "kWh", 1000, None, boots, rows))
        journal.store(f"s{number}", boots, rows)
    journal.close()
    return series


def milliseconds(series: Series, costs: Costs, now: float) -> str:
    """For all of them."""
    meters = series.meters().values()
    began = time.monotonic()
    for meter in meters:
        figures(series, meter, now, costs)
        together_in(series, meter, Period("day", now - 86_400, now), now, costs)
    told = time.monotonic()
    for meter in meters:
        bars(series, meter, "days", now, 31, costs)
    return f"{(told - began) * 1000:.0f} ms; their 31 days {(time.monotonic() - told) * 1000:.0f} ms"


def measure(sources: int, directory: Path) -> list[tuple[str, str]]:
    """The rows of the table."""
    now = time.time()
    series = filled(directory / "journal.sqlite", sources, now)
    table = []
    for what, text in (("no price", ""), ("one price", ONE_PRICE), ("Hochtarif and Niedertarif", TARIFFS)):
        costs = Costs(Tariffs(read(text), [], "€"))
        table += [(f"{sources} sources, {what}", milliseconds(series, costs, now)), ("once more", milliseconds(series, costs, now))]
    series.close()
    return table


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory(prefix="pimains-prices-") as directory:
        for what, value in measure(int(sys.argv[1]) if len(sys.argv) > 1 else 50, Path(directory)):
            print(f"{what:45} {value}")


if __name__ == "__main__":
    main()
