"""Watts that old Pis tell, made into energy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pimains.collector.plan import watts
from pimains.collector.plan.watts import Told, WattSeconds
from pimains.shared.plan.known_seconds import Standing

NOW = 1_795_266_300.0


def tell(count: WattSeconds, *said: tuple[float, float], wall: float = NOW, uptime: float = 1000.0) -> list[Standing | None]:
    """What was sent: seconds after NOW, by right clocks, and watts."""
    return [count.told(Told(NOW + at, power), wall + at, uptime + at) for at, power in said]


def test_watts_count_for_the_time_since_the_last_ones() -> None:
    found = tell(WattSeconds(None, 0), (0, 1000), (5, 1000), (10, 2000), (15, 0))
    assert found == [(1, 1000, 0), (6, 1005, 5000), (11, 1010, 15000), (16, 1015, 15000)]


def test_a_gap_is_no_energy_and_its_sequence_says_so() -> None:
    found = tell(WattSeconds(None, 0), (0, 1000), (61, 1000), (66, 1000))
    assert found == [(1, 1000, 0), (2, 1061, 0), (7, 1066, 5000)]


def test_it_goes_on_after_a_restart_from_where_it_stood() -> None:
    assert tell(WattSeconds(Standing(6, 1005, 5000), 5000), (10, 1000)) == [(11, 1010, 10000)]
    assert tell(WattSeconds(None, 70_000), (0, 9), (5, 1000)) == [(1, 1000, 70_000), (6, 1005, 75_000)]


def test_what_is_sent_twice_counts_once_and_what_is_older_is_refused() -> None:
    count = WattSeconds(None, 0)
    assert tell(count, (0, 1000), (5, 1000), (5, 1000))[2] is None
    with pytest.raises(ValueError, match="is not after the last one"):
        tell(count, (3, 1000))
    assert tell(count, (10, 1000)) == [(11, 1010, 10000)]


@pytest.mark.parametrize("offset", [-NOW, -3600, 3600, 121])
def test_a_clock_that_is_wrong_costs_no_energy(offset: float) -> None:
    count = WattSeconds(None, 0)
    found = [count.told(Told(NOW + offset + at, 1000), NOW + at, 1000 + at) for at in (0, 5, 10)]
    assert [each and each.pulses for each in found] == [0, 5000, 10000]
    assert count.is_clock_wrong
    later = count.told(Told(NOW + 15, 1000), NOW + 15, 1015)  # it was set
    assert later == (16, 1015, 15000)
    assert not count.is_clock_wrong


@given(st.lists(st.tuples(st.floats(0.5, 59), st.floats(0, 20_000)), max_size=50))
def test_energy_is_the_sum_whatever_the_intervals(steps: list[tuple[float, float]]) -> None:
    count, at = WattSeconds(None, 0), 0.0
    tell(count, (0, 0))
    last: Standing | None = None
    for seconds, power in steps:
        at += seconds
        (last,) = tell(count, (at, power))
    assert (last.pulses if last else 0) == pytest.approx(sum(seconds * power for seconds, power in steps), abs=1)


@pytest.mark.parametrize("text", ["1795266300;350", "1795266300;350.5", "1795266300.25;0", "0;1e-05"])
def test_what_power_py_writes_is_understood(text: str) -> None:
    assert watts.read(text) == tuple(float(each) for each in text.split(";"))


@pytest.mark.parametrize(
    "text",
    ["", ";", "1795266300", "1795266300;", ";350", "1795266300;-5", "1795266300;nan", "1795266300;inf", "1795266300;1e99", "1795266300,350",
     "1795266300;350;1", " 1795266300;350", "9" * 4000 + ";1", "1795266300;2000000", "<script>;1", "\uff11;\uff12"],
)  # fmt: skip
def test_anything_else_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ValueError, match=r"^val: not TIME;WATTS.*$"):
        watts.read(text)
