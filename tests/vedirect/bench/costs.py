#!/usr/bin/env python3
"""What vedirect costs: memory beside other Pythons, processor time with three devices at a block a second each, and with silent ones.

    tests/vedirect/bench/costs.py [SECONDS]

Root. SECONDS (60) is how long each processor time is counted. The battery monitor sends two blocks a second, of two kinds.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "lib"))

from tests.core.bench.footprint import compile_all, memory, processor_seconds, wake_ups  # only findable now
from tests.kit import House, TestInstance, new_house, until  # only findable now
from tests.vedirect.suns import Sun  # only findable now

DEVICES = ("bmv", "mppt", "mppt2")


class Costs(NamedTuple):
    """Megabytes of the largest of three; percent of a core of all three together, reading and with nothing to read."""

    pss: float
    alone: float
    reading: float
    silent: float
    silent_wake_ups_per_minute: float


def measure(house: House, seconds: float) -> Costs:
    """Three services at the three devices of a sun."""
    compile_all()
    sun = Sun(house, devices=DEVICES, speed=1)
    services = [sun.add(name) for name in DEVICES]
    taken = [memory(each.pid) for each in services]
    reading, _ = _busy(services, seconds)
    sun.says(*(f"silent {name} on" for name in DEVICES))
    until(lambda: all("silent" in each.status for each in services), what="the devices to be lost")
    silent, woken = _busy(services, seconds)
    return Costs(max(each.pss for each in taken), max(each.alone for each in taken), reading, silent, woken / len(services))


def _busy(services: list[TestInstance], seconds: float) -> tuple[float, float]:
    """Percent of a core that all take together, wake-ups a minute."""
    began = time.monotonic()
    busy, woken = sum(processor_seconds(each.pid) for each in services), sum(wake_ups(each.pid) for each in services)
    time.sleep(seconds)
    took = time.monotonic() - began
    busy = sum(processor_seconds(each.pid) for each in services) - busy
    return 100 * busy / took, (sum(wake_ups(each.pid) for each in services) - woken) / took * 60


def main() -> None:
    """Print it."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60
    with tempfile.TemporaryDirectory(prefix="pimains-bench-") as root:
        for house in new_house(Path(root)):
            found = measure(house, seconds)
            print(f"PSS beside others {found.pss:.1f} MB, as the only Python {found.alone:.1f} MB")
            print(f"processor, all three: reading {found.reading:.2f} %, silent {found.silent:.2f} %", end="")
            print(f" ({found.silent_wake_ups_per_minute:.0f} wake-ups a minute each)", flush=True)


if __name__ == "__main__":
    main()
