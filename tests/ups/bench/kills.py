#!/usr/bin/env python3
"""Outages in which ups is killed with -9 at random instants, and at each boundary of a phase, there also with the whole machine. Root.

    tests/ups/bench/kills.py [KILLS [SEED]]

Four houses at a time. What has to come of each outage is asserted (tests/ups/killing.py).
"""

import random
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parents[3] / "lib")]

from tests.ups.killing import BOUNDARIES, Killed, killed_house  # noqa: E402  # only findable now

HOUSES = 4
KILLS_AN_OUTAGE = 5
Outage = Callable[[Killed], None]


def random_outages(kills: int) -> list[Outage]:
    """As many as that takes."""
    sizes = [KILLS_AN_OUTAGE] * (kills // KILLS_AN_OUTAGE) + [kills % KILLS_AN_OUTAGE] * bool(kills % KILLS_AN_OUTAGE)
    return [partial(Killed.outage, kills=size) for size in sizes]


def boundary_outages(*, crashes: bool = False, is_empty_then: bool = False) -> list[Outage]:
    """One for each boundary: the service is killed, or the machine loses its power, and has no mains when it is on again."""

    return [partial(Killed.outage, at=boundary, crashes=crashes, is_empty_then=is_empty_then) for boundary in BOUNDARIES]


def live(outages: list[Outage], seed: int) -> int:
    """One after another in one house; returns the kills."""
    with tempfile.TemporaryDirectory(prefix="pimains-kills-", ignore_cleanup_errors=True) as top:
        Path(top).chmod(0o755)
        with killed_house(Path(top), seed) as killed:
            for outage in outages:
                outage(killed)
            return killed.kills


def kill(outages: list[Outage], houses: int, seed: int) -> int:
    """All of them, in so many houses at a time; returns the kills."""
    random.Random(seed).shuffle(outages)
    with ThreadPoolExecutor(houses) as pool:
        return sum(pool.map(live, [outages[number::houses] for number in range(houses)], range(seed, seed + houses)))


def main() -> None:
    """Print how many it survived."""
    kills, seed = *map(int, sys.argv[1:]), *(200, random.randrange(10**6))[len(sys.argv) - 1 :]
    print(f"seed {seed}", flush=True)
    boundaries = boundary_outages() + boundary_outages(crashes=True) + boundary_outages(crashes=True, is_empty_then=True)
    outages = random_outages(kills) + boundaries
    print(f"killed {kill(outages, HOUSES, seed)} times in {len(outages)} outages: each one forced shutdown, one request, nobody forgotten")


if __name__ == "__main__":
    main()
