"""How long a halt step may take, from how long it took before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pimains.core.plan.budget import budget, percentile_95

seconds = st.floats(0, 10_000)
measured = st.lists(seconds, min_size=1, max_size=100)


def test_what_was_never_measured_gets_all_the_time_there_is() -> None:
    assert budget([], 120) == 120


def test_the_percentile_of_few_is_the_longest_and_of_twenty_all_but_the_longest() -> None:
    assert percentile_95([3]) == 3
    assert percentile_95([1] * 18 + [9]) == 9
    assert percentile_95([1] * 19 + [9]) == 1
    assert percentile_95(range(1, 101)) == 95
    with pytest.raises(ValueError, match="nothing was measured"):
        percentile_95([])


def test_the_budget_closes_in_on_what_was_measured_as_more_is_known() -> None:
    assert budget([2], 122) == pytest.approx(2 + 5 + 120 / 2)
    assert budget([2] * 19, 122) == pytest.approx(2 + 5 + 120 / 20)
    assert budget([2] * 99, 122) == pytest.approx(2 + 5 + 120 / 100)


def test_a_slow_step_gets_half_of_its_time_as_a_margin() -> None:
    assert budget([40] * 99, 3600) == pytest.approx(40 + 20 + 3560 / 100)


def test_a_step_that_has_just_become_slow_is_not_cut_off_for_having_been_fast() -> None:
    assert budget([1] * 99 + [50], 120) > 75


def test_a_step_that_was_cut_off_gets_all_the_time_there_is_until_it_was_measured_again() -> None:
    assert budget([1, 1, 120], 120) == 120


@given(measured, st.floats(1, 3600))
def test_no_budget_is_above_the_maximum(durations: list[float], longest: float) -> None:
    assert 0 < budget(durations, longest) <= longest


@given(measured, st.floats(1, 3600))
def test_what_was_done_95_times_of_100_is_given_the_time_again(durations: list[float], longest: float) -> None:
    assert budget(durations, longest) >= min(longest, percentile_95(durations))
