"""What is left of an outage whose service is killed, or whose machine loses its power. 200 kills and more: tests/ups/bench/kills.py."""

import os
import random

import pytest

from tests.ups.bench.kills import boundary_outages, kill, random_outages

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")
HOUSES = 6


def test_killed_at_random_instants_there_is_one_forced_shutdown_and_one_request_and_nobody_is_forgotten() -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}: 30 kills in {HOUSES} houses")
    assert kill(random_outages(30), HOUSES, seed) == 30


@pytest.mark.parametrize(("crashes", "is_empty_then"), [(False, False), (True, False), (True, True)], ids=["killed", "crashed", "empty"])
def test_at_each_boundary_of_a_phase_it_goes_on_from_what_is_written(*, crashes: bool, is_empty_then: bool) -> None:
    """A machine that comes up again with the mains stays up; one that has none is shut down once more, and once."""
    assert kill(boundary_outages(crashes=crashes, is_empty_then=is_empty_then), HOUSES, 1) == 8
