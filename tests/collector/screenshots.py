#!/usr/bin/env python3
"""The collector's page as it looks in a browser: debian/screenshots/*.png, which README.md shows.

    tests/collector/screenshots.py        (as root: services become user pimains)

A real collector with thirteen months of the simulated house's readings, and chromium.
"""

import shutil
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parents[2] / "lib")]

from pimains.house import history  # noqa: E402  # only findable now
from pimains.shared.plan import delivery  # noqa: E402  # only findable now
from tests.collector.browser import Browser  # noqa: E402  # only findable now
from tests.collector.collecting import TOKEN, Collector  # noqa: E402  # only findable now
from tests.kit import TOP, House, new_house  # noqa: E402  # only findable now

PICTURES = (
    ("desk", "", 1280, 1020, False),
    ("year", "?range=year&in=cost", 900, 950, True),
    ("phone", "", 360, 1000, False),
    ("phone-dark", "?range=week", 360, 1000, True),
)


def furnished(house: House) -> Collector:
    """A collector that knows a house, its gas, and a shed that was not heard for two hours."""
    collector = Collector(house, PRICE="0.32", PRICE_M3="1.15")
    now = time.time()
    sources = (
        ("house", "kWh", 1000.0, history.watts, now),
        ("house, gas", "m3", 100.0, lambda at: history.gas(at) / 10.5, now),
        ("shed", "kWh", 1000.0, lambda at: 40.0 + 60.0 * (at % 86_400 > 60_000), now - 7300),
    )
    for name, unit, impulses, load, until in sources:
        collector.token(name, TOKEN)
        rows = history.readings(until, impulses, load)
        while some := list(islice(rows, delivery.ROWS_MAX)):
            assert collector.send(
                delivery.Batch(name, unit, impulses, delivery.RegisterReading(0, 12_345.6), history.boots(until), some)
            ).ok
    return collector


def main() -> None:
    """Take them."""
    directory = TOP / "debian/screenshots"
    directory.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pimains-house-", dir="/dev/shm") as root:
        for house in new_house(Path(root)):
            url = furnished(house).url
            with Browser() as browser:
                browser.open(url)
                for name, view, width, height, dark in PICTURES:
                    page = browser.open(f"{url}/{view}", width=width, height=height, dark=dark)
                    (directory / f"collector-{name}.png").write_bytes(page.picture())
    for path in sorted(directory.iterdir()):
        shutil.chown(path, TOP.owner(), TOP.group())
        print(f"{path.relative_to(TOP)}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
