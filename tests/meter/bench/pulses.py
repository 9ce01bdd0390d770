#!/usr/bin/env python3
"""A meter and a collector through everything at once: every pulse is counted once, and every reading arrives.

    tests/meter/bench/pulses.py [PULSES [DAYS]]

PULSES (1000000) come through gpiozero's mock factory while the meter is killed with -9 a hundred times and the collector
forty times, at random; while requests between them go twice, late, out of order or not at all; while the collector cannot
be reached for DAYS (3), a thousand times as fast as they come; while the disk of the one, then of the other, is full; and
while the meter's machine is started anew with its disk full. Then its SOURCE is changed and changed back, the collector loses
its journal, the meter's is replaced by an old copy, its directory is removed, and its card is replaced by a new one; last, the
meter is replaced by one with other impulses, while it counts, and again by one of the first kind. Needs root: the disks are small
ones in a mount namespace.
"""

import contextlib
import itertools
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "lib"))

from pimains.core.ledger import Ledger
from tests.collector.collecting import TOKEN, Collector
from tests.core.bench.footprint import Memory, memory
from tests.kit import TOP, TestInstance, new_house, until
from tests.meter.meters import Meter, Postman

SPEED = 1000
DAY = 86_400
DISKS = """
set -e
for disk in "$1" "$2"; do mkdir -p "$disk"; mount -t tmpfs -o size=24m,mode=777 tmpfs "$disk"; done
mount --bind "$3" /proc/sys/kernel/random/boot_id
shift 3
exec "$@"
"""
BOOT_ID = "00000000-0000-4000-8000-{:012d}\n"


class Course(NamedTuple):
    """How much of everything."""

    pulses: int
    offline_days: float
    meter_kills: int
    collector_kills: int
    full_seconds: float


class Used(NamedTuple):
    """MB of its own (anonymous) memory: when it had settled, and the most that any of its processes had; the most by PSS."""

    settled: float
    most: float
    pss: float


class Found(NamedTuple):
    """What it came to."""

    generated: int
    collected: int
    readings: int
    lost: int
    out_of_place: int
    seconds: float
    fates: dict[str, int]
    kills: dict[str, int]
    sent_again: bool
    told: list[str]
    meter: Used
    collector: Used


class Watcher(threading.Thread):
    """Looks at the memory of both, and kills the collector now and then."""

    def __init__(self, *instances: TestInstance) -> None:
        super().__init__(daemon=True)
        self.samples: dict[str, list[tuple[float, Memory]]] = {each.name: [] for each in instances}
        self.kills_left = self.killed = 0
        self.end = threading.Event()
        self._instances = instances
        self._luck = random.Random(2)

    def run(self) -> None:
        next_kill = time.monotonic() + 3
        while not self.end.wait(0.5):
            for each in self._instances:
                self._look(each)
            if self.kills_left and time.monotonic() > next_kill:
                self.kills_left -= 1
                self.killed += 1
                self._instances[1].kill()
                next_kill = time.monotonic() + self._luck.uniform(1.5, 5)

    def _look(self, instance: TestInstance) -> None:
        pid = instance.pid
        try:
            age = time.clock_gettime(time.CLOCK_BOOTTIME) - int(Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[19]) / 100
            self.samples[instance.name].append((age, memory(pid)))
        except (OSError, IndexError):
            return  # it was killed just now

    def used(self, instance: TestInstance) -> Used:
        """Settled: ten seconds old, for the first time."""
        samples = self.samples[instance.name]
        settled = next((used.anonymous for age, used in samples if age > 10), 0.0)
        most = max(samples, key=lambda sample: sample[1].anonymous)[1].anonymous
        return Used(settled, most, max(samples, key=lambda sample: sample[1].pss)[1].pss)


class Endurance:
    """One run in a house of its own."""

    def __init__(self, root: Path, course: Course) -> None:
        self.course = course
        self._boot = root / "boot_id"
        self._boots = 0
        self._name_boot()
        disks = root / "var/lib/pimains/house", root / "collector-data"
        self._houses = new_house(root, ("unshare", "--mount", "sh", "-c", DISKS, "sh", *map(str, (*disks, self._boot))))
        self.house = next(self._houses)
        fast = {"PIMAINS_SPEED": str(SPEED)}
        self.collector = Collector(self.house, DATA_DIR=str(disks[1]), COMMIT_SECONDS="200", RETENTION_DAYS="1", **fast)
        self.postman = Postman(self.collector.url)
        self.meter = Meter(self.house, "house", INTERVAL="5", COLLECTOR=self.postman.url, TOKEN=TOKEN, **fast)
        self.disks = [Path(f"/proc/{self.house.pid}/root{disk}") for disk in disks]
        self.generated = 0
        self.doubled = 0  # pulses that were generated by a meter with half as many impulses, and mean one more each
        self.kills = 0
        self.sent_again = False
        self._on_other_cards = 0
        self._copy = root / "copy"
        self._luck = random.Random(1)
        self.watcher = Watcher(self.meter.instance, self.collector.instance)

    def run(self) -> Found:
        """Everything, and then what it came to."""
        began = time.monotonic()
        self.watcher.start()
        part, kills = self.course.pulses // 10, self.course.meter_kills // 8
        self.pulses(part // 2, 0)
        self.peace()
        self.watcher.kills_left = self.course.collector_kills // 2
        self.postman.say("bad 0.5")
        self.pulses(2 * part, 2 * kills)
        self.with_full_disk(1, lambda: self.pulses(part, kills))
        self.with_full_disk(0, lambda: (self.pulses(part, kills), self.machine_starts_anew(), self.pulses(part, kills)))
        self.postman.say("away")
        offline_until = time.monotonic() + self.course.offline_days * DAY / SPEED
        self.pulses(part, kills)
        while time.monotonic() < offline_until:
            self.pulses(max(1, part // 250), 0)
            time.sleep(1)
        self.watcher.kills_left = self.course.collector_kills // 2
        self.postman.say("bad 0.5")
        self.pulses(2 * part, 2 * kills)
        until(lambda: not self.watcher.kills_left, 300)
        self.change_everything(max(10, part // 50))
        self.pulses(self.course.pulses - self.generated, 0)
        self.peace()
        self.watcher.end.set()
        self.watcher.join()
        collected = self.collected()
        self.stop()
        return self.found(collected, time.monotonic() - began)

    def pulses(self, count: int, kills: int) -> None:
        """So many, in bursts, and -9 between two of them as often."""
        end = self.generated + count
        kills_at = sorted(self._luck.sample(range(self.generated + 1, end), min(kills, count - 1)))
        while self.generated < end:
            burst = min(end - self.generated, self._luck.randrange(1, 2000), *(at - self.generated for at in kills_at[:1]))
            self.generated += burst
            lines = [f"24 pulses {burst}", f"wait {self._luck.uniform(0, 0.05):.3f}"]
            if kills_at[:1] == [self.generated]:
                del kills_at[0]
                self.kills += 1
                lines.append("kill")
            self.meter.pins(*lines)
            until(lambda: self._on_other_cards + self.meter.pulses >= self.generated, 60, "the meter to count")

    def peace(self) -> None:
        """Nothing bad for a while: all has to arrive, and stays as it is."""
        self.postman.say("well")
        until(lambda: self.collected() == self.generated, 300, f"{self.generated} pulses to arrive")
        time.sleep(15 if self.course.full_seconds > 5 else 2)

    def with_full_disk(self, which: int, what: Callable[[], object]) -> None:
        """Do that with the disk of the meter (0) or of the collector (1) full."""
        ballast = self.disks[which] / "ballast"
        until_at_least = time.monotonic() + self.course.full_seconds
        with ballast.open("wb", buffering=0) as file:
            for size in (1 << 20, 1 << 12):
                try:
                    while file.write(bytes(size)) == size:
                        pass
                except OSError:
                    continue
        what()
        time.sleep(max(0.0, until_at_least - time.monotonic()))
        ballast.unlink()

    def change_everything(self, count: int) -> None:
        """One after the other, with `count` pulses after each."""
        self.collector.token("attic", TOKEN)
        disk = self.disks[0]
        for source in ("attic", "house"):
            self.with_meter_stopped(lambda source=source: self.meter.instance.set("SOURCE", source))
            self.pulses(count, 0)
        self.peace()
        self.with_meter_stopped(lambda: subprocess.run(["cp", "-a", disk, self._copy], check=True))
        self.sent_again = self.collector_loses_its_journal()
        self.pulses(count, 0)
        self.peace()
        self.with_meter_stopped(lambda: (_empty(disk), subprocess.run(["cp", "-a", f"{self._copy}/.", disk], check=True)))
        self.pulses(count, 0)
        self.peace()
        self.with_meter_stopped(lambda: _empty(disk))
        self.pulses(count, 0)
        self.peace()
        self.with_meter_stopped(lambda: (_empty(disk), _empty(self.meter.instance.run), self._name_boot()))
        self._on_other_cards = self.generated
        self.pulses(count, 0)
        self.peace()
        self.replaced(500)
        self.pulses(count, 0)  # of these each is two of the others
        self.doubled += count
        self.peace()
        self.replaced(1000)

    def replaced(self, impulses: int) -> None:
        """Another meter hangs at the pin, as a person says it."""
        told = ["/usr/bin/python3", "-P", "-m", "pimains.cli", "meter", "replace", f"--impulses={impulses}", "0"]
        env = {"PYTHONPATH": str(TOP / "lib"), "PATH": "/usr/bin:/bin", "PIMAINS_ROOT": str(self.house.root)}
        subprocess.run([*told, f"--servicedir={self.house.scan}"], env=env, check=True, stdout=subprocess.DEVNULL)

    def with_meter_stopped(self, what: Callable[[], object]) -> None:
        """Do that while its service does not run."""
        instance = self.meter.instance
        instance.svc("-d")
        until(lambda: instance.pid == 0)
        what()
        instance.svc("-u")
        until(lambda: (instance.run / "count").exists() and "kWh" in instance.status, 30, "the meter to begin again")

    def collector_loses_its_journal(self) -> bool:
        """Whether it has all that it had of `house` again at last, but for what the meter's disk, when it was full, did not take."""
        instance = self.collector.instance
        instance.svc("-d")
        until(lambda: instance.pid == 0)
        had = self.stored() & set(_rows(Path(shutil.copytree(self._copy, self._copy.with_name("look"))) / "journal.sqlite", "house"))
        for path in self.disks[1].glob("journal.sqlite*"):
            path.unlink()
        instance.svc("-u")
        until(lambda: instance.status.startswith("http"), 30, "the collector to begin again")
        until(
            lambda: self.collected() == self.generated and had <= self.stored(),
            60,
            lambda: f"what it had to be there again: {self.collected()} of {self.generated}, not {sorted(had - self.stored())[:5]}",
        )
        return len(had) > 0

    def stored(self) -> set[tuple[str, int, float, int]]:
        """The readings of `house` that the collector has stored."""
        with tempfile.TemporaryDirectory() as out:
            return set(_rows(Path(shutil.copytree(self.disks[1], Path(out) / "copy")) / "journal.sqlite", "house"))

    def machine_starts_anew(self) -> None:
        """The meter's: what is in /run is gone, and the boot has another name."""
        instance = self.meter.instance
        instance.svc("-d")
        until(lambda: instance.pid == 0)
        for path in instance.run.iterdir():
            path.unlink()
        self._name_boot()
        instance.svc("-u")
        until(lambda: (instance.run / "count").exists(), 30, "the meter to begin again")

    def _name_boot(self) -> None:
        self._boots += 1
        self._boot.write_text(BOOT_ID.format(self._boots))

    def collected(self) -> int:
        """The energy that the collector has, at 1000 pulses a kWh."""
        try:
            sources = self.collector.get("/v1/sources").json()
        except (OSError, ValueError):  # it was just killed
            return -1
        return next((round(each["counted"] * 1000) - self.doubled for each in sources if each["source"] == "house"), -1)

    def stop(self) -> None:
        """Both services; their disks stay for a look at them."""
        for each in (self.meter.instance, self.collector.instance):
            each.svc("-d")
            until(lambda each=each: each.pid == 0)

    def found(self, collected: int, seconds: float) -> Found:
        """Compare the two journals."""
        with tempfile.TemporaryDirectory() as out:  # sqlite would look for them outside of the namespace
            copies = [Path(shutil.copytree(disk, Path(out) / disk.name)) / "journal.sqlite" for disk in self.disks]
            here, there = map(_rows, copies)
            offsets = _offsets(copies[1])
        out_of_place = sum(a[0] == b[0] and (a[2] > b[2] or a[3] > b[3]) for a, b in itertools.pairwise(there))
        right = max(time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) for _ in range(9))  # who is interrupted in between gets less
        out_of_place += sum(offset is None or abs(offset - right) > 1 for offset in offsets)
        return Found(
            self.generated,
            collected,
            len(there),
            len(set(here) - set(there)),
            out_of_place,
            seconds,
            self.postman.told(),
            {"meter": self.kills, "collector": self.watcher.killed},
            self.sent_again,
            self.why(),
            self.watcher.used(self.meter.instance),
            self.watcher.used(self.collector.instance),
        )

    def why(self) -> list[str]:
        """What was done, as `pimains why` tells it of both, oldest first."""
        path = self.house.root / "var/lib/pimains/ledger.sqlite"
        told = [each for name in ("house", "collector") for each in reversed(Ledger(path).entries(name, 1000))]
        return [f"{each.subject}: {each.action}: {each.cause}" for each in told]

    def close(self) -> None:
        """End everything."""
        self.watcher.end.set()
        self.postman.close()
        next(self._houses, None)


def _empty(directory: Path) -> None:
    for path in directory.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _rows(journal: Path, source: str = "%") -> list[tuple[str, int, float, int]]:
    """Its readings: run, sequence, uptime, count; a meter's of a source are those that are to be delivered as that."""
    sql = (
        "select distinct name, sequence, uptime, pulses from readings join boots on coalesce(part_of, id) = readings.boot"
        " and sequence > after and sequence <= until where source like ? order by 1, 2"
    )
    with contextlib.closing(sqlite3.connect(journal)) as connection:
        return list(connection.execute(sql, (source,)))


def _offsets(journal: Path) -> list[float | None]:
    with contextlib.closing(sqlite3.connect(journal)) as connection:
        return [offset for (offset,) in connection.execute('select "offset" from boots')]


def endurance(root: Path, course: Course) -> Found:
    """Run it."""
    run = Endurance(root, course)
    try:
        return run.run()
    finally:
        run.close()


def main() -> None:
    """Print the table."""
    pulses = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    days = float(sys.argv[2]) if len(sys.argv) > 2 else 3
    with tempfile.TemporaryDirectory(prefix="pimains-bench-", dir="/dev/shm") as root:
        found = endurance(Path(root), Course(pulses, days, 100, 40, 10))
    print(f"pulses generated                   {found.generated:10} in {found.seconds:.0f} s")
    print(f"pulses at the collector            {found.collected:10}")
    print(f"readings at the collector          {found.readings:10}, {found.lost} lost, {found.out_of_place} at a wrong place")
    print(f"kill -9                            {found.kills['meter']:10} of the meter, {found.kills['collector']} of the collector")
    print(f"readings that the collector lost   {'sent again' if found.sent_again else 'NOT sent again'}")
    print(*(f"    {line}" for line in found.told), sep="\n")
    print(f"requests                           {json.dumps(found.fates)}")
    for name, used in (("meter", found.meter), ("collector", found.collector)):
        print(
            f"{name + ':':35}{used.settled:10.1f} MB of its own when settled, {used.most:.1f} at most; PSS {used.pss:.1f} at most",
            flush=True,
        )


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit("needs root")
    main()
