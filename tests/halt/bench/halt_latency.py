#!/usr/bin/env python3
"""How long the halt service takes from a request to the start of HALT_COMMAND, the synced ledger entry included.

    tests/halt/bench/halt_latency.py [RUNS] [DIRECTORY]

RUNS (200, about a minute) requests, one after the other, without steps, each to a service that was just started, as a machine
meets it once in its life: five take turns, because supervise does nothing for a second after each start. The ledger is on DIRECTORY's
file system (/tmp). The clock starts with the rename that makes the request and
stops when the first command of HALT_COMMAND, a shell script, has made a file. Where the time goes stands below it: a busy
machine shows as waiting for a processor, a busy disk as the cost of one sync (a ledger entry needs four).
"""

import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parents[3] / "lib")]

from pimains.core.paths import shipped_halt_steps  # noqa: E402
from pimains.core.state import Watch  # noqa: E402
from tests.kit import TOP, House, TestInstance, new_house, until  # noqa: E402  # only findable now

PARTS = {
    "whole": "request renamed -> HALT_COMMAND",
    "processor": "  on a processor",
    "waiting": "  waiting for a processor",
    "import": "  import of sqlite3, json, ledger",
    "sync": "  one sync of 4 kB",
    "script": "  start of a shell script",
}
_MACHINES = 5
_IMPORT = """
import time, pimains.halt.service
started = time.process_time()
import pimains.core.ledger
print(time.process_time() - started)
"""


class Machine(NamedTuple):
    """A house with a halt service whose HALT_COMMAND, `command`, makes a file that `watch` sees."""

    house: House
    halt: TestInstance
    command: Path
    watch: Watch


def machine(house: House) -> Machine:
    """Its halt service runs no steps."""
    (house.root / "stamps").mkdir()
    command = house.root / "stamp"
    command.write_text(f'#!/bin/sh\n>"{house.root}/stamps/now"\n')
    command.chmod(0o755)
    (house.root / "etc/pimains/halt.d").mkdir()
    for step in (step for directory in shipped_halt_steps() for step in directory.iterdir()):
        (house.root / "etc/pimains/halt.d" / step.name).symlink_to("/dev/null")
    watch = Watch(house.root / "stamps")
    halt = house.add("halt", HALT_COMMAND=str(command))
    until(lambda: halt.status == "ready")
    return Machine(house, halt, command, watch)


def measure(houses: list[House], runs: int) -> dict[str, list[float]]:
    """Seconds for each run, by the names in PARTS; the houses take turns."""
    machines = [machine(house) for house in houses]
    taken: dict[str, list[float]] = {part: [] for part in PARTS}
    for number in range(runs):
        house, halt, command, watch = machines[number % len(machines)]
        aside, pid = halt.run / ".asked", halt.pid
        aside.write_text("a benchmark\nhalt_latency\n")
        before = scheduled(pid)
        taken["whole"].append(until_stamped(watch, lambda aside=aside, halt=halt: aside.rename(halt.run / "request")))
        after = scheduled(pid)
        taken["processor"].append(after[0] - before[0])
        taken["waiting"].append(after[1] - before[1])
        start_anew(halt)
        taken["script"].append(until_stamped(watch, lambda command=command: subprocess.Popen([command]).wait()))
        taken["sync"].append(one_sync(house.root / "synced"))
        taken["import"].append(import_seconds())
    return taken


def scheduled(pid: int) -> tuple[float, float]:
    """Seconds on a processor so far, and seconds that it waited for one (/proc/PID/schedstat)."""
    ran, waited, _ = Path(f"/proc/{pid}/schedstat").read_text().split()
    return int(ran) / 1e9, int(waited) / 1e9


def until_stamped(watch: Watch, begin: Callable[[], object]) -> float:
    """Seconds from `begin` until the script has made its file."""
    poller = select.poll()
    poller.register(watch.fileno(), select.POLLIN)
    started = time.perf_counter()
    begin()
    assert poller.poll(30_000), "HALT_COMMAND was not started within 30 s"
    took = time.perf_counter() - started
    watch.changed()
    return took


def start_anew(halt: TestInstance) -> None:
    """Another process, that has not halted anything yet."""
    until(lambda: halt.status.startswith("shut down: "))
    halt.svc("-d")
    until(lambda: halt.status == "stopped" and halt.pid == 0)
    (halt.run / "accepted").unlink()
    halt.svc("-u")
    until(lambda: halt.status == "ready")


def one_sync(path: Path) -> float:
    """What one fdatasync(2) of a page costs on this disk now."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT)
    os.pwrite(handle, os.urandom(4096), 0)
    started = time.perf_counter()
    os.fdatasync(handle)
    took = time.perf_counter() - started
    os.close(handle)
    return took


def import_seconds() -> float:
    """Processor time for what the service imports only when there is something to write down."""
    words = ["/usr/bin/python3", "-P", "-c", _IMPORT]
    environment = {**os.environ, "PYTHONPATH": str(TOP / "lib")}
    return float(subprocess.run(words, env=environment, capture_output=True, text=True, check=True).stdout)


def share(taken: list[float], part: float) -> float:
    """The time within which that `part` of the runs was done, in milliseconds (nearest rank)."""
    return sorted(taken)[max(0, -int(-len(taken) * part // 1) - 1)] * 1000


def main() -> None:
    """Print the table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    disk = sys.argv[2] if len(sys.argv) > 2 else "/tmp"
    with ExitStack() as stack:
        roots = [Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pimains-bench-", dir=disk))) for _ in range(_MACHINES)]
        taken = measure([stack.enter_context(contextmanager(new_house)(root)) for root in roots], runs)
    print(f"{f'milliseconds, {runs} runs':36}" + "".join(f"{title:>9}" for title in ("p50", "p90", "p99", "max")))
    for part, meaning in PARTS.items():
        print(f"{meaning:36}" + "".join(f"{share(taken[part], rank):9.1f}" for rank in (0.5, 0.9, 0.99, 1)))


if __name__ == "__main__":
    main()
