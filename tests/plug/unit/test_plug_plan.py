"""When the plug may cut, what counts as a request, and when a machine that its plug no longer hears has to halt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pimains.core.plan.back_off import wait_seconds
from pimains.plug.plan.countdown import countdown_seconds
from pimains.plug.plan.off_request import is_newer
from tests.kit import TOP


def test_without_measured_halts_the_setting_counts() -> None:
    assert countdown_seconds([], 120) == 120


def test_with_a_few_halts_the_longest_plus_a_margin_may_only_make_it_longer() -> None:
    assert countdown_seconds([10.0, 20.0], 240) == 240
    assert countdown_seconds([10.0, 50.5], 120) == 231


def test_with_twenty_halts_their_95th_percentile_plus_a_margin_counts() -> None:
    assert countdown_seconds([10.0] * 19 + [300.0], 120) == 190
    assert countdown_seconds([10.0] * 18 + [300.0] * 2, 120) == 480


def test_what_no_halt_can_take_is_not_believed() -> None:
    assert countdown_seconds([float("nan"), float("inf"), -5.0, 1e9], 120) == 120
    assert countdown_seconds([0.0] * 20, 120) == 120


def test_a_plug_takes_no_less_than_5_and_no_more_than_3600_seconds() -> None:
    assert countdown_seconds([], 1) == 5
    assert countdown_seconds([3600.0] * 20, 120) == 3600


@given(st.lists(st.floats(), max_size=100), st.floats(5, 3600))
def test_the_countdown_is_always_one_the_plug_takes(halts: list[float], setting: float) -> None:
    assert 5 <= countdown_seconds(halts, setting) <= 3600


DEFAULT = int((TOP / "services/plug/variables/SHUTDOWN_SECONDS_MAX").read_text().split()[0])


@given(st.lists(st.floats(0, 180), max_size=100))
def test_with_the_default_no_halt_of_up_to_180_seconds_is_cut_whatever_those_before_it_took(halts: list[float]) -> None:
    assert countdown_seconds(halts, DEFAULT) >= 180


@pytest.mark.parametrize(
    ("age", "uptime", "answered", "newer"),
    [
        (5, 100, None, True),
        (0, 100, None, True),  # this moment
        (100, 90, None, False),  # before this boot
        (85, 90, None, False),  # perhaps before this boot
        (79, 90, None, True),
        (None, 100, None, False),  # no request stands
        (-1, 100, None, False),
        (50, 100, 50, False),  # the one that was answered
        (45, 100, 50, False),  # perhaps the one that was answered
        (35, 100, 50, True),  # another one since
    ],
)
def test_a_request_counts_when_it_is_newer_than_the_boot_and_than_the_last(
    age: float | None, uptime: float, answered: float | None, newer: bool
) -> None:
    assert is_newer(age, uptime, answered) is newer


@given(st.integers(0, 10**6), st.floats(0, 1))
def test_trying_again_waits_between_one_second_and_one_minute(failures: int, chance: float) -> None:
    assert 1 <= wait_seconds(failures, chance) <= 60


def test_chance_takes_up_to_half_of_the_wait_away() -> None:
    assert [wait_seconds(5, chance) for chance in (0, 0.5, 1)] == [32, 24, 16]


def test_each_failure_doubles_the_wait() -> None:
    assert [wait_seconds(n, 0) for n in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
