"""The fourteen intents of PvMonit's examples, each as a rule that comes with pimains, in the solar house on days with clouds.

What a rule says is compared, after each step, with what its author wanted.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from pimains.house.solar import Charging, SolarHouse
from pimains.rules import ready_rule
from pimains.rules.ready_settings import KINDS
from pimains.shared.relays.plan.relay import Limits
from tests.rules.solar_world import EXAMPLES, READY, SolarWorld, cloudy, example, ready

MINUTE = 1 / 60
ABSORBING_OR_FLOATING = (Charging.ABSORPTION, Charging.FLOAT)
Steps = Callable[[SolarWorld], None]


def day(name: str, *, seed: int = 3, soc: float = 0.85, load: float = 40.0, until: float = 24.0, watch: Steps | None = None) -> SolarWorld:
    """A day with clouds of relay 3, ruled by that example, beside relay 1, which a person switches; `watch` looks after each minute."""
    house = SolarHouse(hour=6, soc=soc)
    world = SolarWorld(house=house, clouds=cloudy(seed), **{"3": Limits(watts=load), "1": Limits(watts=20)})
    world.rules["3"] = example(world, name)
    while world.hour < until:
        world.live(60)
        if watch is not None:
            watch(world)
    assert world.lost == {}
    return world


def charging_of(world: SolarWorld) -> Charging:
    return world.house.charging


def seconds_since(world: SolarWorld, states: tuple[Charging, ...], known: dict[str, float]) -> float:
    """Since the charger was last seen in one of these."""
    if world.house.charging in states:
        known["last"] = world.house.seconds
    return world.house.seconds - known.get("last", -1e9)


def test_01_on_while_the_charger_is_in_absorption_or_float() -> None:
    known: dict[str, float] = {}

    def watch(world: SolarWorld) -> None:
        since = seconds_since(world, ABSORBING_OR_FLOATING, known)
        assert world.is_on("3") or since > 0
        assert not world.is_on("3") or since <= 120  # a minute of grace, and one from look to look

    world = day("01", watch=watch)
    assert 3 < world.hours_on("3") < 14


def test_02_the_same_and_once_on_at_least_20_minutes() -> None:
    world = day("02", seed=5, soc=0.8, load=600)
    lengths = [end - begin for begin, end in world.runs("3")]
    assert min(lengths) == pytest.approx(20 * MINUTE, abs=0.01)
    assert max(lengths) > 2


def test_03_hot_water_while_floating_and_the_battery_is_not_discharged() -> None:
    given = []

    def watch(world: SolarWorld) -> None:
        if world.is_on("3"):
            assert world.relay_floats()
            given.append(world.house.battery_watts)

    world = day("03", load=300, watch=watch)
    assert world.hours_on("3") > 1
    assert sum(watts < -5 for watts in given) < 0.25 * len(given)


def test_04_on_while_another_relay_is_on_and_the_charger_floats() -> None:
    both = []

    def watch(world: SolarWorld) -> None:
        if world.hour == pytest.approx(15, abs=0.001):
            world.say("1", "on for 1h")
        both.append(world.is_on("3"))
        assert not world.is_on("3") or (world.is_on("1") and world.relay_floats())

    world = day("04", watch=watch)
    assert sum(both) > 20
    assert about(world.runs("3")[0][0]) == 15.0


def about(hour: float) -> float:
    return round(hour * 20) / 20


def test_05_on_from_five_minutes_after_another_relay_came_on() -> None:
    world = day("05", watch=lambda world: world.say("1", "on for 1h") if world.hour == pytest.approx(9, abs=0.001) else None)
    assert world.runs("3") == [(pytest.approx(9 + 5 * MINUTE, abs=0.01), pytest.approx(10, abs=0.02))]


def test_06_on_once_another_relay_has_come_on_and_gone_off_again_today() -> None:
    world = day("06", watch=lambda world: world.say("1", "on for 1h") if world.hour == pytest.approx(9, abs=0.001) else None)
    assert world.runs("3") == [(pytest.approx(10, abs=0.02), pytest.approx(24, abs=0.01))]
    world.live(120)
    assert not world.is_on("3")  # another day


def test_07_five_minutes_once_a_day_when_absorbing_or_floating() -> None:
    begun = []
    world = day("07", until=50, watch=lambda world: begun.append(charging_of(world)) if world.is_on("3") else None)
    runs = world.runs("3")
    assert [int(begin // 24) for begin, _ in runs] == [0, 1]
    assert all(end - begin == pytest.approx(5 * MINUTE, abs=0.01) for begin, end in runs)
    assert begun[0] in ABSORBING_OR_FLOATING


def test_08_on_above_89_percent() -> None:
    def watch(world: SolarWorld) -> None:
        assert world.is_on("3") == (world.given.data["vedirect.bmv/SOC"] > 89)

    assert 3 < day("08", soc=0.8, load=200, watch=watch).hours_on("3") < 17


def test_09_on_between_11_h_and_18_h() -> None:
    assert day("09").runs("3") == [(pytest.approx(11, abs=0.02), pytest.approx(18, abs=0.02))]


def test_10_on_above_98_percent_and_once_on_at_least_5_minutes() -> None:
    world = day("10", load=900)
    runs = world.runs("3")
    assert len(runs) > 1
    assert min(end - begin for begin, end in runs) >= 5 * MINUTE - 0.001
    assert min(end - begin for begin, end in runs) < 6 * MINUTE


@pytest.mark.parametrize(("month", "last"), [(6, 21), (12, 19)])
def test_11_while_another_relay_is_on_when_there_is_enough(month: int, last: int) -> None:
    house = SolarHouse(hour=6, soc=0.97)
    world = SolarWorld(house=house, clouds=cloudy(4), **{"3": Limits(), "1": Limits()})
    world.set_clock(world.time + _first_of(month) + house.seconds)
    world.rules["3"] = example(world, "11")
    world.say("1", "on for 2h")
    world.live_until(12)
    assert not any(begin < 8 and end > 8 + 6 * MINUTE for begin, end in world.runs("3"))
    world.say("1", "on")
    world.live_until(12.5)
    assert world.is_on("3")
    world.house.soc = 0.97
    while world.hour < last - 0.05:
        world.live(60)
        world.house.soc = 0.97
    assert world.is_on("3")
    while world.hour < last + 0.05:
        world.live(60)
        world.house.soc = 0.97
    assert not world.is_on("3")
    world.say("1", "auto")
    world.live_until(24)
    assert min(end - begin for begin, end in world.runs("3")) >= 5 * MINUTE - 0.001


def _first_of(month: int) -> float:
    from datetime import UTC, datetime

    return datetime(2026, month, 1, tzinfo=UTC).timestamp()


class Room:
    """The room with computers, on a day in June."""

    def __init__(self, soc: float, hosts: Mapping[str, bool | None], files: frozenset[str] = frozenset(), month: int = 6) -> None:
        self.world = SolarWorld(house=SolarHouse(hour=6, soc=soc), clouds=cloudy(2), **{"3": Limits()})
        self.world.set_clock(self.world.time + _first_of(month) + self.world.house.seconds)
        self.world.given.hosts, self.world.given.files = hosts, files
        self.world.rules["3"] = example(self.world, "12")
        self.soc = soc

    def until(self, hour: float) -> bool:
        while self.world.hour < hour:
            self.world.house.soc = self.soc
            self.world.live(60)
        return self.world.is_on("3")


NOBODY = {"desk.lan": False, "laptop.lan": False}


def test_12_a_room_with_computers_is_on_at_noon_and_off_in_the_evening() -> None:
    room = Room(0.97, NOBODY)
    assert not room.until(7)
    assert room.until(12.1)
    assert room.until(20.9)
    assert not room.until(21.1)
    assert not Room(0.97, NOBODY, month=12).until(17.1)
    assert not Room(0.94, NOBODY).until(12.5)


def test_12_a_room_with_computers_stays_on_while_one_answers_or_nobody_can_tell() -> None:
    for hosts in ({"desk.lan": False, "laptop.lan": True}, {"desk.lan": None, "laptop.lan": False}):
        room = Room(0.97, hosts)
        assert room.until(13)
        room.soc = 0.6
        assert room.until(23)
        room.world.given.hosts = NOBODY
        assert not room.until(23.2)


def test_12_a_room_with_computers_is_on_by_a_file_and_at_least_10_minutes() -> None:
    room = Room(0.9, NOBODY, frozenset(["computers"]))
    assert room.until(7)
    room.world.given.files = frozenset()
    assert not room.until(7.5)
    assert all(end - begin >= 10 * MINUTE - 0.001 for begin, end in room.world.runs("3"))
    assert not Room(0.88, NOBODY, frozenset(["computers"])).until(7)


@pytest.mark.parametrize(("name", "soc", "is_on"), [("13", 0.95, True), ("13", 0.85, False), ("14", 0.5, True)])
def test_13_and_14_only_by_a_file(name: str, soc: float, is_on: bool) -> None:
    world = SolarWorld(house=SolarHouse(hour=12, soc=soc), clouds=cloudy(1), **{"3": Limits()})
    world.rules["3"] = example(world, name)
    for files, expected in ((frozenset(), False), (frozenset(["guests"]), is_on), (frozenset(), False)):
        world.given.files = files
        world.live(60)
        assert world.is_on("3") == expected


def test_an_example_that_needs_no_code_says_how_and_is_a_rule_then(tmp_path: Path) -> None:
    found = 0
    for path in sorted(EXAMPLES.iterdir()):
        for kind, words in re.findall(r"pimains rule add 3 --kind=(\w+)((?: --\w+=\S+)*)", path.read_text()):
            settings = {name.upper(): value for name, value in re.findall(r"--(\w+)=([^\s,]+)", words)}
            assert kind in KINDS
            ready_rule.load(ready(tmp_path / path.stem, kind, **settings), {"present": {}.__contains__})
            found += 1
    assert found >= 9
    assert sorted(path.name[:2] for path in EXAMPLES.iterdir()) == [f"{number:02}" for number in range(1, 15)]
    assert READY.is_dir()
