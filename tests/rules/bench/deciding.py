#!/usr/bin/env python3
"""What the rules service costs, and how fast it is, with relays beside it.

    tests/rules/bench/deciding.py [TIMES]
    sudo chrt -f 20 tests/rules/bench/deciding.py     where others are at work: the processor is ours, only the disk is shared

Root. /run is in memory, as on any machine. Eight rules ask for a value of their own and one of all; from before that value's file is
changed to the change of the house's pin, TIMES (100) times after a second of quiet, likewise while it changes every 20 ms, and beside two
rules that ask for it, too, and never come to an end.
"""

import sys
import time
from pathlib import Path
from typing import NamedTuple

sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parents[3] / "lib")]

from tests.core.bench.footprint import compile_all, memory, processor_seconds  # noqa: E402  # only findable now
from tests.core.bench.latency import house_with_run_in_memory, tell  # noqa: E402  # only findable now
from tests.kit import House  # noqa: E402  # only findable now
from tests.rules.rules import Rules  # noqa: E402  # only findable now

_RULES = 8
_QUIET_SECONDS = 1.1
_STORM_SECONDS = 0.02
_IDLE_SECONDS = 30
_RULE = """
data["bmv/P"]
return (ON if data["bmv/SOC{number}"] > 90 else OFF), "the battery"
"""
_LOOPS = """
data["bmv/SOC1"]
while True: pass
"""


class Costs(NamedTuple):
    """Megabytes of the service, and of it with its child; percent of a core."""

    pss: float
    with_child: float
    idle: float


def begin(house: House) -> Rules:
    """Relays with their rules, all off."""
    compile_all()
    rules = Rules(house, *({} for _ in range(_RULES)))
    rules.put("bmv/P", "100")
    for number in range(1, _RULES + 1):
        rules.put(f"bmv/SOC{number}", "50")
        rules.write(number, _RULE.format(number=number))
    for number in range(1, _RULES + 1):
        rules.until_says(number, "off")
    return rules


def latencies(rules: Rules, times: int) -> list[float]:
    """Seconds from before a file is changed to the pin, after a second of quiet."""
    found = []
    with rules.relays.told.open() as told:
        for turn in range(times):
            time.sleep(_QUIET_SECONDS)
            told.read()
            began = time.clock_gettime(time.CLOCK_BOOTTIME)
            rules.put("bmv/SOC1", "50" if turn % 2 else "95")
            found.append(_moved(told) - began)
    return found


def latencies_in_a_storm(rules: Rules, times: int) -> list[float]:
    """The same, while another value that all rules have asked for changes all the time."""
    found = []
    with rules.relays.told.open() as told:
        for turn in range(times):
            told.read()
            began = time.clock_gettime(time.CLOCK_BOOTTIME)
            rules.put("bmv/SOC1", "50" if turn % 2 else "95")
            count = 0
            while not (line := told.read()).endswith("\n"):
                count += 1
                rules.put("bmv/P", str(100 + count % 50))
                time.sleep(_STORM_SECONDS)
            found.append(float(line.split()[2]) - began)
            for _ in range(turn % 7 * 5):
                rules.put("bmv/P", str(turn))
                time.sleep(_STORM_SECONDS)
    return found


def have_two_loop(rules: Rules) -> None:
    """The last two rules never come to an end, and are asked again and again."""
    rules.instance.set("INTERVAL", "1")
    rules.instance.svc("-t")
    for number in (_RULES - 1, _RULES):
        rules.write(number, _LOOPS)
    for number in (_RULES - 1, _RULES):
        rules.until_says(number, "lost")


def _moved(told: object) -> float:
    line = ""
    while not line.endswith("\n"):
        line += told.read()  # type: ignore[attr-defined]
        time.sleep(0.0005)
    return float(line.split()[2])


def costs(rules: Rules, seconds: float = _IDLE_SECONDS) -> Costs:
    """While nothing changes."""
    pid = rules.instance.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    pids = [pid, *map(int, children)]
    used, began = sum(map(processor_seconds, pids)), time.monotonic()
    time.sleep(seconds)
    idle = (sum(map(processor_seconds, pids)) - used) / (time.monotonic() - began) * 100
    taken = [memory(each) for each in pids]
    return Costs(taken[0].pss, sum(each.pss for each in taken), idle)


def main() -> None:
    """Measure, and print what it was."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with house_with_run_in_memory() as house:
        rules = begin(house)
        print(costs(rules), flush=True)
        tell(f"after a second of quiet, {times} times", latencies(rules, times))
        tell(f"while values change all the time, {times} times", latencies_in_a_storm(rules, times))
        have_two_loop(rules)
        tell(f"beside two rules that loop, {times} times", latencies(rules, times))


if __name__ == "__main__":
    main()
