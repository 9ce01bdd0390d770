"""A short version of tests/rules/bench/deciding.py, which measures the same for longer."""

import os
import statistics

import pytest

from tests.kit import House
from tests.rules.bench import deciding as bench

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(os.geteuid() != 0, reason="another user's memory is only for root to see"),
]


def test_it_takes_little_and_a_changed_value_is_soon_at_the_pin(house: House) -> None:
    rules = bench.begin(house)
    found = bench.costs(rules, 3)
    assert found.with_child <= 17
    assert found.idle <= 0.3
    assert statistics.median(bench.latencies(rules, 3)) <= 0.05  # the ledger's fsync is most of it
