"""The measurements of the plug's firmware, short: their bounds hold."""

from pathlib import Path

import pytest

from tests.halt.bench import halts

pytestmark = pytest.mark.alone


def test_no_pi_is_cut_before_it_has_halted_and_on_a_metering_plug_soon_after(tmp_path: Path) -> None:
    found, _ = halts.measure(tmp_path, metering=True, halts=8, unmeasured=halts.SHUTDOWN_SECONDS_MAX, speed=30)
    assert all(halt.after >= 0 for halt in found), found
    assert max(halt.after - halt.stalled for halt in found) <= 10
    assert sum(halt.cut < halt.countdown for halt in found) == 8


def test_no_pi_is_cut_before_it_has_halted_on_a_plug_without_metering(tmp_path: Path) -> None:
    found, _ = halts.measure(tmp_path, metering=False, halts=8, unmeasured=halts.SHUTDOWN_SECONDS_MAX, speed=60)
    assert all(halt.after >= 0 for halt in found), found
