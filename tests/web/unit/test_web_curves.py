"""Curves and bands for pictures: averages of pieces, gaps where nothing is known, sums that are whole or not told."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pimains.shared.readings.plan.energy import Meter
from pimains.shared.readings.plan.flow_steps import Counted
from pimains.web.plan import curves
from pimains.web.plan.curves import BANDS_MAX, Averages, Band, Grid, Part

HOUSE = Meter("house", "kWh", 1000, None)
BATTERY = Meter("ups/battery.charge", "%", 0, None)


def readings(*told: tuple[float, float], gaps: tuple[float, ...] = ()) -> list[Counted]:
    return [Counted(time, value, time in gaps) for time, value in told]


def test_a_piece_is_the_average_of_what_was_in_it() -> None:
    found = Averages(Grid(0, 100, 2))
    found.add(-50, 25, 4)
    found.add(25, 50, 8)
    found.add(90, 1000, 3)
    assert found.values() == [6, 3]


@given(
    st.floats(0, 2e9),
    st.floats(60, 4e8),
    st.integers(1, 2000),
    st.lists(st.tuples(st.floats(-0.2, 1.2), st.floats(0, 0.5), st.floats(-1e4, 1e4)), max_size=20),
)
def test_what_flowed_is_in_the_pieces_whatever_their_length(
    start: float, seconds: float, points: int, pieces: list[tuple[float, float, float]]
) -> None:
    """The mean of all pieces lies between the least and the most that was told, and none is told that was not."""
    grid = Grid(start, start + seconds, points)
    found = Averages(grid)
    for begins, share, value in pieces:
        found.add(start + begins * seconds, start + (begins + share) * seconds, value)
    known = [value for value in found.values() if value is not None]
    told = [value for _, _, value in pieces]
    assert len(found.values()) == points
    assert all(min(told) - 0.1 <= value <= max(told) + 0.1 for value in known)


def test_a_meter_is_drawn_by_its_pulses_and_not_where_nobody_heard_it() -> None:
    told = readings((0, 0), (60, 6), (120, 12), (5000, 20), (5060, 26), gaps=(5000,))
    assert curves.of_readings(HOUSE, told, Grid(0, 5100, 85))[:3] == [360, 360, None]
    assert curves.of_readings(HOUSE, told, Grid(0, 5160, 86))[-2:] == [360, None]


def test_since_the_last_pulse_it_is_at_most_one_more() -> None:
    told = readings((0, 0), (60, 6), (240, 6))
    assert curves.of_readings(HOUSE, told, Grid(0, 240, 4)) == [360, 20, 20, 20]


def test_a_value_holds_until_the_next_one_and_a_gap_is_a_gap() -> None:
    told = readings((0, 50), (100, 60), (200, 70), (300, 80), gaps=(200,))
    assert curves.of_readings(BATTERY, told, Grid(0, 400, 4)) == [50, None, 70, None]
    assert curves.of_readings(BATTERY, [], Grid(0, 400, 4)) == [None] * 4


def test_a_sum_is_told_where_all_that_have_begun_are_known() -> None:
    house, sun = Part(1, [300, 300, None, 300], 0), Part(-1, [None, 100, 100, None], 1)
    assert curves.together([house, sun]) == [300, 200, None, None]


def test_samples_that_lie_outside_are_left_out() -> None:
    assert curves.of_samples([(-1, 9), (0, 1), (49, 3), (99.9, 7), (100, 9)], Grid(0, 100, 4)) == [1, 3, None, 7]


def test_a_relay_that_stays_on_is_one_band() -> None:
    told = readings((0, 0), (100, 1), (220, 1), (340, 0), (460, 0), (900, 0), gaps=(900,))
    found = curves.bands(told, Grid(50, 1000, 10))
    assert found == [Band(50, 100, 0), Band(100, 340, 1), Band(340, 460, 0)]
    assert curves.on_and_known_seconds(found) == (240, 410)


def test_a_relay_that_chatters_is_drawn_by_its_share() -> None:
    told = readings(*((second, second % 2) for second in range(BANDS_MAX * 2)))
    grid = Grid(0, BANDS_MAX * 2, 10)
    assert curves.bands(told, grid) is None
    found = curves.coarse_bands(curves.of_readings(BATTERY, told, grid), grid)
    assert found[0].share == pytest.approx(0.5)
    assert math.isclose(found[-1].end, BANDS_MAX * 2)
