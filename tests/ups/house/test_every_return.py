"""The mains are back at each second of an outage of ten minutes, and gone once more at each second of the return, in virtual time."""

import itertools
from functools import cache

import pytest

from pimains.shared.plan.outage import Role
from tests.ups.virtual_house import MODELS, ON_BATTERY_AT, WANTED, VirtualHouse

ROLES = {"primary": Role.PRIMARY, "secondary": Role.SECONDARY, "POWER 0": Role.APART}
LASTING = 600
EACH = [(model, role) for model in MODELS for role in ROLES]


@cache
def outage(model: str, role: str) -> list[VirtualHouse]:
    """The house at each second of an outage, the mains still away."""
    house = VirtualHouse(MODELS[model], ROLES[role])
    house.live(ON_BATTERY_AT)
    house.mains_fail()
    moments = []
    while house.second < ON_BATTERY_AT + LASTING:
        house.live_a_second()
        moments.append(house.copy())
    return moments


def is_whole(house: VirtualHouse) -> bool:
    """Whether every wanted host is up, who was off before is off, and who is not woken was not."""
    up = {name for name, (state, _) in house.hosts.items() if state == "up"}
    return house.outage is None and house.is_up and up - {"tv"} == WANTED and not {"tv", "spare"} & {*house.woken}


def story(house: VirtualHouse) -> str:
    return f"{house.second} s: {house.hosts}, up: {house.is_up}, {house.outage}, ordered {house.orders}, woken {house.woken}"


@pytest.mark.parametrize(("model", "role"), EACH)
def test_whenever_the_mains_are_back_every_wanted_host_is_up_at_the_end(model: str, role: str) -> None:
    for moment in outage(model, role):
        house = moment.copy()
        house.mains_back()
        house.live_until_over()
        assert is_whole(house), f"back after {moment.second} s: {story(house)}"


@pytest.mark.parametrize(("model", "role"), EACH)
def test_nobody_is_up_when_the_power_goes(model: str, role: str) -> None:
    last = outage(model, role)[-1]
    assert last.lost == set()
    assert last.orders[:2] == ["pc", "tv"]
    assert [name for name in last.orders if name in ("pc", "nas", "router")] == ["pc", "nas", "router"]
    assert sorted(last.orders) == ["client", "nas", "pc", "router", "tv"]


@pytest.mark.parametrize(("model", "role"), EACH)
@pytest.mark.parametrize("back_after", [100, 330, 600])
def test_a_second_outage_at_each_second_of_the_return_changes_nothing_of_that(model: str, role: str, back_after: int) -> None:
    first = outage(model, role)[back_after - 1].copy()
    first.mains_back()
    for lasting in itertools.islice(itertools.cycle((2, 45)), 220):  # hardly seen, and seen
        first.live_a_second()
        house = first.copy()
        house.mains_fail()
        house.live(house.second + lasting)
        house.mains_back()
        house.live_until_over()
        assert is_whole(house), f"away again at {first.second} s for {lasting} s: {story(house)}"


@pytest.mark.parametrize(("model", "role"), EACH)
def test_killed_at_each_second_it_goes_on_from_what_is_written(model: str, role: str) -> None:
    for moment in outage(model, role)[::3]:
        house = moment.copy()
        house.kill()
        house.live(house.second + 20)
        house.mains_back()
        house.live(house.second + 15)
        house.kill()
        house.live_until_over()
        assert is_whole(house), f"killed at {moment.second} s: {story(house)}"
