"""A short version of a benchmark: tests/vedirect/bench/costs.py measures the same for longer."""

import os

import pytest

from tests.kit import House
from tests.vedirect.bench import costs

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(os.geteuid() != 0, reason="another user's memory is only for root to see"),
]


def test_it_takes_little_memory_and_little_of_the_processor(house: House) -> None:
    found = costs.measure(house, 15)
    assert found.pss <= 9
    assert found.reading <= 1.5  # three devices
    assert found.silent <= 3 * 0.3
