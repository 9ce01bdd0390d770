"""Who is ordered down and who is woken, a host at a time: what counts as down, what an order that nobody acknowledged becomes."""

import pytest

from pimains.shared.plan import host_steps
from pimains.shared.plan.host_steps import Host, Step
from pimains.shared.plan.outage import Phase
from pimains.ups.plan import going_down, host_words, neighbours, waking
from pimains.ups.plan.going_down import Known, Seen, Strain
from pimains.ups.plan.neighbours import Do, Minded, Situation
from pimains.ups.plan.outage import Event
from pimains.ups.plan.proving import REFUSES, SILENT, UP
from pimains.ups.plan.shedding import ShedAt

HOUSE = {
    "router": Known(),
    "nas": Known(("router",), ShedAt(charge=40)),
    "pc": Known(("nas",)),
    "tv": Known(goes_by_fsd=True, wake="no"),
}
OFF = Seen((SILENT,) * 3)
ON = Seen((UP,), boot="b1")
ALL_GO = Situation(Phase.FORCED, Strain("low"))
SHEDDING = Situation(Phase.SHEDDING, Strain(charge=40))
WAKING = Situation(Phase.WAKING, may_wake=True)
ORDERED = Host(Step.ORDERED, 100.0, 1, boot="b1", ordered_at=100.0, ordered=9000.0)


def mind(hosts: host_steps.Hosts, situation: Situation, now: float = 100.0, **seen: Seen) -> Minded:
    return neighbours.mind(HOUSE, hosts, seen, situation, now, 9000.0 + now)


def moves(minded: Minded) -> list[tuple[Do, str]]:
    return [(move.do, move.host) for move in minded.moves]


def test_who_needs_a_host_that_is_shed_goes_before_it() -> None:
    first = mind({}, SHEDDING, nas=ON, pc=ON)
    assert moves(first) == [(Do.ORDER, "pc")]
    assert first.moves[0].why == "it needs nas: the charge is 40 %, its SHED_AT 40 %"
    assert first.hosts["pc"] == Host(Step.ORDERED, 100.0, 1, boot="b1", why=first.moves[0].why, ordered_at=100.0, ordered=9100.0)
    assert moves(mind(first.hosts, SHEDDING, 110.0, nas=ON)) == []
    second = mind(first.hosts, SHEDDING, 111.0, pc=OFF, nas=ON)
    assert moves(second) == [(Do.ORDER, "nas")]
    assert second.hosts["nas"].number == 2
    assert second.hosts["pc"] == first.hosts["pc"]._replace(step=Step.DOWN, since=111.0, down=9111.0)
    assert moves(mind(second.hosts, SHEDDING, 112.0)) == []


def test_above_its_limit_nobody_goes() -> None:
    assert mind({}, Situation(Phase.ON_BATTERY, Strain(charge=41)), nas=ON) == Minded({})


def test_at_a_forced_shutdown_all_go_and_who_waits_is_written_down_at_once() -> None:
    forced = mind({}, ALL_GO, nas=ON)
    assert moves(forced) == [(Do.ORDER, "pc"), (Do.ORDER, "tv")]
    assert {name: each.step for name, each in forced.hosts.items()} == {
        "pc": Step.ORDERED,
        "tv": Step.TOLD,
        "nas": Step.DUE,
        "router": Step.DUE,
    }
    assert neighbours.is_under_way(HOUSE, forced.hosts, ALL_GO)
    # the power went before they were told: they have lost it, too
    again = neighbours.after_event(HOUSE, forced.hosts, Event.BOOTED, Phase.CUTTING, 3.0)
    assert waking.wanted(HOUSE, again) == {"router", "nas", "pc"}
    assert neighbours.after_event(HOUSE, {}, Event.BOOTED, Phase.FORCED, 3.0).keys() == HOUSE.keys()


def test_a_host_that_was_off_is_not_ordered_and_woken_only_where_that_is_wanted() -> None:
    minded = mind({}, SHEDDING, pc=OFF, nas=ON)
    assert minded.hosts["pc"].step is Step.DOWN
    assert not minded.hosts["pc"].was_up
    assert moves(minded) == []
    assert waking.wanted(HOUSE, minded.hosts) == set()
    assert waking.wanted({**HOUSE, "pc": Known(wake="yes")}, minded.hosts) == {"pc"}


def test_a_host_whose_first_looks_are_silent_was_off_unless_it_took_its_order() -> None:
    unknown = ORDERED._replace(was_up=None)
    assert mind({"pc": unknown}, SHEDDING, pc=OFF).hosts["pc"].was_up is False
    assert mind(neighbours.acknowledged({"pc": unknown}, "pc", 101.0), SHEDDING, pc=OFF).hosts["pc"].was_up is True
    assert mind({"pc": unknown}, SHEDDING, pc=Seen((REFUSES,))).hosts["pc"].was_up is True


@pytest.mark.parametrize(
    ("seen", "seconds", "tries", "again"),
    [
        (Seen(boot="b1"), 1, 1, True),  # it is in the boot that it was in
        (Seen(boot="b2"), 1, 1, False),  # it was up again by itself meanwhile
        (Seen((UP,)), 179, 1, False),  # nobody knows its boot: when its time is over
        (Seen((UP,)), 181, 1, True),
        (Seen((REFUSES,)), 181, 1, False),
        (Seen(boot="b1", is_busy=True), 1, 1, False),  # it is being told just now
        (Seen(boot="b1"), 1, 3, False),
    ],
)
def test_an_order_that_nobody_acknowledged_is_given_again(seen: Seen, seconds: float, tries: int, again: bool) -> None:
    minded = mind({"pc": ORDERED._replace(tries=tries)}, SHEDDING, 100.0 + seconds, pc=seen, nas=ON)
    assert ((Do.ORDER, "pc") in moves(minded)) == again
    if again:
        assert minded.moves[0].is_first is False
        assert minded.hosts["pc"] == ORDERED._replace(tries=2, ordered_at=100.0 + seconds)


def test_no_order_is_given_once_the_mains_are_back() -> None:
    for phase in (Phase.RETURNING, Phase.WAKING):
        assert moves(mind({"pc": ORDERED}, Situation(phase, Strain("low")), pc=Seen(boot="b1"))) == []


def test_a_host_that_hangs_is_waited_for_as_long_as_its_budget_and_holds_up_nobody_then() -> None:
    hosts = {"pc": ORDERED._replace(step=Step.TOLD)}
    assert moves(mind(hosts, SHEDDING, 279.0, pc=Seen((UP,)), nas=ON)) == []
    late = mind(hosts, SHEDDING, 281.0, pc=Seen((UP,)), nas=ON)
    assert late.hosts["pc"].step is Step.STUCK
    assert moves(late) == [(Do.ORDER, "nas")]


def test_one_that_was_not_proved_down_counts_as_up_when_its_longest_time_is_over() -> None:
    house = {"pc": Known(down_seconds=20.0, down_seconds_max=180.0)}
    stuck = {"pc": ORDERED._replace(step=Step.STUCK)}
    early = neighbours.mind(house, stuck, {"pc": Seen((UP,))}, WAKING, 279.0, 0.0)
    assert (early.hosts["pc"].step, early.moves) == (Step.STUCK, ())
    assert neighbours.mind(house, stuck, {"pc": Seen((UP,))}, WAKING, 280.0, 7.0).hosts["pc"].up == 7.0
    assert [move.do for move in neighbours.mind(house, stuck, {"pc": Seen((REFUSES,))}, WAKING, 280.0, 7.0).moves] == [Do.WAKE]


def test_hosts_are_woken_one_after_the_other_and_who_does_not_come_holds_up_nobody() -> None:
    down = {name: ORDERED._replace(step=Step.DOWN) for name in ("router", "nas", "pc", "tv")}
    first = mind(down, WAKING)
    assert moves(first) == [(Do.WAKE, "router")]
    assert first.hosts["router"].woken == 9100.0
    assert moves(mind(first.hosts, WAKING, 699.0)) == []
    second = mind(first.hosts, WAKING, 700.0)
    assert second.hosts["router"].step is Step.MISSING
    assert moves(second) == [(Do.WAKE, "nas")]
    third = mind(second.hosts, WAKING, 710.0, nas=Seen((UP,)))
    assert moves(third) == [(Do.WAKE, "pc")]
    last = mind(third.hosts, WAKING, 720.0, pc=Seen((UP,)))
    assert neighbours.event(HOUSE, last.hosts, Phase.WAKING, is_recharged=True) is Event.HOSTS_BACK
    assert neighbours.event(HOUSE, third.hosts, Phase.WAKING, is_recharged=True) is None


def test_one_that_is_up_by_itself_counts_as_up_and_is_not_shed_once_more_in_this_outage() -> None:
    down = {"nas": ORDERED._replace(step=Step.DOWN)}
    up = mind(down, SHEDDING, nas=Seen((UP,)))
    assert up.hosts["nas"].step is Step.UP
    assert moves(mind(up.hosts, SHEDDING, 101.0)) == []
    assert (Do.ORDER, "nas") not in moves(mind(up.hosts, ALL_GO, 101.0))
    assert mind(up.hosts, ALL_GO, 101.0).hosts["nas"].step is Step.DUE
    # the mains were back and are gone again: it counts as one that was not ordered
    again = neighbours.after_event(HOUSE, up.hosts, Event.OB, Phase.WAKING, 200.0)
    assert moves(mind(again, SHEDDING, 201.0, pc=OFF)) == []
    assert moves(mind(mind(again, SHEDDING, 201.0, pc=OFF).hosts, SHEDDING, 202.0)) == [(Do.ORDER, "nas")]


def test_without_fresh_data_nobody_else_is_woken() -> None:
    down = {"router": ORDERED._replace(step=Step.DOWN)}
    assert moves(mind(down, WAKING._replace(may_wake=False))) == []
    assert moves(mind(down, Situation(Phase.RETURNING, may_wake=True))) == []


def test_who_was_woken_when_the_mains_went_again_stays_on_the_list_and_has_all_its_time() -> None:
    woken = {"nas": ORDERED._replace(step=Step.WOKEN, since=100.0)}
    assert mind(woken, SHEDDING, 5000.0).hosts["nas"].step is Step.WOKEN
    assert (Do.ORDER, "nas") not in moves(mind(woken, SHEDDING, 5000.0))
    back = neighbours.after_event(HOUSE, woken, Event.RECHARGED, Phase.RETURNING, 6000.0)
    assert moves(mind(back, WAKING, 6000.0)) == [(Do.WAKE, "nas")]


def test_a_charge_is_asked_for_where_there_is_one() -> None:
    assert waking.is_charged([20.0], None)
    assert waking.is_charged([None], 50.0)
    assert waking.is_charged([50.0, None], 50.0)
    assert not waking.is_charged([90.0, 49.0], 50.0)


def test_the_time_that_hosts_need_is_that_of_who_is_left() -> None:
    house = {name: known._replace(down_seconds=60.0) for name, known in HOUSE.items()}
    assert going_down.seconds_needed(house, {}, 100.0) == 180.0
    assert going_down.seconds_needed(house, {"pc": ORDERED._replace(step=Step.TOLD)}, 120.0) == 160.0
    assert going_down.seconds_needed(house, {"pc": ORDERED._replace(step=Step.DOWN)}, 120.0) == 120.0


def test_what_is_written_is_read_again_and_nonsense_is_a_host_of_which_nothing_is_known() -> None:
    hosts = {step.value: ORDERED._replace(step=step, was_up=None) for step in Step}
    assert host_steps.read(host_steps.written(hosts)) == hosts
    nonsense: dict[str, object] = {"step": 7, "since": "x", "number": -1, "was_up": "?", "boot": None, "ordered": float("nan")}
    assert host_steps.read({"nas": nonsense}) == {"nas": Host(Step.STUCK, 0.0, 1, was_up=None)}


def test_hosts_in_words() -> None:
    hosts = {
        "pc": ORDERED._replace(step=Step.DOWN, down=60.0),
        "nas": ORDERED._replace(step=Step.TOLD, number=2),
        "router": Host(Step.DUE, 1.0),
    }
    assert host_words.under_way(HOUSE, hosts, Phase.FORCED, "") == "shutting down nas, then router, down: pc"
    assert host_words.under_way(HOUSE, hosts, Phase.RETURNING, " in 9 s") == "the mains are back; nas, pc, router will be woken in 9 s"
    hosts["pc"] = hosts["pc"]._replace(step=Step.WOKEN)
    assert host_words.under_way(HOUSE, hosts, Phase.WAKING, "") == "waking pc, then nas, router"
    assert host_words.each_one(hosts) == ["router has to shut down", "pc is woken", "nas is going down"]
    hosts["nas"] = hosts["nas"]._replace(up=120.0)
    assert host_words.times(hosts, lambda wall: f"{wall:.0f}") == "pc 60 - ?, nas 9000 - 120"
