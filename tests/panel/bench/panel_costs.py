#!/usr/bin/env python3
"""What panel costs: memory beside other Pythons, processor time with one board and with two while nothing happens and no wire is missing.

    tests/panel/bench/panel_costs.py [SECONDS]

Root and gcc. SECONDS (60) is how long each processor time is counted, in windows of two seconds: on a machine that others use a wake-up
takes up to three times as long, so the least of them is told, too, and what a Python took in the same time that woke up as often and did
nothing. The lines are those of tests/panel/gpiochip.c: each call goes into
the kernel, and the boards decode it there; what a GPIO driver takes for a call (some tenths of a microsecond) comes on top.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "lib"))

from pimains.panel.service import KEYS_SECONDS  # only findable now
from tests.core.bench.footprint import compile_all, memory, processor_seconds  # only findable now
from tests.kit import House, new_house, until  # only findable now
from tests.panel.panels import LinesPanel  # only findable now
from tests.relays.relays import Relays  # only findable now

_WINDOW_SECONDS = 2.0


class Costs(NamedTuple):
    """Megabytes; percent of a core in the middle and the least of the windows, and of a Python that only wakes up; calls for the lines a
    second; of so many presses of 80 ms, how many stepped a mode.
    """

    pss: float
    alone: float
    percent: float
    least: float
    bare: float
    calls: float
    presses: int = 0
    seen: int = 0


def measure(house: House, strobes: str, seconds: float, presses: int = 0) -> Costs:
    """A panel beside a relays service, idle; then each key in turn for 80 ms."""
    compile_all()
    panel = LinesPanel(house, house.root / "etc/pimains/relays", svscan=False, STBS=strobes, TEXT="name")
    Relays(house, *({"NAME": f"relay {number}"} for number in range(1, 9)))
    until(lambda: panel.instance.status.startswith("relays 1, 2, 3, 4, 5, 6, 7, 8 on"), what=panel.instance.story)
    pid = panel.instance.pid
    taken = memory(pid)
    began, calls = time.monotonic(), panel.calls()
    with subprocess.Popen(["/usr/bin/python3", "-c", f"import time\nwhile True: time.sleep({KEYS_SECONDS})"]) as bare:
        windows = [_window(pid, bare.pid) for _ in range(max(1, int(seconds / _WINDOW_SECONDS)))]
        bare.kill()
    calls = (panel.calls() - calls) / (time.monotonic() - began)
    own, others = zip(*windows, strict=True)
    seen = sum(_is_seen(panel, 1 + number % 8) for number in range(presses))
    return Costs(taken.pss, taken.alone, statistics.median(own), min(own), statistics.median(others), calls, presses, seen)


def _window(*pids: int) -> list[float]:
    """Percent of a core that each takes."""
    began, before = time.monotonic(), [processor_seconds(pid) for pid in pids]
    time.sleep(_WINDOW_SECONDS)
    took = time.monotonic() - began
    return [100 * (processor_seconds(pid) - busy) / took for pid, busy in zip(pids, before, strict=True)]


def _is_seen(panel: LinesPanel, key: int) -> bool:
    """Whether a press of 80 ms has the key's digit change."""
    before = panel.registers()[2 * key - 2] & 0x7F
    time.sleep(int.from_bytes(os.urandom(1)) / 256 * 0.08)
    panel.hold(key)
    time.sleep(0.08)
    panel.hold()
    time.sleep(0.4)
    return panel.registers()[2 * key - 2] & 0x7F != before


def main() -> None:
    """Print it."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60
    for strobes in ("26", "26 6"):
        with tempfile.TemporaryDirectory(prefix="pimains-bench-") as root:
            for house in new_house(Path(root)):
                found = measure(house, strobes, seconds, presses=int(2 * seconds))
                print(
                    f"{len(strobes.split())} board(s): PSS beside others {found.pss:.1f} MB, as the only Python {found.alone:.1f} MB",
                    end="",
                )
                print(f"; idle {found.percent:.2f} % of a core", end="")
                print(f" (the least {found.least:.2f}, waking up alone {found.bare:.2f}), {found.calls:.0f} calls a second", end="")
                print(f"; {found.seen} of {found.presses} presses of 80 ms seen (load {os.getloadavg()[0]:.1f})", flush=True)


if __name__ == "__main__":
    main()
