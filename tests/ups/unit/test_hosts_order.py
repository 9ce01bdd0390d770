"""In which order the hosts of a house go down and come up, and when one goes before the others."""

import itertools
import random

import pytest

from pimains.ups.plan import host_order, proving, shedding
from pimains.ups.plan.host_order import After
from pimains.ups.plan.shedding import ShedAt

HOUSE = {"router": (), "nas": ("router",), "pc": ("nas",), "tv": ("nas", "router"), "camera": ("router",)}


def up_order(after: After) -> list[list[str]]:
    """All hosts, those that are woken side by side together, as the service comes to them one step after the other."""
    found: list[list[str]] = []
    left = set(after)
    while left:
        found.append(host_order.up_now(after, left, left))
        left -= set(found[-1])
    return found


def test_hosts_go_down_before_those_that_they_need_and_side_by_side_otherwise() -> None:
    assert host_order.down_order(HOUSE) == [["camera", "pc", "tv"], ["nas"], ["router"]]


def test_hosts_come_up_after_those_that_they_need() -> None:
    assert up_order(HOUSE) == [["router"], ["camera", "nas"], ["pc", "tv"]]


def test_who_is_shed_takes_those_along_that_need_it() -> None:
    assert host_order.with_dependents(HOUSE, {"nas"}) == {"nas", "pc", "tv"}
    assert host_order.with_dependents(HOUSE, {"router"}) == set(HOUSE)
    assert host_order.with_dependents(HOUSE, {"tv"}) == {"tv"}


def test_nobody_is_ordered_down_before_those_that_need_it_are_down() -> None:
    assert host_order.down_now(HOUSE, {"nas", "pc", "tv"}, ()) == ["pc", "tv"]
    assert host_order.down_now(HOUSE, {"nas"}, {"pc"}) == []
    assert host_order.down_now(HOUSE, {"nas"}, {"pc", "tv"}) == ["nas"]


def test_a_host_is_woken_once_those_that_it_needs_are_up_or_given_up() -> None:
    assert host_order.up_now(HOUSE, {"nas", "pc"}, {"router"}) == []
    assert host_order.up_now(HOUSE, {"nas", "pc"}, ()) == ["nas"]
    assert host_order.up_now(HOUSE, {"pc"}, {"nas"}) == []
    assert host_order.up_now(HOUSE, {"pc", "tv"}, ()) == ["pc", "tv"]


def test_the_time_until_all_are_down_is_that_of_the_longest_chain() -> None:
    seconds = {"router": 5.0, "nas": 60.0, "pc": 20.0, "tv": 30.0, "camera": 80.0}
    assert host_order.down_seconds(HOUSE, seconds) == 95.0
    assert host_order.down_seconds(HOUSE, {**seconds, "camera": 100.0}) == 105.0
    assert host_order.down_seconds({}, {}) == 0.0


@pytest.mark.parametrize(
    ("after", "found"),
    [
        ({"a": ("b",), "b": ("c",), "c": ("a",)}, ["a", "b", "c", "a"]),
        ({"x": ("a",), "a": ("b",), "b": ("a",)}, ["a", "b", "a"]),
        ({"a": ("a",)}, ["a", "a"]),
        ({"a": ("gone",)}, []),
        (HOUSE, []),
    ],
)
def test_a_circle_is_named(after: host_order.After, found: list[str]) -> None:
    assert host_order.cycle(after) == found


def test_every_house_without_a_circle_goes_down_and_comes_up_whole() -> None:
    """A thousand houses, in which a host needs any of those before it."""
    chance = random.Random(12)
    for _ in range(1000):
        names = [f"host{number}" for number in range(chance.randint(1, 9))]
        after = {name: tuple(other for other in names[:index] if chance.random() < 0.3) for index, name in enumerate(names)}
        assert host_order.cycle(after) == []
        for order, is_before in ((up_order(after), 1), (host_order.down_order(after), -1)):
            place = {name: index for index, together in enumerate(order) for name in together}
            assert sorted(place) == names
            assert all((place[name] - place[needed]) * is_before > 0 for name, waits_for in after.items() for needed in waits_for)


def test_a_thousand_hosts_in_a_row_are_no_trouble() -> None:
    after = {"0": (), **{str(number): (str(number - 1),) for number in range(1, 1500)}}
    assert host_order.cycle(after) == []
    assert host_order.cycle({**after, "0": ("1499",)})[:2] == ["0", "1499"]


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("", ShedAt()),
        ("charge 40", ShedAt(charge=40)),
        ("charge 40 %", ShedAt(charge=40)),
        ("runtime 10m", ShedAt(runtime=600)),
        ("after 90s", ShedAt(after=90)),
        ("charge 40%, after 1h,runtime 5m", ShedAt(40, 300, 3600)),
    ],
)
def test_shed_at_reads_as_it_is_spoken(text: str, limits: ShedAt) -> None:
    assert shedding.parse(text) == limits


@pytest.mark.parametrize(
    "text",
    ["40", "charge", "charge 0", "charge 100", "charge -1", "after 5", "after 0m", "after 25h", "charge 4, charge 5", "charge 4,", "x 1"],
)
def test_what_is_no_shed_at_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        shedding.parse(text)


def test_a_host_is_shed_at_the_first_of_its_limits() -> None:
    limits = ShedAt(40, 600, 300)
    assert shedding.why(limits, 41, 601, 299) == ""
    assert shedding.why(limits, 40, 601, 299) == "the charge is 40 %, its SHED_AT 40 %"
    assert shedding.why(limits, None, 600, 299) == "the UPS lasts for 600 s, its SHED_AT is 600 s"
    assert shedding.why(limits, 41, None, 300) == "on battery for 300 s, its SHED_AT is 300 s"


def test_what_is_not_known_or_not_set_sheds_nobody() -> None:
    assert shedding.why(ShedAt(40, 600, 300), None, None, 0) == ""
    assert shedding.why(ShedAt(), 0, 0, 1e9) == ""


def test_one_look_proves_that_a_host_is_up_and_three_in_silence_that_it_is_down() -> None:
    for looks in itertools.product((proving.UP, proving.REFUSES, proving.SILENT), repeat=4):
        assert proving.is_up(looks) == (looks[-1] == proving.UP)
        assert proving.is_down(looks) == (looks[1:] == (proving.SILENT,) * 3)
    assert not proving.is_up(())
    assert not proving.is_down((proving.SILENT,) * 2)


def test_an_order_that_nobody_acknowledged_is_given_again_in_the_same_boot_alone() -> None:
    assert proving.is_told_again("boot 1", "boot 1", looks=(), seconds=0, budget_seconds=60)
    assert not proving.is_told_again("boot 1", "boot 2", looks=(proving.UP,), seconds=61, budget_seconds=60)


def test_a_host_that_tells_no_boot_is_told_again_when_it_is_still_up_after_its_time() -> None:
    for before, now in (("", ""), ("boot 1", ""), ("", "boot 1")):
        assert proving.is_told_again(before, now, looks=(proving.UP,), seconds=61, budget_seconds=60)
        assert not proving.is_told_again(before, now, looks=(proving.UP,), seconds=60, budget_seconds=60)
        assert not proving.is_told_again(before, now, looks=(proving.REFUSES,), seconds=61, budget_seconds=60)
        assert not proving.is_told_again(before, now, looks=(), seconds=61, budget_seconds=60)
