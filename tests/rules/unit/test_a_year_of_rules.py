"""A year of the solar house with clouds, restarts, power cuts, clicks, halts, dead rules and dead meters: no guard is ever broken."""

import random
from pathlib import Path

import pytest

from pimains.house.solar import SolarHouse
from pimains.rules.plan.given import Rule
from pimains.shared.relays.plan.day_time import QuietHours
from pimains.shared.relays.plan.modes import AUTO
from pimains.shared.relays.plan.relay import Limits
from tests.relays.boards import UNSEEN
from tests.relays.watched import WatchedWorld
from tests.rules.solar_world import DAY, HOUR, MIDNIGHT, SolarWorld, cloudy, example, rule_of

RELAYS = {
    "1": Limits(min_on=1200, min_off=600, max_on_per_day=6 * HOUR, group="heaters", priority=90, watts=800),
    "2": Limits(min_on=1800, min_off=60, max_switches_per_day=3, group="heaters", priority=10, watts=500, on_lost="keep"),
    "3": Limits(min_on=600, max_switches_per_day=4, forced_for=HOUR, watts=300, priority=50),
    "4": Limits(min_on=2 * HOUR, quiet_hours=QuietHours(22 * 60, 6 * 60), at_start="off", watts=250, priority=40),
    "5": Limits(min_off=300, on_halt="keep", watts=100, priority=20),
    "6": Limits(min_on=300, on_lost="on", watts=50),
    "7": Limits(min_on=300, max_on_per_day=2 * HOUR, watts=50),
}
MODES = ["off", "auto", "auto", "on", "on for 2h", "off for 30min", "on until 18:00", "off until 02:30", "0", "1", "2", "3"]
LOST = 2 * HOUR  # more than a step at night
NIGHT_STEP, DAY_STEP = 1800.0, 600.0


def rules_of(directory: Path) -> dict[str, Rule]:
    """One of each kind that is ready."""
    surplus = {"VALUE": "grid/P", "START_WATTS": "500", "STOP_WATTS": "300"}
    return {
        "1": rule_of(directory, "surplus", "1", **surplus, SOC="vedirect.bmv/SOC", SOC_MIN="60"),
        "2": rule_of(directory, "surplus", "2", **surplus),
        "3": rule_of(directory, "daily", "3", **surplus, MINUTES="120", RUNS="2"),
        "4": rule_of(directory, "float", "4", VALUE="vedirect.bmv/P", GIVES_WATTS="100"),
        "5": rule_of(directory, "after", "5", RELAY="3", WHEN="finished", FOR="2h"),
        "6": rule_of(directory, "schedule", "6", TIMES="6:30-8:00 17:00-23:30", DAYS="mon-fri"),
    }


class RuledWorld(WatchedWorld, SolarWorld):
    """The solar house whose switchings are checked; it goes on while the machine is off."""

    def live_day_and_night(self, seconds: float) -> None:
        end = self.house.seconds + seconds
        while self.house.seconds < end - 1e-6:
            self.step = DAY_STEP if 5.5 < self.house.hour < 20 else NIGHT_STEP
            self.live(min(self.step, end - self.house.seconds))

    def carried_out(self, number: str, is_on: bool, why: str) -> None:
        super().carried_out(number, is_on, why)
        assert why, "each switching has its reason"
        relay = self.board.relays[number]
        if is_on and relay.mode.word == AUTO:
            assert (relay.wish is not None and why == relay.wish.why) or why.startswith("no rule ")

    def power_goes(self, unwritten: float, off: float) -> None:
        self.power_cut(unwritten, off)
        self.house.live(off)
        self.given.at(self.time, None)
        self.set_clock(MIDNIGHT + self.house.seconds)


class Trouble:
    """What happens to a house: each of these now and then."""

    def __init__(self, world: RuledWorld, seed: int) -> None:
        self.world, self.chance = world, random.Random(seed)
        self.counts: dict[str, int] = {}
        self.all = self.click, self.click, self.restart, self.power, self.dead_rule, self.dead_meter, self.halt, self.clock

    def happens(self) -> None:
        what = self.chance.choice(self.all)
        self.counts[what.__name__] = self.counts.get(what.__name__, 0) + 1
        what()

    def click(self) -> None:
        number, mode = self.chance.choice(list(RELAYS)), self.chance.choice(MODES)
        self.world.say(number, mode)
        if mode in ("off", "0", "off for 30min"):
            assert not self.world.is_on(number)

    def restart(self) -> None:
        before = [self.world.is_on(number) for number in RELAYS]
        self.world.restart()
        assert [self.world.is_on(number) for number in RELAYS] == before

    def power(self) -> None:
        self.world.power_goes(self.chance.uniform(0, UNSEEN), self.chance.uniform(10, 5 * HOUR))

    def dead_rule(self) -> None:
        self.world.silent_rules ^= {self.chance.choice(list(RELAYS))}

    def dead_meter(self) -> None:
        self.world.silent ^= {self.chance.choice(("grid", "vedirect.bmv", "vedirect.mppt"))}

    def halt(self) -> None:
        self.world.halt("" if self.world.board.halted else "this machine halts")

    def clock(self) -> None:
        self.world.set_clock(self.world.time + (self.world.ahead or MIDNIGHT) + self.chance.choice((HOUR, -HOUR, 3 * DAY, -3 * DAY)))

    def ends(self) -> None:
        """All is well again, as people would see to it."""
        self.world.silent.clear()
        self.world.silent_rules.clear()
        self.world.halt("")
        self.world.set_clock(MIDNIGHT + self.world.house.seconds)
        for number in RELAYS:
            self.world.say(number, "auto")


def lived(directory: Path, days: int, seed: int) -> tuple[RuledWorld, Trouble]:
    world = RuledWorld(RELAYS, rules=rules_of(directory), house=SolarHouse(hour=0, soc=0.7), lost=LOST)
    world.rules["7"] = example(world, "08")
    trouble = Trouble(world, seed)
    for day in range(days):
        world.clouds = [(day * 24 + hour, dense) for hour, dense in cloudy(seed + day, minutes=15)]
        if day % 3 == 0:
            trouble.ends()
        for _ in range(6):
            world.live_day_and_night(trouble.chance.uniform(0.2, 7.8) * HOUR)
            if world.hour >= day * 24 + 24:
                break
            if day % 3:
                trouble.happens()
        if world.hour < day * 24 + 24:
            world.live_day_and_night((day * 24 + 24 - world.hour) * HOUR)
        for number, verdict in world.last.verdicts.items():
            assert verdict.is_on == world.is_on(number)
            assert verdict.reason
    return world, trouble


@pytest.mark.long
def test_no_guard_is_broken_in_a_year(tmp_path: Path) -> None:
    world, trouble = lived(tmp_path, 365, 1)
    assert sorted(trouble.counts) == ["click", "clock", "dead_meter", "dead_rule", "halt", "power", "restart"]
    assert min(trouble.counts.values()) > 50
    switched = {number: sum(name == number for _, name, _ in world.trace) for number in RELAYS}
    assert min(switched.values()) > 50, switched


def test_a_rule_without_a_clock_does_the_same_whatever_the_clock_does(tmp_path: Path) -> None:
    """Surplus, float and after ask no clock, nor do guards but for quiet hours."""

    def traced(jumps: random.Random | None) -> list[tuple[float, str, bool, str]]:
        relays = {number: RELAYS[number]._replace(quiet_hours=None, at_start="keep") for number in ("1", "2", "4", "5")}
        directory = tmp_path / str(bool(jumps))
        rules = {number: rule for number, rule in rules_of(directory).items() if number in ("1", "2", "4")}
        rules["5"] = rule_of(directory / "after", "after", "5", RELAY="2")
        world = RuledWorld(relays, rules=rules, house=SolarHouse(hour=0, soc=0.7), clouds=cloudy(7, last=200, minutes=15), lost=LOST)
        chance = random.Random(2)
        for _ in range(30):
            world.live_day_and_night(chance.uniform(0.2, 7.8) * HOUR)
            if jumps is not None:
                world.set_clock(world.time + MIDNIGHT + jumps.uniform(-200, 200) * DAY)
        return [(*switched, why) for switched, why in zip(world.trace, world.why, strict=True)]

    undisturbed = traced(None)
    assert len(undisturbed) > 20
    assert traced(random.Random(1)) == undisturbed
