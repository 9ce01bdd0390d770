"""What a look at all UPSes comes to: MINSUPPLIES over several, one that is lost, one that is off, one that does not feed this machine."""

import itertools

import pytest

from pimains.shared.plan.outage import Outage, Phase, Role
from pimains.ups.plan.outage import Event, Moment, decide
from pimains.ups.plan.standing import Limits, Standing, look
from pimains.ups.plan.supplies import Happened, Supply, happened, is_in_danger, looked_at

A = Supply("a", is_ours=True, is_on_line=True, looks=9)
B = Supply("b", is_on_line=True, looks=9)


def low(supply: Supply, looks: int = 9, *, is_lost: bool = False) -> Supply:
    return supply._replace(is_on_battery=True, is_on_line=False, why="low", is_certain=True, looks=looks, is_lost=is_lost)


def battery(supply: Supply, looks: int = 9) -> Supply:
    return supply._replace(is_on_battery=True, is_on_line=False, looks=looks)


def outage(phase: Phase = Phase.ON_BATTERY, role: Role = Role.PRIMARY, *apart: str) -> Outage:
    return Outage("1", "boot", 0.0, 0.0, phase, 0.0, role, apart={name: Outage("", "", 0.0, 0.0, Phase.RETURNING) for name in apart})


def events(before: Outage | None, *supplies: Supply, least: int = 1) -> list[tuple[Event, Role, tuple[str, ...], str]]:
    return [(each.event, each.role, each.upses, each.apart) for each in happened(before, supplies, least)]


def test_one_critical_ups_of_two_endangers_a_machine_that_needs_both_and_no_other() -> None:
    assert not is_in_danger([low(A), B], 1)
    assert is_in_danger([low(A), B], 2)
    assert is_in_danger([low(A), low(B)], 1)
    assert not is_in_danger([low(A), B._replace(power=2)], 2)
    assert not is_in_danger([low(A._replace(power=0))], 1)
    assert not is_in_danger([low(A._replace(power=0)), B], 1)
    assert is_in_danger([low(A)], 1)


def test_a_ups_that_is_off_feeds_nothing_where_there_is_another_and_endangers_nobody_by_itself() -> None:
    off = B._replace(is_off=True)
    assert is_in_danger([low(A), off], 1)
    assert not is_in_danger([A, off], 1)
    assert not is_in_danger([A, off], 2)
    assert not is_in_danger([A._replace(is_off=True), off], 1)


def test_one_that_is_lost_on_line_still_feeds() -> None:
    lost = B._replace(is_on_line=False, is_lost=True)
    assert not is_in_danger([low(A), lost], 1)
    assert events(outage(), A, lost) == [(Event.OL, Role.PRIMARY, (), "")]


def test_an_outage_begins_with_one_look_and_nothing_is_done_before_the_second_but_for_what_the_ups_itself_says() -> None:
    uncertain = battery(A, 1)._replace(why="the battery lasts for 10 s more")
    assert events(None, uncertain) == [(Event.OB, Role.PRIMARY, (), "")]
    assert events(outage(), uncertain._replace(looks=2)) == [(Event.LOW, Role.PRIMARY, ("a",), "")]
    assert events(None, low(A, looks=1)) == [(Event.OB, Role.PRIMARY, (), ""), (Event.LOW, Role.PRIMARY, ("a",), "")]


def test_the_mains_are_back_with_the_second_look_and_not_while_another_ups_is_on_battery() -> None:
    assert events(outage(), A._replace(looks=1)) == []
    assert events(outage(), A._replace(looks=2)) == [(Event.OL, Role.PRIMARY, (), "")]
    assert events(outage(), A, battery(B)) == []
    assert events(outage(), A, B._replace(looks=1)) == []


def test_a_shutdown_stops_when_enough_is_back() -> None:
    alone = outage(Phase.ASKED, Role.ALONE)
    assert events(alone, battery(A), B) == [(Event.OL, Role.PRIMARY, (), "")]
    assert events(alone, battery(A), B, least=2) == []
    assert events(alone, low(A), low(B)) == [(Event.LOW, Role.PRIMARY, ("a", "b"), "")]


def test_a_secondary_hears_that_the_mains_are_back_while_the_fsd_stands() -> None:
    forced = B._replace(is_forced=True)
    here = (Event.FSD, Role.SECONDARY, ("b",), "")
    assert events(outage(Phase.DELAYED, Role.SECONDARY), forced) == [here, (Event.OL, Role.SECONDARY, (), "")]
    assert events(outage(), forced) == [here]
    assert events(outage(Phase.DELAYED, Role.SECONDARY), forced._replace(is_on_line=False, is_on_battery=True)) == [here]


def test_one_critical_ups_of_ours_goes_apart_and_one_of_others_is_theirs() -> None:
    assert events(outage(), low(A), B) == [(Event.LOW, Role.APART, ("a",), "a")]
    assert events(outage(), A, low(B)) == []
    assert events(outage(Phase.ON_BATTERY, Role.PRIMARY, "a"), low(A), B) == []
    assert events(outage(Phase.ON_BATTERY, Role.PRIMARY, "a"), A, B) == [(Event.OL, Role.APART, ("a",), "a")]


def test_a_machine_with_power_of_its_own_stays_up() -> None:
    """Scenario 14."""
    mine = low(A._replace(power=0))
    assert events(None, mine) == [(Event.OB, Role.APART, (), ""), (Event.LOW, Role.APART, ("a",), "a")]


def test_a_forced_shutdown_of_the_primary_is_seen_by_its_secondary() -> None:
    assert events(None, B._replace(is_forced=True)) == [(Event.FSD, Role.SECONDARY, ("b",), "")]
    assert events(None, B._replace(is_forced=True, power=0)) == []


def test_a_primary_that_is_not_heard_is_not_waited_for() -> None:
    gone = low(B, is_lost=True)
    assert events(outage(), gone) == [(Event.LOW, Role.SECONDARY, ("b",), ""), (Event.BUDGET_OVER, Role.SECONDARY, ("b",), "")]


def test_a_secondary_that_is_not_low_any_more_is_told_so() -> None:
    assert events(outage()._replace(low_at=5.0), battery(B)) == [(Event.EASED, Role.SECONDARY, (), "")]


def seen(status: str | None, before: tuple[Supply, Standing], now: float, *, ours: bool = False) -> tuple[Supply, Standing]:
    standing, _ = look(before[1], {"ups.status": status} if status else None, now, Limits())
    why = standing.why_low if standing.is_on_battery else ""
    return looked_at(before[0], standing, why, now, is_fsd_ours=ours), standing


def test_what_is_looked_at_is_counted_by_what_came_of_it() -> None:
    now = Supply("a"), Standing()
    for second, (status, expected) in enumerate(
        [("OL", 1), ("OL", 2), (None, 0), ("OL", 1), ("OB", 1), (None, 2), ("OB LB", 3), ("OL", 1), ("OL", 2)]
    ):
        now = seen(status, now, float(second))
        assert now[0].looks == expected, second


def test_an_fsd_of_our_own_is_no_reason_for_another_shutdown() -> None:
    before = seen("OL", (A, Standing()), 0.0)
    assert not seen("FSD OB", before, 1.0, ours=True)[0].is_critical
    assert seen("FSD OB", before, 1.0)[0].is_critical
    assert not seen("FSD OL", before, 1.0)[0].is_critical  # the UPS is ours: who set it there shuts down himself
    assert seen("FSD OL", seen("OL", (B, Standing()), 0.0), 1.0)[0].is_critical


WORDS = ["OL", "OB", "LB", "FSD", "CAL", "BYPASS", "OFF", "RB", "ALARM", "WAIT", "HE"]


@pytest.mark.parametrize("words", [*itertools.combinations(WORDS, 1), *itertools.combinations(WORDS, 2), *itertools.combinations(WORDS, 3)])
def test_nothing_begins_without_a_power_cut_in_any_combination_of_words(words: tuple[str, ...]) -> None:
    """The machine is primary: an FSD of somebody else's on line is not its business."""
    now = seen("OL", (A, Standing()), 0.0)
    outage: Outage | None = None
    for second in range(1, 6):
        now = seen(" ".join(words), now, float(second))
        for each in happened(outage, [now[0]], 1):
            assert not each.apart
            outage = decide(outage, each.event, moment_of(each)).outage
    is_cut = "OB" in words and not {"OL", "CAL", "BYPASS"} & {*words}
    assert (outage is not None) == is_cut
    assert (outage is not None and outage.is_begun) == (is_cut and bool({"LB", "FSD"} & {*words}))


def moment_of(each: Happened) -> Moment:
    return Moment(5.0, each.role, each.why, each.upses, "1", "boot", 0.0)
