"""The measurement of imports, short: its bounds hold."""

import importlib
import os
import re

import pytest

pytestmark = [pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root"), pytest.mark.alone]


def test_an_import_takes_little_memory_and_holds_up_no_meter() -> None:
    bench = importlib.import_module("tests.collector.bench.import")
    with bench.directories() as (root, data):
        table = list(bench.measure(50_000, root, data))
    numbers = {what: [float(number) for number in re.findall(r"[0-9.]+", value)] for what, value in table}
    assert numbers["its memory at most"][0] <= 40
    assert max(numbers["a meter's reading meanwhile, at most"][:-2]) <= 5  # behind them is how many were sent, and refused
    assert numbers["memory of the collector (PSS)"][0] <= 40
