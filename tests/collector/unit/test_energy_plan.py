"""What counted pulses mean."""

from collections.abc import Iterator
from itertools import pairwise

import pytest

from pimains.shared.plan.delivery import RegisterReading
from pimains.shared.plan.point import Point
from pimains.shared.readings.plan.energy import Flow, Meter, Rises, flow_now, periods
from tests.collector.zones import in_zone

METER = Meter("house", "kWh", 1000, None)


@pytest.fixture(autouse=True)
def in_berlin() -> Iterator[None]:
    with in_zone("CET-1CEST,M3.5.0,M10.5.0/3"):
        yield


def test_the_register_tells_the_total() -> None:
    assert METER._replace(register=RegisterReading(500, 12345.6)).total(1500) == pytest.approx(12346.6)
    assert METER.total(1500) == 1.5


def rises(before: Point, rose: Point) -> Rises:
    return Rises(before, before, rose.time, rose)


def test_watts_are_those_between_the_last_two_pulses() -> None:
    assert flow_now(METER, rises(Point(0, 10), Point(10, 11)), Point(10, 11), 12) == Flow(360.0, False)


def test_a_load_that_stopped_falls_as_an_upper_bound() -> None:
    for seconds, at_most in ((100, 36), (600, 6)):
        flow = flow_now(METER, rises(Point(-2, 10), Point(0, 11)), Point(seconds, 11), seconds + 3)
        assert flow is not None
        assert flow.is_bound
        assert flow.value == pytest.approx(at_most)


def test_readings_that_are_seconds_apart_do_not_make_much_of_one_pulse_more_or_less() -> None:
    # 2000 W: a pulse every 1.8 s; between two readings there were two of them, which alone would be 1440 W
    flow = flow_now(METER, Rises(Point(0, 0), Point(60, 33), 60, Point(65, 35)), Point(65, 35), 66)
    assert flow is not None
    assert flow.value == pytest.approx(1940, abs=5)


def test_a_load_that_changed_is_no_mean_of_before_and_after() -> None:
    # 2000 W for half a minute, then 100 W: the first pulse of those came 36 s later, with no reading that had risen between
    fell = flow_now(METER, Rises(Point(0, 0), Point(30, 16), 65, Point(70, 17)), Point(70, 17), 71)
    # nothing for ten minutes, then 2000 W: three pulses since the reading before
    rose = flow_now(METER, Rises(Point(0, 0), Point(600, 2), 600, Point(605, 5)), Point(605, 5), 606)
    assert fell is not None
    assert rose is not None
    assert fell.value == pytest.approx(103, abs=1)
    assert 1400 < rose.value < 2900


def test_who_is_not_heard_is_not_known_to_draw_anything() -> None:
    assert flow_now(METER, rises(Point(0, 10), Point(10, 11)), Point(10, 11), 611) is None
    assert flow_now(METER, None, Point(10, 11), 12) is None


def test_gas_flows_in_cubic_metres_per_hour() -> None:
    gas = flow_now(Meter("gas", "m3", 100, None), rises(Point(0, 10), Point(36, 11)), Point(36, 11), 36)
    assert gas == Flow(pytest.approx(1.0), False)


def test_days_are_those_of_the_clock_on_the_wall() -> None:
    october = 1_792_929_600.0  # 25 October 2026, 13:00 in Berlin: a day of 25 hours
    assert [(p.label, (p.end - p.start) / 3600) for p in periods("day", october, 3)] == [
        ("2026-10-23", 24),
        ("2026-10-24", 24),
        ("2026-10-25", 25),
    ]


def test_months_and_years_begin_where_the_last_ended() -> None:
    now = 1_774_000_000.0  # March 2026
    for kind, labels in (("month", ["2026-01", "2026-02", "2026-03"]), ("year", ["2024", "2025", "2026"])):
        found = periods(kind, now, 3)
        assert [each.label for each in found] == labels
        assert all(a.end == b.start for a, b in pairwise(found))
        assert found[-1].start <= now < found[-1].end
