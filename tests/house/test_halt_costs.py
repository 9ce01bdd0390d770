"""Short versions of the halt service's benchmarks: tests/bench measures the same for longer."""

import sys

import pytest
from kit import TOP, House

sys.path.insert(0, str(TOP / "tests/bench"))

import footprint
import halt_latency

pytestmark = pytest.mark.alone


def test_an_idle_halt_service_needs_at_most_10_mb_and_no_processor(house: House) -> None:
    found = footprint.measure(house, 2)
    assert found.beside_others.pss <= 10
    assert found.processor_percent <= 0.1


def test_a_request_needs_little_processor_time_until_the_halt_command_is_started(house: House) -> None:
    taken = halt_latency.measure([house], 3)
    assert min(taken["processor"]) <= 0.1
    assert min(taken["whole"]) <= 1
