#!/usr/bin/env python3
"""What the relays service costs, and how fast it is.

    tests/relays/bench/switching.py [SECONDS]
    sudo chrt -f 20 tests/relays/bench/switching.py 0     where others are at work: the processor is ours, only the disk is shared

/run is in memory, as on any machine. Pins are the house's, in the service's own process, and each change of one is written to a file: that
is part of its times. The ledger's share is what the same entry takes a process of its own, one after the other. For SECONDS (60),
1000 wishes a second for 64 relays.
"""

import os
import random
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parents[3] / "lib")]

from pimains.core.ledger import Ledger, Reading  # noqa: E402  # only findable now
from tests.core.bench.footprint import memory  # noqa: E402  # only findable now
from tests.core.bench.latency import house_with_run_in_memory, tell  # noqa: E402  # only findable now
from tests.kit import House, until  # noqa: E402  # only findable now
from tests.relays.relays import Relays  # noqa: E402  # only findable now

_TIMES = 300
_PACE_SECONDS = 0.05


def main() -> None:
    """Measure, and print what it was."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    with house_with_run_in_memory() as house:
        measure(house, seconds)


def measure(house: House, seconds: int) -> None:
    """All of it."""
    relays = sixty_four(house)
    for what in ("wish", "mode"):
        tell(f"from a changed {what} file to the pin, {_TIMES} times", latencies(relays, what, _TIMES))
    tell("an entry of the ledger", ledger_times(house, _TIMES))
    if not seconds:
        return
    print(f"idle: {idle(relays, 60):.2f} % of a core")
    print(f"memory: {memory(relays.instance.pid)}")
    share, wrong = storm(relays, seconds)
    print(f"1000 wishes a second for 64 relays, {seconds} s: {share:.0f} % of a core; {wrong} relays in the wrong state at the end")


def sixty_four(house: House) -> Relays:
    """As many relays without guards."""
    relays = Relays(house, *({} for _ in range(8)), *({"PIN": f"house:{line}"} for line in range(56)))
    until(lambda: "0 of 64 relays on" in relays.instance.status)
    return relays


def latencies(relays: Relays, what: str, times: int) -> list[float]:
    """Seconds from before the writing to the pin's change."""
    found = []
    with relays.told.open() as told:
        told.read()
        for number in range(times):
            word = "off" if number % 2 else "on"
            began = time.clock_gettime(time.CLOCK_BOOTTIME)
            (relays.wish if what == "wish" else relays.mode)(1, f"{word} sun" if what == "wish" else word)
            line = ""
            while not line.endswith("\n"):
                line += told.read()
                time.sleep(0.0005)
            found.append(float(line.split()[2]) - began)
            time.sleep(_PACE_SECONDS)
    relays.mode(1, "auto")
    return found


def ledger_times(house: House, times: int) -> list[float]:
    """What `record` takes on this disk."""
    ledger = Ledger(house.root / "var/lib/pimains/relays/ledger-of-the-bench.sqlite")
    found = []
    for number in range(times):
        began = time.monotonic()
        ledger.record("relay.1", "on" if number % 2 else "off", "sun", {"mode": Reading("auto"), "wish": Reading("on", 0.0)}, 0.0)
        found.append(time.monotonic() - began)
        time.sleep(_PACE_SECONDS)
    return found


def seconds_used(pid: int) -> float:
    """Of all its threads."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def idle(relays: Relays, seconds: float) -> float:
    """Percent of a core while nothing happens."""
    time.sleep(2)
    used, began = seconds_used(relays.instance.pid), time.monotonic()
    time.sleep(seconds)
    return (seconds_used(relays.instance.pid) - used) / (time.monotonic() - began) * 100


def storm(relays: Relays, seconds: int, guard_seconds: int = 60) -> tuple[float, int]:
    """Percent of a core, and how many relays do not end as was wished, where MIN_ON and MIN_OFF are as short as that."""
    for number in range(1, 65):
        for name in ("MIN_ON", "MIN_OFF"):
            relays.set(number, name, str(guard_seconds))
    time.sleep(2)
    luck, last = random.Random(4), dict.fromkeys(range(1, 65), "off")
    used, began = seconds_used(relays.instance.pid), time.monotonic()
    for turn in range(1000 * seconds):
        number, word = luck.randrange(1, 65), luck.choice(("on", "off"))
        last[number] = word
        relays.wish(number, f"{word} wish {turn}")
        time.sleep(max(0.0, began + turn / 1000 - time.monotonic()))
    share = (seconds_used(relays.instance.pid) - used) / (time.monotonic() - began) * 100
    end = time.monotonic() + guard_seconds + 20
    while time.monotonic() < end and (wrong := sum(relays.of(number, "state") != word for number, word in last.items())):
        time.sleep(0.2)
    return share, wrong


if __name__ == "__main__":
    main()
