"""Short versions of the meter's benchmarks: tests/meter/bench/meter.py measures the same for longer."""

from pathlib import Path

from tests.kit import House
from tests.meter.bench import meter


def test_a_thousand_pulses_a_second_are_all_counted(house: House) -> None:
    lost, share = meter.kilohertz(house, 3)
    assert lost == 0
    assert share <= 50  # of a core, with the generator's part, on a machine that runs other tests


def test_a_day_of_readings_that_waited_is_delivered_in_seconds(house: House, tmp_path: Path) -> None:
    assert meter.backlog(house, tmp_path) <= 10  # 0.2 s when nothing else runs; one after the other they would take minutes
