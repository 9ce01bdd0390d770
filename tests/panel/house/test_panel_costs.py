"""A short version of a benchmark: tests/panel/bench/panel_costs.py measures the same for longer."""

import os
import shutil

import pytest

from tests.kit import House
from tests.panel.bench import panel_costs

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(os.geteuid() != 0, reason="another user's memory is only for root to see"),
    pytest.mark.skipif(shutil.which("gcc") is None, reason="the chip is made by gcc"),
]


def test_it_takes_little_memory_and_little_of_the_processor(house: House) -> None:
    found = panel_costs.measure(house, "26", 4, presses=4)
    assert found.pss <= 10
    assert found.calls <= 1500  # for the lines: of these and of wake-ups is what it takes of the processor
    assert found.least <= 0.6
    assert found.seen >= 3
