"""Short versions of the halt service's benchmarks: tests/halt/bench measures the same for longer."""

import pytest

from tests.core.bench import footprint
from tests.halt.bench import halt_latency
from tests.kit import House

pytestmark = pytest.mark.alone


def test_an_idle_halt_service_needs_at_most_10_mb_and_no_processor(house: House) -> None:
    found = footprint.measure(house, 2)
    assert found.beside_others.pss <= 10
    assert found.processor_percent <= 0.1


def test_a_request_needs_little_processor_time_until_the_halt_command_is_started(house: House) -> None:
    taken = halt_latency.measure([house], 3)
    assert min(taken["processor"]) <= 0.1
    assert min(taken["whole"]) <= 1
