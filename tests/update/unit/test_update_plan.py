"""When an upgrade may begin, and which words in UPGRADE and WINDOW are understood."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pimains.update.plan import window
from pimains.update.settings import UpdateSettings

DAY = 86400
HOUR = 3600


@pytest.mark.parametrize(
    ("text", "hour", "hours_until"),
    [
        ("02:00-05:00", 1, 1),
        ("02:00-05:00", 2, 0),
        ("02:00-05:00", 4.999, 0),
        ("02:00-05:00", 5, 21),
        ("23:30-01:00", 23.5, 0),
        ("23:30-01:00", 0.5, 0),
        ("23:30-01:00", 1, 22.5),
        ("00:00-24:00", 12, 0),
        ("12:00-24:00", 23.999, 0),
        ("12:00-24:00", 0, 12),
    ],
)
def test_a_window_is_open_from_its_beginning_until_just_before_its_end(text: str, hour: float, hours_until: float) -> None:
    assert window.parse(text).seconds_until(hour * HOUR) == hours_until * HOUR


@given(st.integers(0, DAY // 60 - 1), st.integers(1, DAY // 60 - 1), st.integers(0, DAY - 1))
def test_who_waits_until_a_window_opens_finds_it_open(begin: int, minutes: int, second: int) -> None:
    found = window.Window(begin * 60, (begin + minutes) * 60 % DAY)
    wait = found.seconds_until(second)
    assert 0 <= wait < DAY
    assert found.seconds_until((second + wait) % DAY) == 0


def test_a_window_is_written_as_it_is_read() -> None:
    assert str(window.parse("2:00 - 05:30")) == "02:00-05:30"


@pytest.mark.parametrize("text", ["02:00", "02:00-02:00", "25:00-03:00", "02:60-03:00", "02:00-24:30", "2-5", "-", "02:00-05:00 daily"])
def test_anything_else_is_no_window(text: str) -> None:
    with pytest.raises(ValueError, match="is no window of time"):
        UpdateSettings.WINDOW.check(text)


@pytest.mark.parametrize("text", ["mpd", "pimains  mpd", "g++ libstdc++6", "0ad"])
def test_names_of_packages_are_understood(text: str) -> None:
    assert UpdateSettings.UPGRADE.check(text) == tuple(text.split())


@pytest.mark.parametrize("text", ["mpd-", "--purge", "-o=x", "mpd/sid", "mpd=1", "mpd:armhf", "Mpd", "*", "a;b", "./x.deb", "", " "])
def test_what_apt_would_take_for_something_else_is_no_name_of_a_package(text: str) -> None:
    with pytest.raises(ValueError, match="package"):
        UpdateSettings.UPGRADE.check(text)
