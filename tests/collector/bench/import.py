#!/usr/bin/env python3
"""What it takes to import what another program recorded, beside a collector that goes on storing readings.

    tests/collector/bench/import.py [VALUES]

VALUES (6 307 200: a year) of watts at 5 s: a database as POWERPI has one, and a table of the same. Memory is the most that
`pimains energy import` ever had (VmHWM); rrdtool, which reads the database for it, is told by itself.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parents[3] / "lib")]

import requests  # noqa: E402  # only findable now

from tests.collector.bench.collector import directories  # noqa: E402  # only findable now
from tests.collector.collecting import Collector, batch  # noqa: E402  # only findable now
from tests.core.bench.footprint import memory  # noqa: E402  # only findable now
from tests.kit import TOP, House, new_house  # noqa: E402  # only findable now

YEAR = 6_307_200
_AT_ONCE = 2_000


class Took(NamedTuple):
    """A command: seconds, and the most memory that it and its child had, in MB."""

    seconds: float
    memory: float
    child: float
    said: str


def database(path: Path, values: int, end: int) -> None:
    """Watts every 5 s until `end`, in one archive, as POWERPI wanted it: a year without loss."""
    start = end - 5 * values
    words = ["rrdtool", "create", path, f"--start={start}", "--step=5", "DS:power:GAUGE:20:0:U", f"RRA:AVERAGE:0.5:1:{values}"]
    subprocess.run(words, check=True)
    with subprocess.Popen(["rrdtool", "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as rrdtool:
        assert rrdtool.stdin is not None
        for first in range(1, values + 1, _AT_ONCE):
            numbers = range(first, min(first + _AT_ONCE, values + 1))
            rrdtool.stdin.write(f"update {path} {' '.join(f'{start + 5 * n}:{_watts(n)}' for n in numbers)}\n")


def table(path: Path, values: int, end: int) -> None:
    """The same."""
    start = end - 5 * values
    with path.open("w") as file:
        file.write("time,watts\n")
        file.writelines(f"{start + 5 * n},{_watts(n)}\n" for n in range(values + 1))


def _watts(number: int) -> int:
    return 100 + number % 720


def command(house: House, *words: str) -> Took:
    """`pimains energy` with these words."""
    env = {"PYTHONPATH": str(TOP / "lib"), "PATH": "/usr/bin:/bin", "PIMAINS_ROOT": str(house.root)}
    began = time.monotonic()
    with subprocess.Popen(
        ["/usr/bin/python3", "-P", "-m", "pimains.cli", "energy", *words, f"--servicedir={house.scan}"],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as child:
        most = of_child = 0.0
        while child.poll() is None:
            most = max(most, _most(child.pid))
            of_child = max([of_child, *(_most(int(pid)) for pid in _children(child.pid))])
            time.sleep(0.05)
        assert child.stdout is not None
        said = child.stdout.read().strip()
    assert child.returncode == 0, said
    return Took(time.monotonic() - began, most, of_child, said)


def _children(pid: int) -> list[str]:
    with suppress(OSError):
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return []


def _most(pid: int) -> float:
    with suppress(OSError, StopIteration):
        line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return 0.0


class Meter(threading.Thread):
    """Sends a reading whenever it was answered; `slowest` is the longest that took, in seconds, during each thing that went on."""

    def __init__(self, collector: Collector) -> None:
        super().__init__()
        self.collector, self.sent, self.refused = collector, 0, 0
        self.meanwhile, self.slowest = "", dict[str, float]()
        self._is_over = threading.Event()

    def run(self) -> None:
        offset = time.time()
        while not self._is_over.wait(0.1):
            self.sent += 1
            began, meanwhile = time.monotonic(), self.meanwhile
            while not (answer := self.collector.send(batch((self.sent, self.sent, self.sent), offset=offset))).ok:
                print(f"refused while {meanwhile}: {answer.text}", file=sys.stderr)
                self.refused += 1
            self.slowest[meanwhile] = max(self.slowest.get(meanwhile, 0.0), time.monotonic() - began)

    def end(self) -> None:
        self._is_over.set()
        self.join()


def measure(values: int, root: Path, data: Path) -> Iterator[tuple[str, str]]:
    """The table, row by row."""
    end = int(time.time()) // 5 * 5 - 3600
    for house in new_house(root):
        collector = Collector(house, DATA_DIR=str(data))
        meter = Meter(collector)
        meter.start()
        for what, make, name in (("a database", database, "power.rrd"), ("a table", table, "power.csv")):
            meter.meanwhile = "nothing"
            make(data / name, values, end)
            meter.meanwhile = "importing"
            size = (data / name).stat().st_size / 1e6
            took = command(house, "import", str(data / name), "--source=house")
            yield f"{what}, {size:.0f} MB, imported", f"{took.seconds:.1f} s, {values / took.seconds:.0f} readings a second"
            yield "its memory at most", f"{took.memory:.1f} MB, and rrdtool {took.child:.1f} MB" if took.child else f"{took.memory:.1f} MB"
            again = command(house, "import", str(data / name), "--source=house")
            assert "nothing is new" in again.said
            yield "again: nothing is new", f"{again.seconds:.1f} s"
            number = took.said.partition("import ")[2].partition(" ")[0]
            shown = command(house, "--year", "--json")
            yield "its years told", f"{shown.seconds:.2f} s"
            if make is database:
                meter.meanwhile = "drawing"
                began = time.monotonic()
                assert requests.get(f"{collector.url}/graphs/house/year.svg", timeout=600).ok
                yield "its graph of the year, made again", f"{time.monotonic() - began:.1f} s"
            meter.meanwhile = "forgetting"
            gone = command(house, "forget-import", number)
            yield "forgotten", f"{gone.seconds:.1f} s"
            (data / name).unlink()
        meter.end()
        slowest = ", ".join(f"{what} {seconds:.1f} s" for what, seconds in meter.slowest.items())
        yield "a meter's reading meanwhile, at most", f"{slowest}; {meter.sent} sent, {meter.refused} refused until later"
        yield "memory of the collector (PSS)", f"{memory(collector.instance.pid).alone:.1f} MB as the only Python"


def main() -> None:
    """Print the table."""
    with directories() as (root, data):
        for what, value in measure(int(sys.argv[1]) if len(sys.argv) > 1 else YEAR, root, data):
            print(f"{what:40} {value}", flush=True)


if __name__ == "__main__":
    main()
