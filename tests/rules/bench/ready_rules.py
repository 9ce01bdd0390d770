#!/usr/bin/env python3
"""How long a ready-made rule takes for an answer, at ten in the morning in the solar house, beside two other relays.

tests/rules/bench/ready_rules.py
"""

import sys
import tempfile
import timeit
from functools import partial
from pathlib import Path
from time import process_time

sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parents[3] / "lib")]

from pimains.shared.relays.plan.relay import Limits  # noqa: E402  # only findable now
from tests.rules.solar_world import SolarWorld, rule_of  # noqa: E402  # only findable now

_SETTINGS = {
    "surplus": {"VALUE": "grid/P", "START_WATTS": "900"},
    "float": {"VALUE": "vedirect.bmv/P"},
    "daily": {"MINUTES": "60", "VALUE": "grid/P", "START_WATTS": "900"},
    "after": {"RELAY": "1"},
    "schedule": {"TIMES": "6:30-8:00 17:00-23:00"},
    "file": {"FILE": "guests"},
}
_TIMES = 20_000


def main() -> None:
    """Print it for each kind."""
    world = SolarWorld(**{"3": Limits(watts=1000), "1": Limits(), "2": Limits()})
    world.live_until(10)
    world.given.at(world.time, world.time + (world.ahead or 0.0))
    with tempfile.TemporaryDirectory() as directory:
        for kind, settings in _SETTINGS.items():
            answer = partial(world.given.ask, rule_of(Path(directory), kind, kind, **settings), 3)
            taken = min(timeit.repeat(answer, timer=process_time, number=_TIMES, repeat=5)) / _TIMES
            print(f"{kind}: {taken * 1e6:.1f} µs, {answer().reason}")


if __name__ == "__main__":
    main()
