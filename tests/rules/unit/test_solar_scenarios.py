"""What happened to others with rules on a surplus: each is a test with its name."""

from pathlib import Path

import pytest

from pimains.shared.relays.plan.relay import Limits
from tests.rules.solar_world import HOUR, SolarWorld, rule_of

MINUTE = 1 / 60


def test_1_a_cloud(tmp_path: Path) -> None:
    """Three times an hour 40 s of cloud: neither does one begin a run, nor does it end one, and a run lasts MIN_ON."""
    pump = rule_of(tmp_path, "surplus", VALUE="grid/P", START_WATTS="800", STOP_WATTS="500")

    def clouds(hour: float) -> float:
        return -300.0 if hour < 9 or hour * HOUR % 1200 < 40 or hour > 15 else 900.0

    world = SolarWorld({"3": pump}, surplus=clouds, step=10, **{"3": Limits(watts=700, min_on=1800, min_off=600)})
    world.live_until(24)
    ((begin, end),) = world.runs("3")
    assert 9 + 5 * MINUTE <= begin <= 9 + 7 * MINUTE
    assert 15 + 5 * MINUTE <= end <= 15 + 6 * MINUTE

    def gaps(hour: float) -> float:  # between clouds the sun never shines for START_SECONDS
        return 900.0 if hour * HOUR % 400 < 280 else -300.0

    world = SolarWorld({"3": pump}, surplus=gaps, step=10, **{"3": Limits(watts=700)})
    world.live_until(18)
    assert world.runs("3") == []

    def a_short_sun(hour: float) -> float:
        return 900.0 if 9 <= hour < 9.1 else -300.0

    world = SolarWorld({"3": pump}, surplus=a_short_sun, step=10, **{"3": Limits(watts=700, min_on=1800)})
    world.live_until(18)
    ((begin, end),) = world.runs("3")
    assert end - begin == pytest.approx(0.5, abs=0.01)


def test_2_the_delay_that_is_not_a_run(tmp_path: Path) -> None:
    """After four sunny hours it goes off STOP_SECONDS after the sun; one that has just begun lasts MIN_ON."""
    pump = rule_of(tmp_path, "surplus", VALUE="grid/P", START_WATTS="800", STOP_SECONDS="2min")
    limits = Limits(watts=700, min_on=1800)
    world = SolarWorld({"3": pump}, surplus=lambda hour: 900.0 if 10 <= hour < 14.1 else 0.0, step=10, **{"3": limits})
    world.live_until(12)
    assert world.next_change("3") == world.time  # MIN_ON is over: it may change at any time
    world.live_until(18)
    ((begin, end),) = world.runs("3")
    assert (begin, end) == (pytest.approx(10 + 5 * MINUTE, abs=0.01), pytest.approx(14.1 + 2 * MINUTE, abs=0.01))
    world = SolarWorld({"3": pump}, surplus=lambda hour: 900.0 if 10 <= hour < 10.1 else 0.0, step=10, **{"3": limits})
    world.live_until(10.22)
    assert world.reason("3") == (
        "0 W of surplus with the 700 W of its own load added back, less than 800 W for 7 min; waits for MIN_ON 30 min"
    )
    world.live_until(18)
    ((begin, end),) = world.runs("3")
    assert end - begin == pytest.approx(0.5, abs=0.01)


def test_3_its_own_load(tmp_path: Path) -> None:
    """A heater of 1000 W at 1100 W of surplus stays on, although 100 W are left, and its reason says why."""
    heater = rule_of(tmp_path, "surplus", VALUE="grid/P", START_WATTS="1000", STOP_WATTS="1000")
    world = SolarWorld({"3": heater}, surplus=lambda hour: 1100.0 if 10 <= hour < 16 else 0.0, **{"3": Limits(watts=1000)})
    world.live_until(15)
    assert world.given.data["grid/P"] == 100
    assert world.reason("3") == "1100 W of surplus with the 1000 W of its own load added back"
    world.live_until(20)
    ((begin, end),) = world.runs("3")
    assert (begin, end) == (pytest.approx(10 + 5 * MINUTE, abs=0.01), pytest.approx(16 + 5 * MINUTE, abs=0.01))


def test_7_a_restart_forgets(tmp_path: Path) -> None:
    """START_SECONDS, STOP_SECONDS, MIN_ON and what was done today go on over a restart; after a reboot a contact has been open since."""
    pump = rule_of(tmp_path, "surplus", VALUE="grid/P", START_WATTS="800", START_SECONDS="20min", STOP_SECONDS="20min")
    daily = rule_of(tmp_path, "daily", "4", MINUTES="60", FROM="9:00", WHEN="any", RUNS="3")

    def lived(restarts: bool) -> SolarWorld:
        limits = {"3": Limits(watts=700, min_on=1800, min_off=600), "4": Limits(watts=0, min_on=600)}
        world = SolarWorld({"3": pump, "4": daily}, surplus=lambda hour: 900.0 if 10 <= hour < 14 else 0.0, **limits)
        for minute in range(7 * 60, 18 * 60, 7):
            world.live_until(minute / 60)
            if restarts:
                world.restart()
        return world

    undisturbed = lived(False)
    assert [len(undisturbed.runs(number)) for number in ("3", "4")] == [1, 1]
    assert lived(True).trace == undisturbed.trace
    world = SolarWorld({"4": daily}, **{"4": Limits(min_off=1200)})
    world.live_until(9.5)
    world.reboot()
    world.live_until(20)
    first, second = world.runs("4")
    assert second[0] - first[1] == pytest.approx(20 * MINUTE, abs=0.01)  # MIN_OFF from the reboot on
    assert world.hours_on("4") == pytest.approx(1, abs=0.02)


def test_8_two_starts_a_day(tmp_path: Path) -> None:
    """Four hours in two runs at most, on a day of short suns: the second one goes on until all is done, before TO."""
    pump = rule_of(tmp_path, "daily", MINUTES="240", FROM="8:00", TO="20:00", RUNS="2", VALUE="grid/P", START_WATTS="800")
    limits = Limits(watts=700, max_switches_per_day=2)
    suns = SolarWorld({"3": pump}, surplus=lambda hour: 900.0 if hour % 1 < 0.3 and 9 <= hour < 17 else -100.0, **{"3": limits})
    suns.live_until(23)
    assert len(suns.runs("3")) == 2
    assert suns.hours_on("3") == pytest.approx(4, abs=0.02)
    assert suns.runs("3")[-1][1] <= 20
    dark = SolarWorld({"3": pump}, surplus=lambda _: -100.0, **{"3": limits})
    dark.live_until(23)
    ((begin, end),) = dark.runs("3")  # what is missing at the latest time is done in one go
    assert (begin, end) == (pytest.approx(16, abs=0.04), pytest.approx(20, abs=0.04))
    assert end <= 20


def test_9_one_run_only(tmp_path: Path) -> None:
    """A dryer whose door opens when its power goes runs for MIN_ON, whatever its rule wants; a person's off ends it."""
    dryer = rule_of(tmp_path, "surplus", VALUE="grid/P", START_WATTS="800", STOP_SECONDS="0")
    limits = Limits(watts=700, min_on=3 * HOUR, max_switches_per_day=1)

    def sun(hour: float) -> float:
        return 900.0 if 9 <= hour < 9.2 or 13 <= hour < 15 else -900.0

    world = SolarWorld({"3": dryer}, surplus=sun, **{"3": limits})
    world.live_until(20)
    ((begin, end),) = world.runs("3")
    assert end - begin == pytest.approx(3, abs=0.01)
    world = SolarWorld({"3": dryer}, surplus=sun, **{"3": limits})
    world.live_until(10)
    world.say("3", "off")
    assert not world.is_on("3")
