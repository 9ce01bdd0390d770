#!/usr/bin/env python3
"""How long a picture of the History page takes, of a day to ten years, from a journal with a reading every 5 s.

    tests/web/bench/history.py [YEARS]

YEARS (5) of a meter at 5 s, of a value that changes every 10 s and of a relay that is noted every two minutes are put into a journal
below the directory for temporary files: 220 MB a year, and half a minute.
"""

import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parents[3] / "lib")]

from pimains.shared.plan.delivery import Batch, Boot, Reading  # noqa: E402  # only findable now
from pimains.shared.readings.journal import Journal  # noqa: E402  # only findable now
from pimains.shared.readings.plan.energy import Meter, Period, periods  # noqa: E402  # only findable now
from pimains.shared.readings.series.costs import Account  # noqa: E402  # only findable now
from pimains.shared.readings.series.series import Series  # noqa: E402  # only findable now
from pimains.web.history.series import HistorySeries  # noqa: E402  # only findable now
from pimains.web.plan.curves import POINTS_MAX, Grid  # noqa: E402  # only findable now

DAY = 86_400
YEAR = 365 * DAY
LENGTHS = {"a day": DAY, "a week": 7 * DAY, "a month": 30 * DAY, "a year": YEAR, "five years": 5 * YEAR, "ten years": 10 * YEAR}
_ROWS = "with recursive each (n) as (select 1 union all select n + 1 from each where n < ?2) insert or ignore into readings select ?1, "


def fill(path: Path, years: float, now: float) -> None:
    """A meter, a value and a relay, `years` of each until `now`."""
    seconds, start = int(years * YEAR), now - years * YEAR
    kinds = {
        "house": ("kWh", 1000.0, "b", "n, null, n * 5.0, n / 2 + n / 1000 % 7 from each", seconds // 5),
        "sun/power": ("W", 0.0, "record 1", "n * 11, null, n * 10.0, abs(random()) % 300 + 500 * (n / 4320 % 2) from each", seconds // 10),
        "relays/1.state": ("", 0.0, "record 1", "n * 120, null, n * 120.0, n / 30 % 2 from each", seconds // 120),
    }
    with closing(Journal(path)) as journal, closing(Series(path)) as series:
        for source, (unit, impulses, boot, _, _) in kinds.items():
            batch = Batch(source, unit, impulses, None, {boot: Boot(start, True)}, [Reading(boot, 1, None, 1.0, 1)])
            series.describe(batch)
            journal.store(source, dict(batch.boots), [] if source != "house" else batch.readings)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma synchronous = off")
        connection.execute("pragma cache_size = -200000")
        ids = dict(connection.execute("select source, id from boots").fetchall())
        for source, (_, _, _, rows, count) in kinds.items():
            connection.execute(_ROWS + rows, (ids[source], count))
        connection.commit()


def took(look: Callable[[], object]) -> float:
    """Milliseconds, the least of three."""
    found = []
    for _ in range(3):
        began = time.monotonic()
        look()
        found.append((time.monotonic() - began) * 1000)
    return min(found)


def amounts(series: Series, meter: Meter, wanted: list[Period], now: float) -> list[float | None]:
    """Of each period."""
    account = Account(series, meter, now, None)
    return [account.known(period) for period in wanted]


def measure(path: Path, now: float) -> list[tuple[str, float]]:
    """The rows of the table: what was asked for, and milliseconds."""
    rows = []
    with closing(HistorySeries(path, [], only_look=True)) as series:
        meters = series.meters()
        for name, meter in meters.items():
            for words, seconds in LENGTHS.items():
                grid = Grid(now - seconds, now, POINTS_MAX)
                rows.append((f"{name}, {words}", took(lambda meter=meter, grid=grid: series.curve(meter, grid))))  # type: ignore[misc]
        relay = meters["relays/1.state"]
        rows.append(("bands of a relay, five years", took(lambda: series.bands(relay, Grid(now - 5 * YEAR, now, 600)))))
        for kind, count in (("day", 31), ("day", 366), ("month", 120)):
            wanted = periods(kind, now, count)
            rows.append((f"energy of {count} {kind}s", took(lambda wanted=wanted: amounts(series, meters["house"], wanted, now))))  # type: ignore[misc]
    return rows


def main() -> None:
    """Print the table."""
    years, now = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0, 1_795_800_000.0
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "journal.sqlite"
        fill(path, years, now)
        print(f"{path.stat().st_size / 1e6:.0f} MB, {POINTS_MAX} points a picture")
        for words, milliseconds in measure(path, now):
            print(f"{words:40} {milliseconds:6.0f} ms")


if __name__ == "__main__":
    main()
