"""The measurement of costs, short: its bounds hold."""

import re
from pathlib import Path

import pytest

from tests.collector.bench import prices

pytestmark = [pytest.mark.alone, pytest.mark.long]


def test_prices_by_the_hour_are_known_soon_and_at_once_from_then_on(tmp_path: Path) -> None:
    numbers = [[float(number) for number in re.findall(r"[0-9.]+", value)] for _, value in prices.measure(2, tmp_path)]
    at_first, once_more = numbers[4], numbers[5]
    assert at_first[0] <= 120 * 2 * 4  # others use this machine, too
    assert once_more[0] <= 4 * 2 * 4
