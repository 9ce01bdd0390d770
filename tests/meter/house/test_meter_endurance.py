"""A short version of tests/meter/bench/pulses.py: a meter and a collector through everything at once."""

import os
import tempfile
from pathlib import Path

import pytest

from tests.meter.bench import pulses

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains, disks are mounted: needs root")


def test_kills_a_bad_line_full_disks_and_hours_offline_cost_no_pulse_and_no_reading() -> None:
    with tempfile.TemporaryDirectory(prefix="pimains-house-") as root:
        found = pulses.endurance(Path(root), pulses.Course(10_000, 0.05, 8, 2, 1))
    assert found.collected == found.generated == 10_000
    assert (found.lost, found.out_of_place) == (0, 0)
    assert found.kills == {"meter": 8, "collector": 2}
    assert found.sent_again
    for line in (
        "house: counts as attic now: SOURCE was house",
        "house: counts as house now: SOURCE was attic",
        "its collector had lost them",
        "readings that only its collector has: its own journal lost them",
        "house: begins a journal of readings at the count",
        "collector: house counts anew from 0; its face was",
        "root has replaced the meter; the new one counts 500 pulses per kWh",
        "root has replaced the meter; the new one counts 1000 pulses per kWh",
    ):
        assert any(line in told for told in found.told), (line, found.told)
