#!/usr/bin/env python3
"""How long a replay takes: a rule with four values and its guards over a week and a year of minutes, and a year recorded every 10 s.

    tests/rules/bench/replay.py [DIRECTORY]

The journals are made in DIRECTORY, where they stay for the next time (a temporary one: 75 and 450 MB).
"""

import math
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

TOP = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(TOP), str(TOP / "lib")]

from pimains.rules import replaying, rule_files  # noqa: E402  # only findable now
from pimains.rules.plan.replay import Span  # noqa: E402  # only findable now
from pimains.rules.replaying import Past  # noqa: E402  # only findable now
from pimains.shared.relays.guard_settings import GuardSettings  # noqa: E402  # only findable now
from pimains.shared.relays.plan.relay import Limits  # noqa: E402  # only findable now
from tests.rules.journals import Recording  # noqa: E402  # only findable now

DAY = 86_400
START = 1_767_225_600.0  # 2026-01-01
NAMES = ("bmv/SOC", "bmv/P", "mppt/PPV", "mppt/V")
RULE = """
def rule(relay, data, relays, now):
    if data["bmv/SOC"] < 60:
        return OFF, f"the battery first: {data['bmv/SOC']:.0f} %"
    surplus = data["mppt/PPV"] - data["bmv/P"]
    if surplus > (100 if relay.on else 900) and data["mppt/V"] > 20:
        return ON, f"{surplus:.0f} W of surplus"
    return OFF, f"{surplus:.0f} W are not enough"
"""


def sky(every: int) -> Iterator[tuple[float, float, float, float]]:
    """Charge, power of the battery, of the panels and their voltage: days with clouds that come and go within minutes."""
    chance, cloud, charge = random.Random(1), 0.0, 70.0
    for at in count(every, every):
        sun = max(0.0, math.sin((at % DAY / DAY - 0.25) * 2 * math.pi)) * (0.6 + 0.4 * math.sin(at / DAY / 58))
        cloud = min(0.9, max(0.0, cloud + chance.gauss(0, 0.05) * math.sqrt(every / 60)))
        panels = 2500 * sun * (1 - cloud) * chance.uniform(0.97, 1.03)
        battery = min(panels, 1000 if charge < 90 else 60) - chance.uniform(80, 300)
        charge = min(100.0, max(20.0, charge + battery * every / 3600 / 50))
        yield round(charge, 1), round(battery), round(panels), round(30 * sun + chance.uniform(0, 3), 2)


def journal(path: Path, every: int, days: int) -> Path:
    """Four values, and when the relay was on."""
    if path.exists():
        return path
    recording = Recording(path)
    switchings = [(START + day * DAY + hour * 3600.0, float(hour % 2)) for day in range(days) for hour in range(8, 18)]
    recording.looked("relays/3.state", switchings)
    for name in NAMES:
        recording.looked(name, [(START, 1.0)])
    recording.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        runs = [connection.execute("select id from boots where source = ?", (name,)).fetchone()[0] for name in NAMES]
        rows = (
            (run, 1 + at, None, START + at, value)
            for at, values in zip(range(every, days * DAY, every), sky(every), strict=False)
            for run, value in zip(runs, values, strict=True)
        )
        connection.executemany("insert into readings values (?,?,?,?,?)", rows)
    return path


def measure(path: Path, directory: Path, days: int, of_days: int) -> tuple[float, int]:
    """Seconds for the last days of a journal, and how often the relay would have been on."""
    rule = directory / "3.py"
    rule.write_text(RULE)
    guards = GuardSettings({"RELAYS": str(directory), "STAGGER_SECONDS": "1", "GROUP_LIMITS": "", "LOST_SECONDS": "600"})
    limits = {"3": Limits(min_on=300, min_off=300, max_on_per_day=6 * 3600, watts=2000), "4": Limits(), "5": Limits()}
    past = Past(path, 3, limits, guards, 600.0, rule_files.read(rule))
    span = Span(START + (of_days - days) * DAY, 60.0, days * 1440)
    began = time.perf_counter()
    played = replaying.played(past, span, frozenset(NAMES), 60.0, lambda _: None)
    return time.perf_counter() - began, len(played.runs)


def main(directory: Path) -> None:
    """Print a line for each."""
    minutes, seconds = journal(directory / "minutes.sqlite", 60, 365), journal(directory / "seconds.sqlite", 10, 365)
    for what, path, days in (
        ("a week of minutes", minutes, 7),
        ("a year of minutes", minutes, 365),
        ("a year recorded every 10 s", seconds, 365),
    ):
        took, runs = measure(path, directory, days, 365)
        print(f"{what}: {took:.2f} s, {took / days / 1440 * 1e6:.1f} µs a step, {runs} runs", flush=True)
    began = time.perf_counter()
    imported = [sys.executable, "-c", "import pimains.rules.replay_command"]
    subprocess.run(imported, env={"PYTHONPATH": str(TOP / "lib")}, check=True)
    print(f"the interpreter's start and what the command imports: {time.perf_counter() - began:.2f} s; load {os.getloadavg()[0]:.0f}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as made:
            main(Path(made))
