#!/usr/bin/env python3
"""What the idle services halt, notify and update cost: memory, processor time and wake-ups.

    tests/core/bench/footprint.py [SECONDS]

PSS counts a page that several processes share in equal parts, so it depends on who else runs: it is shown as it is now,
with three other Pythons beside it (a Pi with more than one service), and as if this were the only Python on the machine
(the files of its interpreter and extension modules counted in full; libc and others stay shared, every process has them). What is
measured is compiled before, as it is when a package is installed: a service that had to do it itself keeps a megabyte more.
SECONDS (60) is how long the processor time is counted.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "lib"))

from tests.kit import TOP, House, new_house, until


class Memory(NamedTuple):
    """Megabytes."""

    pss: float
    alone: float
    anonymous: float


class Footprint(NamedTuple):
    """Memory now and beside others; percent of one processor; wake-ups a minute."""

    now: Memory
    beside_others: Memory
    processor_percent: float
    wake_ups_per_minute: float


def memory(pid: int) -> Memory:
    """From /proc/PID/smaps (proc(5)); needs root for another user's process."""
    pss = alone = anonymous = 0
    is_pythons = False
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        name, *words = line.split()
        if not name.endswith(":"):
            is_pythons = len(words) > 4 and ("python" in words[4] or "libffi" in words[4] or "libsqlite" in words[4])
        elif name == "Rss:" and is_pythons:
            alone += int(words[0])
        elif name == "Pss:":
            pss += int(words[0])
            alone += 0 if is_pythons else int(words[0])
        elif name == "Anonymous:":
            anonymous += int(words[0])
    return Memory(pss / 1024, alone / 1024, anonymous / 1024)


def compile_all() -> None:
    """As dpkg does it (py3compile)."""
    subprocess.run(["/usr/bin/python3", "-m", "compileall", "-q", TOP / "lib"], check=True)


def processor_seconds(pid: int) -> float:
    """Time on a processor so far, in nanoseconds' resolution (/proc/PID/schedstat)."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def wake_ups(pid: int) -> int:
    """How often it went to sleep so far."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("voluntary_ctxt_switches:")[1].split()[0])


def is_asleep(pid: int) -> bool:
    """Whether it does nothing for a while."""
    before = processor_seconds(pid)
    time.sleep(0.2)
    return processor_seconds(pid) == before


def ask_to_look_now(house: House) -> None:
    """The service update would wait until this machine has been up for five minutes."""
    run = house.root / "run/pimains/update"
    run.mkdir()
    (run / "now").touch()


def waiting(house: House, service: str) -> int:
    """The process of a service that has nothing to do."""
    if service == "halt":
        instance = house.add("halt", HALT_COMMAND=house.recorder)
        until(lambda: instance.status == "ready")
    elif service == "update":
        ask_to_look_now(house)
        instance = house.add("update", UPGRADE="no-such-package")
        until(lambda: instance.status.startswith("nothing to upgrade"))
    else:
        told = {"MAIL_TO": "anna@example.org", "MAIL_FROM": "pi@example.org", "MAIL_HOST": "localhost", "LCD_HOST": "127.0.0.1"}
        instance = house.add("notify", APPRISE_FILE="", **told)
        until(lambda: instance.status == "telling 2 addresses")
    return instance.pid


def measure(house: House, seconds: float, service: str = "halt") -> Footprint:
    """One service, waiting."""
    compile_all()
    pid = waiting(house, service)
    now = memory(pid)
    others = [subprocess.Popen(["/usr/bin/python3", "-c", "import ctypes; input()"], stdin=subprocess.PIPE) for _ in range(3)]
    try:
        until(lambda: all("libffi" in Path(f"/proc/{other.pid}/maps").read_text() for other in others))
        beside = memory(pid)
    finally:
        for other in others:
            other.communicate(b"\n")
    until(lambda: is_asleep(pid), what="what it had to do to be done")
    started, busy, woken = time.monotonic(), processor_seconds(pid), wake_ups(pid)
    time.sleep(seconds)
    took = time.monotonic() - started
    return Footprint(now, beside, (processor_seconds(pid) - busy) / took * 100, (wake_ups(pid) - woken) / took * 60)


def main() -> None:
    """Print the table."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60
    for service in ("halt", "notify", "update"):
        with tempfile.TemporaryDirectory(prefix="pimains-bench-") as root:
            for house in new_house(Path(root)):
                show(service, measure(house, seconds, service), seconds)


def show(service: str, found: Footprint, seconds: float) -> None:
    """One service's part of the table."""
    print(f"{service}, idle")
    print(f"  PSS now                       {found.now.pss:6.1f} MB")
    print(f"  PSS beside three Pythons      {found.beside_others.pss:6.1f} MB")
    print(f"  PSS as the only Python        {found.now.alone:6.1f} MB   of which its own data {found.now.anonymous:.1f} MB")
    print(f"  processor over {seconds:3.0f} s          {found.processor_percent:6.3f} %")
    print(f"  wake-ups                      {found.wake_ups_per_minute:6.1f} a minute", flush=True)


if __name__ == "__main__":
    main()
