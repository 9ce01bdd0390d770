"""The rules that are ready, in the solar house with clouds: when they switch, and what they say of it."""

from pathlib import Path

import pytest

from pimains.house.solar import SolarHouse
from pimains.rules.plan.calendar import Sun
from pimains.shared.relays.plan.relay import Limits
from tests.rules.solar_world import SolarWorld, cloudy, rule_of

MINUTE = 1 / 60


def about(runs: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Hours to a twentieth: a rule is asked after each step of the world."""
    return [(round(begin * 20) / 20, round(end * 20) / 20) for begin, end in runs]


HEATER = Limits(watts=700, min_on=600, min_off=600)


@pytest.mark.parametrize("seed", range(4))
def test_a_surplus_that_comes_and_goes_is_used_in_runs_of_some_length(tmp_path: Path, seed: int) -> None:
    heater = rule_of(tmp_path, "surplus", VALUE="grid/P", START_WATTS="700", STOP_WATTS="400")
    world = SolarWorld({"3": heater}, clouds=cloudy(seed), **{"3": HEATER})
    world.live_until(24)
    runs = world.runs("3")
    assert 1 <= len(runs) <= 12
    assert min(end - begin for begin, end in runs) >= 10 * MINUTE - 0.001
    assert world.hours_on("3") > 2
    assert all("W of surplus" in why for why in world.why_of("3"))


def test_a_meter_that_counts_what_is_bought_is_turned_round_by_a_minus(tmp_path: Path) -> None:
    heater = rule_of(tmp_path, "surplus", VALUE="-grid/P", START_WATTS="700")
    bought = SolarWorld({"3": heater}, surplus=lambda hour: -900.0 if 10 <= hour < 12 else 0.0, **{"3": Limits(watts=0)})
    bought.live_until(20)
    assert bought.runs("3") == [(pytest.approx(10 + 5 * MINUTE, abs=0.01), pytest.approx(12 + 5 * MINUTE, abs=0.01))]


def test_a_battery_below_soc_min_is_no_surplus(tmp_path: Path) -> None:
    heater = rule_of(tmp_path, "surplus", VALUE="grid/P", START_WATTS="700", SOC="vedirect.bmv/SOC", SOC_MIN="90")
    world = SolarWorld({"3": heater}, house=SolarHouse(hour=6, soc=0.6), **{"3": Limits(watts=200)})
    world.live_until(9)
    assert world.given.data["grid/P"] > 700
    assert "% %" not in world.reason("3")
    assert world.reason("3").endswith("below SOC_MIN 90 %")
    while not world.is_on("3"):
        world.live(60)
    assert world.house.soc >= 0.9


def test_a_value_that_is_no_number_or_not_there_is_lost_and_what_was_before_counts_no_more(tmp_path: Path) -> None:
    heater = rule_of(tmp_path, "surplus", VALUE="meter/P", START_WATTS="700")
    world = SolarWorld({"3": heater}, **{"3": Limits(watts=1000)})
    world.live(60)
    assert world.lost["3"] == "meter/P is not known: there is no such value"
    for _ in range(4):
        world.put("meter/P", 900.0)
        world.live(60)
    world.given.data.put("meter/P", "fault", world.time)
    world.live(60)
    assert world.lost["3"] == "meter/P is not known: 'fault' is no number"
    for _ in range(5):
        assert not world.is_on("3")
        world.put("meter/P", 900.0)
        world.live(60)
    world.live(60)
    assert world.is_on("3")


def test_relays_on_one_surplus_come_on_by_priority_one_by_one_and_go_off_the_other_way_round(tmp_path: Path) -> None:
    rules = {n: rule_of(tmp_path, "surplus", n, VALUE="grid/P", START_WATTS="500", STOP_WATTS="400") for n in ("1", "2", "3")}
    limits = {"1": Limits(watts=500, priority=20), "2": Limits(watts=500, priority=90), "3": Limits(watts=500, priority=50)}
    enough = SolarWorld(rules, surplus=lambda hour: 1600.0 if 10 <= hour < 14 else -100.0, step=10, **limits)
    enough.live_until(20)
    begins, ends = ({n: enough.runs(n)[0][side] for n in rules} for side in (0, 1))
    assert {n: len(enough.runs(n)) for n in rules} == {"1": 1, "2": 1, "3": 1}
    assert sorted(begins, key=lambda n: begins[n]) == ["2", "3", "1"]
    assert sorted(ends, key=lambda n: ends[n]) == ["1", "3", "2"]
    assert begins["3"] - begins["2"] >= 5 * MINUTE - 0.001  # START_SECONDS anew
    little = SolarWorld(rules, surplus=lambda hour: 1100.0 if 10 <= hour < 14 else -100.0, step=10, **limits)
    little.live_until(13)
    assert [little.is_on(n) for n in ("1", "2", "3")] == [False, True, True]
    fewer = SolarWorld(rules, surplus=lambda hour: 1600.0 if 10 <= hour < 12 else 1000.0, step=10, **limits)
    fewer.live_until(14)
    assert [fewer.is_on(n) for n in ("1", "2", "3")] == [False, True, True]


def test_a_relay_of_higher_priority_gets_what_one_of_lower_priority_takes_of_the_same_surplus(tmp_path: Path) -> None:
    boiler = rule_of(tmp_path, "surplus", "1", VALUE="grid/P", START_WATTS="1000")
    pump = rule_of(tmp_path, "surplus", "2", VALUE="grid/P", START_WATTS="300")
    limits = {"1": Limits(watts=1000, priority=80), "2": Limits(watts=300, priority=20, min_on=3 * 3600)}

    def sun(hour: float) -> float:
        return 400.0 if hour < 10 else 1100.0 if hour < 16 else -100.0

    world = SolarWorld({"1": boiler, "2": pump}, surplus=sun, **limits)
    world.live_until(20)
    ((_, pump_ends),), ((boiler_begins, boiler_ends),) = world.runs("2"), world.runs("1")
    assert boiler_begins == pytest.approx(10 + 5 * MINUTE, abs=0.02)
    assert pump_ends == pytest.approx(boiler_begins + 5 * MINUTE, abs=0.03)
    assert boiler_ends == pytest.approx(16 + 5 * MINUTE, abs=0.03)
    assert world.why_of("1")[0] == "1100 W of surplus with the 300 W of relay 2, which gives way, added for 5 min"
    limits["2"] = limits["2"]._replace(min_on=12 * 3600)  # it cannot give way
    held = SolarWorld({"1": boiler, "2": pump}, surplus=sun, **limits)
    held.live_until(16)
    assert held.runs("1") == []
    equal = SolarWorld({"1": boiler, "2": pump}, surplus=sun, **{n: each._replace(priority=50, min_on=0) for n, each in limits.items()})
    equal.live_until(16)
    assert (equal.runs("1"), len(equal.runs("2"))) == ([], 1)


def test_a_relay_waits_until_the_one_before_shows_in_a_meter_that_is_slow(tmp_path: Path) -> None:
    rules = {n: rule_of(tmp_path, "surplus", n, VALUE="slow/P", START_WATTS="500", START_SECONDS="0") for n in ("1", "2")}
    world = SolarWorld(rules, surplus=lambda _: 600.0, step=5, **{n: Limits(watts=500) for n in rules})
    for _ in range(30):
        world.put("slow/P", 600.0 - world.drawn())
        world.live(60)
    assert (world.runs("1") != [], world.runs("2")) == (True, [])


def test_an_isolated_house_uses_what_its_charger_holds_back_and_leaves_the_battery_alone(tmp_path: Path) -> None:
    boiler = rule_of(tmp_path, "float", VALUE="vedirect.bmv/P", GIVES_WATTS="50")
    world = SolarWorld({"3": boiler}, house=SolarHouse(hour=6, soc=0.85), clouds=cloudy(3), **{"3": HEATER})
    world.live_until(12)
    without = SolarWorld({}, house=SolarHouse(hour=6, soc=0.85), clouds=cloudy(3))
    given = 0.0
    while world.hour < 24:
        world.live(60)
        given += max(0.0, -world.house.battery_watts) / 60 if world.is_on("3") else 0.0
    without.live_until(24)
    assert world.hours_on("3") > 2
    assert world.house.yields_wh[1] > without.house.yields_wh[1] + 1000
    assert given < 0.25 * world.hours_on("3") * HEATER.watts
    assert all("the charger is" in why or "the battery gives" in why for why in world.why_of("3"))


def test_float_waits_for_float(tmp_path: Path) -> None:
    runs = {}
    for state in ("absorption", "float"):
        boiler = rule_of(tmp_path / state, "float", STATE=state, VALUE="vedirect.bmv/P", GIVES_WATTS="5000")
        world = SolarWorld({"3": boiler}, house=SolarHouse(hour=6, soc=0.85), **{"3": Limits(watts=50)})
        world.live_until(20)
        runs[state] = world.runs("3")
    assert runs["absorption"][0][0] < runs["float"][0][0]


def test_daily_minutes_are_done_in_one_block_when_there_is_surplus(tmp_path: Path) -> None:
    pump = rule_of(tmp_path, "daily", MINUTES="90", VALUE="grid/P", START_WATTS="500")
    world = SolarWorld({"3": pump}, surplus=lambda hour: 900.0 if 10 <= hour < 10.5 else -100.0, **{"3": Limits(watts=500)})
    world.live_until(23)
    ((begin, end),) = world.runs("3")
    assert (begin, end - begin) == (pytest.approx(10 + 5 * MINUTE, abs=0.01), pytest.approx(1.5, abs=0.01))


def test_daily_minutes_that_need_not_be_wait_for_the_next_day(tmp_path: Path) -> None:
    pump = rule_of(tmp_path, "daily", MINUTES="90", VALUE="grid/P", START_WATTS="500", MUST="0")
    world = SolarWorld({"3": pump}, surplus=lambda hour: 900.0 if hour > 34 else -100.0, **{"3": Limits(watts=500)})
    world.live_until(48)
    ((begin, _),) = world.runs("3")
    assert begin == pytest.approx(34 + 5 * MINUTE, abs=0.01)


def test_daily_minutes_are_done_although_their_meter_is_dead(tmp_path: Path) -> None:
    pump = rule_of(tmp_path, "daily", MINUTES="90", VALUE="grid/P", START_WATTS="500")
    world = SolarWorld({"3": pump}, **{"3": Limits(watts=500)})
    world.silent.add("grid")
    world.live_until(23)
    ((begin, end),) = world.runs("3")
    assert (begin, end - begin) == (pytest.approx(18.5, abs=0.04), pytest.approx(1.5, abs=0.01))
    assert end <= 20


def test_daily_minutes_go_on_the_next_day_and_wait_for_a_clock(tmp_path: Path) -> None:
    pump = rule_of(tmp_path, "daily", MINUTES="30", FROM="9:00", TO="12:00", WHEN="any")
    world = SolarWorld({"3": pump}, **{"3": Limits()})
    world.ahead = None
    world.live_until(14)
    assert world.runs("3") == []
    assert world.wishes["3"] == ("keep", "the clock was not set yet")
    world.set_clock(world.time + 24 * 3600 * 20_000)
    world.live(3 * 86400)
    assert len(world.runs("3")) == 3


@pytest.mark.parametrize(
    ("kind", "settings", "timer", "ends"),
    [
        ("daily", {"MINUTES": "30", "WHEN": "any"}, "runs", 8.5),
        ("after", {"RELAY": "1", "SECONDS": "20min"}, "waits", 8 + 20 * MINUTE),
        ("after", {"RELAY": "1", "SECONDS": "0", "FOR": "10min"}, "runs", 8 + 10 * MINUTE),
    ],
)
def test_a_rule_is_asked_again_when_what_it_waits_for_is_over(
    tmp_path: Path, kind: str, settings: dict[str, str], timer: str, ends: float
) -> None:
    world = SolarWorld({"3": rule_of(tmp_path, kind, **settings)}, **{"1": Limits(), "3": Limits()})
    world.live_until(8)
    world.say("1", "on")
    world.live(90)
    begun, seconds = world.given.relays[3].timers.started[timer]
    assert (begun + seconds) / 3600 + 6 == pytest.approx(ends, abs=0.02)


def test_after_another_one_has_been_on_for_a_while(tmp_path: Path) -> None:
    after = rule_of(tmp_path, "after", RELAY="1", SECONDS="10min")
    world = SolarWorld({"3": after}, **{"1": Limits(), "3": Limits()})
    world.live_until(9)
    world.say("1", "on for 2h")
    world.live_until(14)
    assert world.runs("3") == [(pytest.approx(9 + 10 * MINUTE, abs=0.01), pytest.approx(11, abs=0.01))]
    assert world.why_of("3") == ["relay 1 has been on for 10 min", "relay 1 is off"]


def test_after_another_one_has_finished_today(tmp_path: Path) -> None:
    after = rule_of(tmp_path, "after", RELAY="1", WHEN="finished", SECONDS="60", FOR="2h")
    world = SolarWorld({"3": after}, **{"1": Limits(), "3": Limits()})
    world.live_until(8)
    world.say("1", "on for 1h")
    world.live_until(16)
    assert world.runs("3") == [(pytest.approx(9 + MINUTE, abs=0.01), pytest.approx(11 + MINUTE, abs=0.01))]
    world.live_until(32)
    assert world.wishes["3"] == ("off", "relay 1 has not run today")


def test_after_a_relay_that_there_is_not_is_lost(tmp_path: Path) -> None:
    world = SolarWorld({"3": rule_of(tmp_path, "after", RELAY="7")}, **{"3": Limits()})
    world.live(60)
    assert world.lost == {"3": "relays[7] is not known: there is no such relay"}


def test_a_schedule_has_times_days_and_months(tmp_path: Path) -> None:
    lamp = rule_of(tmp_path, "schedule", TIMES="6:30-8:00 17:00-18:30", DAYS="mon-wed", MONTHS="4-9")
    world = SolarWorld({"3": lamp}, **{"3": Limits()})
    world.live_until(48)  # a Wednesday and a Thursday in June
    assert world.runs("3") == [
        (pytest.approx(6.5, abs=0.01), pytest.approx(8, abs=0.01)),
        (pytest.approx(17, abs=0.01), pytest.approx(18.5, abs=0.01)),
    ]
    assert world.wishes["3"] == ("off", "it is not scheduled on this day of the week")


def test_a_schedule_over_midnight_is_of_the_day_on_which_it_begins(tmp_path: Path) -> None:
    lamp = rule_of(tmp_path, "schedule", TIMES="22:00-2:00", DAYS="wed")
    world = SolarWorld({"3": lamp}, **{"3": Limits()})
    world.live_until(60)
    assert world.runs("3") == [(pytest.approx(22, abs=0.01), pytest.approx(26, abs=0.01))]


@pytest.mark.parametrize(
    ("sun", "runs"),
    [
        (Sun(300, 1260, True), [(21.5, 23)]),
        (Sun(None, None, True), []),  # it never sets
        (Sun(None, None, False), [(6, 23)]),  # it never rises
    ],
)
def test_a_schedule_knows_the_sun_also_on_polar_days(tmp_path: Path, sun: Sun, runs: list[tuple[float, float]]) -> None:
    lamp = rule_of(tmp_path, "schedule", TIMES="sunset+30min-23:00")
    world = SolarWorld({"3": lamp}, sun_of=lambda *_: sun, **{"3": Limits()})
    world.live_until(23.9)
    assert world.runs("3") == [(pytest.approx(begin, abs=0.01), pytest.approx(end, abs=0.01)) for begin, end in runs]


def test_without_a_latitude_a_schedule_by_the_sun_is_lost(tmp_path: Path) -> None:
    world = SolarWorld({"3": rule_of(tmp_path, "schedule", TIMES="sunset-23:00")}, **{"3": Limits()})
    world.live(60)
    assert world.lost == {"3": "the sun is not known: LATITUDE and LONGITUDE are not set"}


def test_a_file_switches_where_the_battery_has_enough(tmp_path: Path) -> None:
    there = rule_of(tmp_path / "a", "file", FILE="guests", SOC="vedirect.bmv/SOC", SOC_MIN="89", files=frozenset(["guests"]))
    world = SolarWorld({"3": there}, house=SolarHouse(hour=6, soc=0.8), **{"3": Limits(watts=10)})
    world.live_until(14)
    assert world.house.soc > 0.89
    assert world.why_of("3") == ["there is a file guests"]
    world = SolarWorld({"3": rule_of(tmp_path / "b", "file", FILE="guests")}, **{"3": Limits()})
    world.live(60)
    assert world.wishes["3"] == ("off", "there is no file guests")
