"""Values that are recorded: what is noted of them, and what is drawn of that."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pimains.collector.graphs.databases import Databases
from pimains.collector.graphs.pictures import Extremes
from pimains.collector.pages.energy_page import Shown, View, page
from pimains.collector.settings import recorded
from pimains.core.plan.sentences import moment
from pimains.core.settings import Setting
from pimains.shared.plan import known_seconds
from pimains.shared.plan.delivery import Batch, Boot, Reading
from pimains.shared.plan.known_seconds import Standing
from pimains.shared.plan.point import Point
from pimains.shared.readings.journal import Journal
from pimains.shared.readings.plan.energy import Flow, Meter
from pimains.shared.readings.plan.flow_steps import Counted
from pimains.shared.readings.plan.gauge import Gauge, GaugeSteps, averaged
from pimains.shared.readings.series.figures import Amount, Figures
from pimains.shared.readings.series.series import Series

METER = Meter("ups/battery.charge", "%", 0, None)


def noted(*looks: tuple[float, float | None], before: Standing | None = None) -> list[Standing]:
    gauge = Gauge(before)
    return [reading for uptime, value in looks for reading in gauge.looked(uptime, value)]


def test_what_does_not_change_is_noted_every_two_minutes_and_what_changes_at_once() -> None:
    found = noted(*((10.0 * n, 100.0) for n in range(30)), (300, 99.5), (310, 99.5))
    assert found == [(1, 0, 100), (121, 120, 100), (241, 240, 100), (301, 300, 99.5)]


def test_a_value_that_is_not_known_ends_where_it_was_known_last() -> None:
    found = noted((0, 5), (10, 5), (20, 5), (30, None), (40, None), (50, 6), (60, None))
    assert found == [(1, 0, 5), (21, 20, 5), (22, 50, 6)]


def test_after_a_restart_it_goes_on_behind_a_gap() -> None:
    assert noted((50, 6), (60, 7), before=Standing(22, 40, 5)) == [(23, 50, 6), (33, 60, 7)]


def drawn(readings: list[Standing]) -> list[tuple[float, float | None]]:
    steps, before = GaugeSteps(METER, None), None
    counted = []
    for each in readings:
        late = before is not None and (each.uptime - before.uptime) / (each.sequence - before.sequence) > known_seconds.UNKNOWN_SECONDS
        counted.append(Counted(each.uptime, each.pulses, late))
        before = each
    first = list(steps.of(counted[:2]))
    return [tuple(step) for step in (*first, *GaugeSteps(METER, steps.reached).of(counted))]


def test_a_value_holds_until_the_next_one_and_a_gap_is_a_gap() -> None:
    assert drawn(noted((0, 5), (10, 5), (20, 8), (30, None), (60, 6), (70, 7))) == [(20, 5), (60, None), (70, 6)]


def test_its_database_has_the_least_the_most_and_the_gaps(tmp_path: Path) -> None:
    start = 1_795_266_300.0
    journal, series = Journal(tmp_path / "journal.sqlite"), Series(tmp_path / "journal.sqlite")
    looks = [(0, -20.25), (10, -20.25), (20, None), (31.7, 50.0), (40, 50.0), (50, 8.0), (60, 8.0), (70, None)]
    readings = [Reading("record b", each.sequence, None, each.uptime, each.pulses) for each in noted(*looks)]
    batch = Batch(METER.source, "%", 0, None, {"record b": Boot(start, True)}, readings)
    series.describe(batch)
    journal.store_all([batch])
    databases = Databases(tmp_path / "rrd", 2)
    assert databases.refresh(series, series.meters()[METER.source], start + 100)
    said = databases.run(
        "fetch", "s-ups%2Fbattery.charge.rrd", "AVERAGE", "--resolution=5", f"--start={start:.0f}", f"--end={start + 70:.0f}"
    )
    values = [float(line.split()[1]) for line in said.decode().splitlines() if ": " in line]
    nan = float("nan")
    wanted = [-20.25, -20.25, nan, nan, nan, nan, 50, 50, 50, 50, 8, 8, nan, nan]
    assert values[:14] == pytest.approx(wanted, nan_ok=True)
    series.close()
    journal.close()


@given(st.lists(st.tuples(st.floats(2, 500), st.one_of(st.none(), st.floats(-50, 50))), min_size=1, max_size=40))
def test_whatever_was_looked_at_is_drawn_as_it_was(looks: list[tuple[float, float | None]]) -> None:
    at, seen = 0.0, []
    for seconds, value in looks:
        at += seconds
        seen.append((at, value))
    steps = drawn(noted(*seen))
    start = next((when for when, value in seen if value is not None), at)
    for (before, value), (after, next_value) in pairwise(seen):
        middle = (before + after) / 2
        is_followed = any(when > before and each is not None for when, each in seen)
        if value is not None and middle > start and is_followed and any(end >= after for end, _ in steps) and next_value is not None:
            held = next(flow for end, flow in steps if end >= middle)
            assert held == value


def test_what_is_recorded_is_named_plainly() -> None:
    setting: Setting[object] = recorded()
    assert setting.check("ups/battery.charge=% vedirect.bmv/P=W plug/power") == [
        ("ups", "battery.charge", "%"), ("vedirect.bmv", "P", "W"), ("plug", "power", "")
    ]  # fmt: skip
    assert setting.check("") == []
    for wrong in (
        "ups",
        "../etc/passwd",
        "ups/../x",
        "/run/x",
        "ups/.hidden",
        "a/b a/b",
        "powerpi/fusebox",
        "a/b/c",
        f"{'x' * 62}/y",
        "a/b=",
    ):
        try:
            setting.check(wrong)
        except ValueError as error:
            assert "no list of state files (such as: ups/battery.charge=%" in str(error), wrong
        else:
            raise AssertionError(wrong)


def counted(readings: list[Standing]) -> list[Counted]:
    """As a journal that has them tells them."""
    found: list[Counted] = []
    for number, each in enumerate(readings):
        before = readings[number - 1]
        late = number > 0 and (each.uptime - before.uptime) / (each.sequence - before.sequence) > known_seconds.UNKNOWN_SECONDS
        found.append(Counted(each.uptime, each.pulses, late))
    return found


def test_averages_are_of_the_time_in_which_it_was_known() -> None:
    readings = counted(noted((0, 5), (10, 5), (20, 8), (30, 8), (40, None), (70, 6), (80, 6), (95, 1), (100, None)))
    assert list(averaged(readings, 0, 100, 20)) == [(0, 5), (20, 8), (60, 6), (80, 6)]
    assert list(averaged(readings, 0, 100, 50)) == [(0, pytest.approx((20 * 5 + 10 * 8) / 30)), (50, 6)]
    assert list(averaged(readings, 5, 25, 1000)) == [(5, pytest.approx((15 * 5 + 5 * 8) / 20))]
    assert list(averaged(readings, 31, 70, 10)) == []
    assert list(averaged([], 0, 100, 10)) == []


def test_a_value_that_is_recorded_no_more_says_since_when_it_is_not_known() -> None:
    now = 1_795_266_300.0
    silent = Shown(Figures(METER, Point(now - 40 * 86_400, 97.5), None, 97.5, []), Extremes(None, None, None), Amount("together", 0.0), [])
    text = page([silent], View(), now, "http://pi.lan:8460")
    assert f"Not known since {moment(now - 40 * 86_400, now)}<" in text
    assert "97.5" not in text
    known = page([silent._replace(figures=silent.figures._replace(flow=Flow(97.5, is_bound=False)))], View(), now, "x")
    assert "97.5 %" in known
    assert "Not known since" not in known


@given(
    st.lists(st.tuples(st.floats(2, 500), st.one_of(st.none(), st.floats(-50, 50))), min_size=2, max_size=40),
    st.floats(0, 1000),
    st.floats(1, 5000),
    st.floats(1, 1000),
)
def test_averages_of_pieces_make_the_average_of_all(
    looks: list[tuple[float, float | None]], start: float, seconds: float, every: float
) -> None:
    at, seen = 0.0, []
    for pause, value in looks:
        at += pause
        seen.append((at, value))
    readings = counted(noted(*seen))
    pieces = list(averaged(readings, start, start + seconds, every))
    assert all((begin - start) / every == pytest.approx(round((begin - start) / every), abs=1e-6) for begin, _ in pieces)
    values = [each.pulses for each in readings]
    assert all(min(values) - 1e-9 <= value <= max(values) + 1e-9 for _, value in pieces)
    whole = list(averaged(readings, start, start + seconds, seconds))
    assert bool(whole) == bool(pieces)
    if whole and len(pieces) == 1:
        assert pieces[0][1] == pytest.approx(whole[0][1])
