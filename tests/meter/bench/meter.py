#!/usr/bin/env python3
"""What the meter service counts, costs, writes and delivers, with a real collector beside it.

    tests/meter/bench/meter.py [SECONDS [SPEED]]

Pulses come through gpiozero's mock factory, inside the service's own process: its processor time is that of the generator,
too. SECONDS (3600) is how long the bytes written are counted, of the meter and of its collector with its rrdtool; with SPEED 60 an
hour of that takes a minute, and what was written to files is sent to the disk as often in it as the kernel would in an
hour (dirty_expire_centisecs): what is written again is counted again. tests/meter/bench/pulses.py has it killed, and worse.
"""

import contextlib
import ctypes
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "lib"))

from pimains.core.clock import SystemClock
from pimains.core.instance import Instance
from pimains.meter.collector import Collector as CollectorLink
from pimains.meter.delivery import Delivery
from pimains.meter.own_readings import OwnReadings
from pimains.meter.register import Register
from pimains.shared.plan.delivery import Boot, Reading
from tests.collector.bench.collector import written_bytes
from tests.collector.collecting import TOKEN, Collector
from tests.core.bench.footprint import Memory, memory
from tests.kit import House, new_house, until
from tests.meter.meters import Meter

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
    journal = OwnReadings(directory / "journal.sqlite", directory / "recent.sqlite")
    id_ = journal.enter_run("house", "b", "b", Boot(time.time() - 90_000))
    for number in range(1, DAY_OF_READINGS + 1):
        journal.note(id_, Reading("b", number, None, number * 5.0, number))
    journal.save()
    began = time.monotonic()
    register = Register(Instance("house", directory), "house", "kWh", 1000, None, 0, "b")
    delivery = Delivery(lambda: CollectorLink(collector.url, TOKEN, None, None), journal, register, SystemClock(), print)
    delivery.bring()
    until(lambda: journal.waiting() == 0 or delivery.trouble, 60)
    took = time.monotonic() - began
    assert not delivery.trouble, delivery.trouble
    delivery.finish(1)
    return took


class Written(NamedTuple):
    """Megabytes a day of a meter and of its collector; megabytes, once, that it took the collector to make the graphs' database."""

    meter: float
    collector: float
    first: float


def written(house: House, seconds: float, speed: int = 1) -> Written:
    """By write_bytes, of a meter at 5 s with a pulse in each reading and of its collector, both by their defaults.

    What is in /run is on a tmpfs, as on a Pi. They are counted from a minute after their start until `seconds` of theirs have
    passed. The kernel counts what an rrdtool wrote for its collector when it has ended.
    """
    house_run = house.root / "run/pimains"
    with tempfile.TemporaryDirectory(prefix="pimains-bench-", dir="/dev/shm") as tmpfs, _written_out(house.root, 30 / speed):
        Path(tmpfs).chmod(0o777)
        house_run.rmdir()
        house_run.symlink_to(tmpfs)
        collector = Collector(house, COMMIT_SECONDS="200", PIMAINS_SPEED=str(speed))
        meter = Meter(house, "house", INTERVAL="5", COLLECTOR=collector.url, TOKEN=TOKEN, PIMAINS_SPEED=str(speed))
        until(lambda: "counting" in meter.instance.log)
        meter.pins(f"24 pulses {int(seconds / 5) + 100} {2.5 / speed} {2.5 / speed}")
        time.sleep(60 / speed)
        pids = meter.instance.pid, collector.instance.pid
        empty = written_bytes(pids[1])
        assert collector.get("/").ok  # what waits is stored, and the graphs' database is made
        note = collector.instance.lib / "rrd/s-house.json"
        began, refreshed, before = time.monotonic(), note.stat().st_mtime_ns, [written_bytes(pid) for pid in pids]
        time.sleep(seconds / speed)
        if seconds >= 3600:
            until(lambda: note.stat().st_mtime_ns > refreshed, 300 / speed + 30, "the graphs' database to be brought up to date")
        days = (time.monotonic() - began) * speed / 86400
        at_meter, at_collector = ((written_bytes(pid) - was) / days / 1e6 for pid, was in zip(pids, before, strict=True))
        return Written(at_meter, at_collector, (before[1] - empty) / 1e6)


@contextlib.contextmanager
def _written_out(directory: Path, every: float) -> Iterator[None]:
    """What is in the page cache for the file system of `directory` is written to its disk every so many seconds."""
    sync = ctypes.CDLL(None, use_errno=True).syncfs
    handle = os.open(directory, os.O_RDONLY)
    is_over = threading.Event()

    def write() -> None:
        while not is_over.wait(every):
            sync(handle)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
        os.close(handle)


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
            found = written(house, seconds, speed)
            print(f"written at 5 s, a pulse each       {found.meter:8.1f} MB a day", flush=True)
            print(f"by its collector, its graphs too   {found.collector:8.1f} MB a day", flush=True)
            print(f"when the graphs' database is made  {found.first:8.1f} MB, once", flush=True)


if __name__ == "__main__":
    main()
