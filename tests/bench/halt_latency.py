#!/usr/bin/env python3
"""How long the halt service takes from a request to the start of HALT_COMMAND, the synced ledger entry included.

    tests/bench/halt_latency.py [RUNS] [DIRECTORY]

RUNS (200) requests, one after the other, without steps, each to a service that was just started, as a machine meets it
once in its life; the ledger is on DIRECTORY's disk (/tmp). The clock starts with the rename that makes the request and
stops with the first line of HALT_COMMAND, a shell script: its own start is shown beside it.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from kit import House, TestInstance, new_house, until


def measure(house: House, runs: int) -> list[float]:
    """Seconds from request to HALT_COMMAND, for each run."""
    stamp = house.root / "started"
    command = house.root / "stamp"
    command.write_text(f'#!/bin/sh\n>"{stamp}"\n')  # its mtime is the moment
    command.chmod(0o755)
    halt = house.add("halt", HALT_COMMAND=str(command))
    taken = []
    for _ in range(runs):
        until(lambda: halt.status == "ready")
        aside = halt.run / ".asked"
        aside.write_text("a benchmark\nhalt_latency\n")
        asked = time.time_ns()
        aside.rename(halt.run / "request")
        until(stamp.exists)
        taken.append((stamp.stat().st_mtime_ns - asked) / 1e9)
        start_anew(halt)
        stamp.unlink()
    return taken


def start_anew(halt: TestInstance) -> None:
    """Another process, that has not halted anything yet."""
    until(lambda: halt.status.startswith("shut down: "))
    halt.svc("-d")
    until(lambda: halt.status == "stopped" and halt.pid == 0)
    (halt.run / "accepted").unlink()
    halt.svc("-u")


def program_starts(runs: int, script: Path) -> list[float]:
    """How long the start of a shell script alone takes here."""
    stamp = script.parent / "started"
    taken = []
    for _ in range(runs):
        started = time.time_ns()
        subprocess.run([script], check=True)
        taken.append((stamp.stat().st_mtime_ns - started) / 1e9)
        stamp.unlink()
    return taken


def row(what: str, taken: list[float]) -> str:
    """A line of the table, in milliseconds."""
    ranked = sorted(taken)
    return f"{what:34}" + "".join(f"{ranked[min(len(ranked) - 1, int(len(ranked) * share))] * 1000:9.1f}" for share in (0.5, 0.9, 0.99, 1))


def main() -> None:
    """Print the table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory(prefix="pimains-bench-", dir=sys.argv[2] if len(sys.argv) > 2 else "/tmp") as root:
        for house in new_house(Path(root)):
            taken = measure(house, runs)
            alone = program_starts(runs, house.root / "stamp")
    print(f"{runs} runs, milliseconds{'':15}      p50      p90      p99      max")
    print(row("request renamed -> HALT_COMMAND", taken))
    print(row("of which: the start of a script", alone))


if __name__ == "__main__":
    main()
