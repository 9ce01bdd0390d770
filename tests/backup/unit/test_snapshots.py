"""Which snapshots of a backup are kept, and which one a date means."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pimains.backup import plan

NOW = datetime(2026, 11, 21, 1, 50, 3)


def test_a_snapshot_is_called_by_its_moment() -> None:
    assert plan.name(NOW, []) == "2026-11-21_01-50-03"
    assert plan.is_name("2026-11-21_01-50-03")
    assert not plan.is_name("2026-13-21_01-50-03")
    assert not plan.is_name("2026-11-21_01-50-03.partial")


def test_a_name_that_is_taken_is_not_taken_twice() -> None:
    taken = ["2026-11-21_01-50-03", "2026-11-21_01-50-04"]
    assert plan.name(NOW, taken) == "2026-11-21_01-50-05"


def test_a_clock_that_was_not_set_makes_no_snapshot_of_1970() -> None:
    unset = datetime(1970, 1, 1, 0, 0, 12)
    assert plan.name(unset, ["2026-11-20_01-50-03", "2026-11-19_01-50-03"]) == "2026-11-20_01-50-04"
    assert plan.name(unset, []) == "1970-01-01_00-00-12"


def test_one_made_in_the_hour_that_comes_twice_is_called_after_those_before_it() -> None:
    assert plan.name(datetime(2026, 10, 25, 2, 15), ["2026-10-25_02-45-00"]) == "2026-10-25_02-45-01"
    assert plan.name(datetime(2026, 10, 25, 2, 15), ["2099-10-25_02-45-00"]) == "2026-10-25_02-15-00", "a clock that was far ahead"


def test_after_a_clock_that_was_far_ahead_the_next_ones_follow_each_other() -> None:
    taken = ["2026-10-25_02-45-00", "2099-01-01_00-00-00"]
    assert plan.name(datetime(2026, 10, 25, 2, 15), taken) == "2026-10-25_02-45-01"


def test_one_dated_in_the_future_goes_before_what_was_made_in_its_time() -> None:
    days = [f"2026-11-{day}_01-00-00" for day in range(10, 30)]
    left = ["2099-01-01_00-00-00", *days[:3]]
    for made in days[3:]:
        gone = plan.superfluous([*left, made], 4, made)
        left = [each for each in [*left, made] if each not in gone]
        assert "2099-01-01_00-00-00" not in left
    assert left == days[-4:]
    assert plan.superfluous(["2099-01-01_00-00-00", *days[:2]], 3, days[1]) == [], "there is room for it"


def test_a_clock_that_went_back_takes_no_day_before_a_double() -> None:
    """Each start of a machine that has no clock would take a good day away."""
    good = [f"2026-11-{day}_01-00-00" for day in range(10, 13)]
    made = ["2021-01-01_00-00-00", "2021-01-01_00-10-00"]
    assert plan.superfluous([*good, *made], 4, made[1]) == made[:1]


def test_of_a_day_the_last_one_stays_longest() -> None:
    names = ["2026-11-18_01-00-00", "2026-11-19_01-00-00", "2026-11-20_01-00-00", "2026-11-20_02-00-00", "2026-11-20_03-00-00"]
    assert plan.superfluous(names, 5, names[-1]) == []
    assert plan.superfluous(names, 4, names[-1]) == ["2026-11-20_01-00-00"]
    assert plan.superfluous(names, 2, names[-1]) == ["2026-11-20_01-00-00", "2026-11-20_02-00-00", "2026-11-18_01-00-00"]


def test_the_one_just_made_stays_whatever_its_date_says() -> None:
    names = ["1970-01-01_00-00-12", "2026-11-19_01-00-00", "2026-11-20_01-00-00"]
    assert plan.superfluous(names, 2, "1970-01-01_00-00-12") == ["2026-11-19_01-00-00"]
    assert plan.superfluous(names, 1, "1970-01-01_00-00-12") == ["2026-11-19_01-00-00", "2026-11-20_01-00-00"]


@given(st.lists(st.integers(0, 400), min_size=1, unique=True), st.integers(1, 30), st.randoms(use_true_random=False))
def test_as_many_are_left_as_are_to_be_kept_and_no_day_goes_before_a_double(hours: list[int], keep: int, random: object) -> None:
    names = [(NOW + timedelta(hours=hour)).strftime("%Y-%m-%d_%H-%M-%S") for hour in hours]
    made = random.choice(names)  # type: ignore[attr-defined]
    gone = plan.superfluous(names, keep, made)
    left = set(names) - set(gone)
    assert len(left) == min(keep, len(names))
    assert made in left
    days, days_left = {name[:10] for name in names}, {name[:10] for name in left}
    assert len(days_left) >= min(len(days), keep) - 1, "one at most is lost to the one that was just made"


@pytest.mark.parametrize(
    ("date", "name"),
    [
        ("2026-11-21", "2026-11-21_03-00-00"),
        ("2026-11-20", "2026-11-19_01-00-00"),
        ("2026-11-21 01:50", "2026-11-21_01-50-03"),
        ("2026-11-21 01:49", "2026-11-19_01-00-00"),
        ("2026-11-21T01:50:02", "2026-11-19_01-00-00"),
        ("2026-11-21_01-50-03", "2026-11-21_01-50-03"),
        ("2026-11-18", None),
    ],
)
def test_a_date_means_the_last_snapshot_made_until_then(date: str, name: str | None) -> None:
    assert plan.meant(["2026-11-21_03-00-00", "2026-11-19_01-00-00", "2026-11-21_01-50-03"], date) == name


@pytest.mark.parametrize("date", ["", "yesterday", "2026-11", "2026-11-31", "2026-11-21 25:00", "21.11.2026", "../../etc"])
def test_what_is_no_date_is_refused(date: str) -> None:
    with pytest.raises(ValueError):
        plan.meant(["2026-11-21_03-00-00"], date)
