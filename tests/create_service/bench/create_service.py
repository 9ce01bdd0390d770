#!/usr/bin/python3
"""How long create_service takes, as typed: tests/create_service/bench/create_service.py [RUNS]. --add-service has to take under 0.3 s."""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "lib"))

from tests.core.lamp import Checkout  # only findable now

ALLOWED_SECONDS = 0.3


class Row(NamedTuple):
    """One command, and how many seconds it took each time."""

    command: str
    seconds: list[float]


def measure(runs: int) -> list[Row]:
    """Add, change, list and remove a service with six settings, `runs` times over."""
    rows = [Row(command, []) for command in ("--add-service, new", "--add-service, a change", "--list", "--del-service, not running")]
    with tempfile.TemporaryDirectory(prefix="pimains-bench-") as top:
        lamps = Checkout(Path(top))
        commands: list[Callable[[], object]] = [
            lambda: lamps.add("--host=lamp.lan", "--port=99"),
            lambda: lamps.create_service("--instance=lamp", "--port=98", "--add-service"),
            lambda: lamps.create_service("--list"),
            lambda: lamps.create_service("--instance=lamp", "--del-service"),
        ]
        for _ in range(runs):
            for row, command in zip(rows, commands, strict=True):
                started = time.perf_counter()
                command()
                row.seconds.append(time.perf_counter() - started)
    return rows


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    print(f"create_service, {runs} runs of each    median      p95      max   allowed")
    for command, seconds in measure(runs):
        p95 = sorted(seconds)[int(0.95 * (len(seconds) - 1))]
        allowed = f"{ALLOWED_SECONDS:6.3f} s" if "new" in command else ""
        print(f"{command:34} {median(seconds):6.3f} s {p95:6.3f} s {max(seconds):6.3f} s  {allowed}")


if __name__ == "__main__":
    main()
