#!/usr/bin/env python3
"""What the meter service counts, costs, writes and delivers, with a real collector beside it.

    tests/bench/meter.py [SECONDS [SPEED]]

Pulses come through gpiozero's mock factory, inside the service's own process: its processor time is that of the generator,
too. SECONDS (3600) is how long the bytes written are counted; with SPEED 60 an hour of that takes a minute. tests/bench/pulses.py
has it killed, and worse.
"""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.collector import written_bytes
from collecting import TOKEN, Collector
from footprint import Memory, memory
from kit import House, new_house, until
from meters import Meter

from pimains.core.clock import SystemClock
from pimains.core.journal import Journal
from pimains.devices import http
from pimains.devices.courier import Courier, Load
from pimains.plan.delivery import Boot, Reading

DAY_OF_READINGS = 17_280


def footprint(house: House) -> Memory:
    """Of a meter that delivers to a collector."""
    collector = Collector(house)
    meter = Meter(house, "house", COLLECTOR=collector.url, TOKEN=TOKEN)
    meter.pins("24 pulses 5000")
    until(lambda: meter.pulses == 5000 and "delivered" in meter.instance.status)
    return memory(meter.instance.pid)


def kilohertz(house: House, seconds: int) -> tuple[int, float]:
    """Pulses lost of 1000 a second, percent of a core."""
    meter = Meter(house, "quick")
    until(lambda: "counting" in meter.instance.log)
    busy, began = all_threads(meter.instance.pid), time.monotonic()
    meter.pins(f"24 pulses {1000 * seconds} 0.0005 0.0005")
    until(lambda: meter.pulses >= 1000 * seconds, 2 * seconds + 30)
    share = (all_threads(meter.instance.pid) - busy) / (time.monotonic() - began) * 100
    return 1000 * seconds - meter.pulses, share


def all_threads(pid: int) -> float:
    """Seconds on a processor so far."""
    return sum(int(path.read_text().split()[0]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def backlog(house: House, directory: Path) -> float:
    """Seconds for a day of readings that wait."""
    collector = Collector(house, COMMIT_SECONDS="200")
    journal = Journal(directory / "journal.sqlite", directory / "recent.sqlite")
    id_ = journal.boot("house", "b", Boot(time.time() - 90_000))
    for number in range(1, DAY_OF_READINGS + 1):
        journal.note(id_, Reading("b", number, None, number * 5.0, number))
    journal.save()
    began = time.monotonic()
    courier = Courier(lambda: http.Collector(collector.url, TOKEN, None, None), journal, Load("house", "kWh", 1000), SystemClock())
    courier.bring()
    until(lambda: journal.waiting() == 0 or courier.trouble, 60)
    took = time.monotonic() - began
    assert not courier.trouble, courier.trouble
    courier.finish(1)
    return took


def written(house: House, seconds: float, speed: int = 1) -> tuple[float, float]:
    """Megabytes a day, by write_bytes, of a meter at 5 s with a pulse in each reading and of its collector, both by their defaults.

    What is in /run is on a tmpfs, as on a Pi. They are counted from a minute after their start until `seconds` of theirs have passed.
    """
    house_run = house.root / "run/pimains"
    with tempfile.TemporaryDirectory(prefix="pimains-bench-", dir="/dev/shm") as tmpfs:
        Path(tmpfs).chmod(0o777)
        house_run.rmdir()
        house_run.symlink_to(tmpfs)
        collector = Collector(house, COMMIT_SECONDS="200", PIMAINS_SPEED=str(speed))
        meter = Meter(house, "house", INTERVAL="5", COLLECTOR=collector.url, TOKEN=TOKEN, PIMAINS_SPEED=str(speed))
        until(lambda: "counting" in meter.instance.log)
        meter.pins(f"24 pulses {int(seconds / 5) + 24} {2.5 / speed} {2.5 / speed}")
        time.sleep(60 / speed)
        assert collector.get("/").ok  # what waits is stored
        assert collector.get("/graphs/house/day.svg").ok  # its database is made once, with 0.14 MB for each day of RETENTION_DAYS
        pids = meter.instance.pid, collector.instance.pid
        before = [written_bytes(pid) for pid in pids]
        time.sleep(seconds / speed)
        at_meter, at_collector = ((written_bytes(pid) - was) / seconds * 86400 / 1e6 for pid, was in zip(pids, before, strict=True))
        return at_meter, at_collector


def main() -> None:
    """Print the table."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3600.0
    speed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with tempfile.TemporaryDirectory(prefix="pimains-bench-") as root, tempfile.TemporaryDirectory() as scratch:
        for house in new_house(Path(root)):
            took = backlog(house, Path(scratch))
            print(f"a day's backlog, {DAY_OF_READINGS} readings    {took:8.2f} s", flush=True)
    with tempfile.TemporaryDirectory(prefix="pimains-bench-") as root:
        for house in new_house(Path(root)):
            lost, share = kilohertz(house, 60)
            print(f"1000 pulses a second for 60 s      {lost:8} lost, {share:.0f} % of a core with the generator", flush=True)
    with tempfile.TemporaryDirectory(prefix="pimains-bench-") as root:
        for house in new_house(Path(root)):
            used = footprint(house)
            print(f"memory (PSS)                       {used.pss:8.1f} MB, {used.alone:.1f} MB as the only Python", flush=True)
    with tempfile.TemporaryDirectory(prefix="pimains-bench-", dir="/var/tmp") as root:
        for house in new_house(Path(root)):
            at_meter, at_collector = written(house, seconds, speed)
            print(f"written at 5 s, a pulse each       {at_meter:8.1f} MB a day, its collector {at_collector:.1f}", flush=True)


if __name__ == "__main__":
    main()
