"""From the plug's report to HALT_COMMAND: a short run of tests/bench/plug_to_halt.py."""

from collections.abc import Callable

import pytest
from bench.plug_to_halt import LIMIT_SECONDS, measure
from firmware import Plug
from kit import House

pytestmark = pytest.mark.alone


def test_halt_command_starts_a_moment_after_the_plugs_report(house: House, plugs: Callable[..., Plug]) -> None:
    # the fastest of a few: other programs run beside this test. The bench looks at the 99th percentile on a quiet machine
    assert min(measure(house, plugs(encrypted=True), 7)) <= LIMIT_SECONDS
