"""A rule and its guards over what is past: as they would have been asked then."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC
from itertools import chain, repeat
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pimains.rules.plan.given import KEEP, OFF, ON, Given, NotKnown, Now
from pimains.rules.plan.relay_view import RelayView
from pimains.rules.plan.replay import Asks, Change, Known, Played, Replay, Span, as_it_was, needed, order
from pimains.shared.relays.plan.board import Board
from pimains.shared.relays.plan.day_time import QuietHours
from pimains.shared.relays.plan.relay import GroupLimit, Limits, Relay
from pimains.shared.relays.plan.runs import Run, Runs

NOON = 1_790_078_400.0  # 2026-09-22 12:00 UTC
DAY = 86_400.0
Values = Mapping[str, list[float | None]]
_NOTHING: Mapping[str, Any] = {}
_NO_LIMITS = Limits()
Rule = Callable[[RelayView, Any, Any, Any], object]


def column(values: list[float | None], start: float, every: float) -> Iterator[Known]:
    """As they would have been known: None is a gap, in which the value before grows old."""
    value: float | None = None
    at = start
    for step, each in enumerate(values):
        if each is not None:
            value, at = each, start + step * every
        yield value, at
    yield from repeat((value, at))


def rows(values: Values, names: Sequence[str], every: float) -> Iterator[tuple[Known, ...]]:
    return zip(*(column(values[name], NOON, every) for name in names), strict=True) if names else repeat(())


def replay(
    rule: Rule,
    values: Values = _NOTHING,
    steps: int = 0,
    every: float = 60.0,
    limits: Limits = _NO_LIMITS,
    changes: Sequence[Change] = (),
    others: Mapping[str, Limits] = _NOTHING,
    runs: Runs | None = None,
    thorough: bool = False,
    lost_after: float = 120.0,
    **of_board: Any,
) -> Played:
    board = Board(**{"stagger": 0.0, **of_board})
    board.relays["3"] = Relay("3", limits, runs or Runs(NOON - DAY), without_wish_since=NOON)
    board.relays |= {number: Relay(number, as_it_was(each), Runs(NOON - DAY), NOON) for number, each in others.items()}
    given = Given(lost_after, Now(UTC))
    for relay in board.relays.values():
        given.relays.put(RelayView(relay, given.moment, given.data))
    explain = lambda error: (str(error), 1, type(error).__name__)  # noqa: E731
    played = Replay(board, 3, given, rule, explain, changes, UTC, is_thorough=thorough)
    span = Span(NOON, every, steps or max(map(len, values.values()), default=0))
    return played.play(span, order(values), rows(values, order(values), every), values)


def minutes(played: Played) -> list[tuple[float, float | None]]:
    return [((run.begin - NOON) / 60, None if run.end is None else (run.end - NOON) / 60) for run in played.runs]


def sunny(relay: RelayView, data: Any, relays: Any, now: Any) -> object:
    return (ON, f"{data['pv']:.0f} W") if data["pv"] > 500 else (OFF, f"only {data['pv']:.0f} W")


def test_it_is_on_when_the_rule_says_so_and_says_why() -> None:
    played = replay(sunny, {"pv": [0, 600, 700, 800, 100, 900]})
    assert minutes(played) == [(1, 4), (5, None)]
    assert played.runs[0][2:] == ("600 W", "only 100 W")
    assert played.lost == []


def test_guards_hold_it_and_let_go_of_it_in_their_time_between_two_steps() -> None:
    limits = Limits(min_on=150, min_off=90)
    assert minutes(replay(sunny, {"pv": [600, 0, 0, 0, 600, 600, 600]}, limits=limits)) == [(0, 2.5), (4, None)]
    assert minutes(replay(sunny, {"pv": [600, 0, 0, 600, 600, 600, 600]}, limits=limits)) == [(0, 2.5), (4, None)]
    assert minutes(replay(lambda *_: (ON, "always"), steps=60, limits=Limits(max_on_per_day=600))) == [(0, 10)]
    quiet = Limits(quiet_hours=QuietHours(11 * 60, 12 * 60 + 5))
    assert minutes(replay(lambda *_: (ON, "always"), steps=10, limits=quiet)) == [(5, None)]


def test_what_is_not_known_makes_it_lost_and_on_lost_decides_in_time() -> None:
    played = replay(sunny, {"pv": [600, 600, *[None] * 20, 600]}, limits=Limits(on_lost="off"), lost=300)
    assert minutes(played) == [(0, 9), (22, None)]  # two minutes until it is too old, seen at the next step, and five more
    assert [(lost.why.partition(":")[0], lost.steps, (lost.first - NOON) / 60) for lost in played.lost] == [("pv is not known", 18, 4)]
    assert minutes(replay(sunny, {"pv": [600, *[None] * 20]}, limits=Limits(on_lost="keep"), lost=300)) == [(0, None)]


def test_keep_says_again_what_was_said_or_leaves_it() -> None:
    answers = iter([KEEP, (ON, "now"), *[KEEP] * 30, (OFF, "enough"), KEEP])
    assert minutes(replay(lambda *_: next(answers), steps=34, lost=300)) == [(1, 32)]


def test_a_rule_that_raises_is_lost_and_told_once() -> None:
    def rule(relay: RelayView, data: Any, relays: Any, now: Any) -> object:
        return ON, str(1 / (now.minute % 2))

    played = replay(rule, steps=6)
    assert [lost[:3] for lost in played.lost] == [("division by zero", 1, 3)]
    assert minutes(played) == [(1, None)]


def test_it_sees_its_relay_as_it_would_have_been_and_the_others_as_they_were() -> None:
    def rule(relay: RelayView, data: Any, relays: Any, now: Any) -> object:
        if relays[1].on:
            return OFF, "1 is on"
        return (OFF, "long enough") if (relay.on_for or 0) >= 180 else (ON, f"on {relay.seconds_on_today():.0f} s")

    played = replay(rule, steps=9, others={"1": Limits()}, changes=[Change(NOON + 61, "1", True), Change(NOON + 121, "1", False)])
    assert minutes(played) == [(0, 2), (3, 6), (7, None)]
    assert [run.why for run in played.runs] == ["on 0 s", "on 120 s", "on 300 s"]


def test_a_group_has_room_when_the_others_have_left_it_and_who_counts_less_gives_way() -> None:
    others = {"1": Limits(group="heat", priority=50)}
    changes = [Change(NOON + 30, "1", True), Change(NOON + 600, "1", False)]
    limits = Limits(group="heat", priority=10)

    def later(relay: RelayView, data: Any, relays: Any, now: Any) -> object:
        return (ON, "late") if now.minute >= 2 else (OFF, "early")

    played = replay(later, steps=15, limits=limits, others=others, changes=changes, group_limits={"heat": GroupLimit(1, False)})
    assert minutes(played) == [(10, None)]
    limits = limits._replace(priority=90)
    played = replay(later, steps=15, limits=limits, others=others, changes=changes, group_limits={"heat": GroupLimit(1, False)})
    assert minutes(played) == [(2, None)]
    assert played.gave_way == {"1": 1}


def test_one_that_was_on_goes_on_from_there() -> None:
    runs = Runs(NOON - DAY, [Run(NOON - 90)])
    played = replay(lambda *_: (OFF, "enough"), steps=3, limits=Limits(min_on=120), runs=runs)
    assert minutes(played) == [(-1.5, 0.5)]
    assert played.runs[0][2:] == ("it was on already", "enough")


def test_a_charger_that_left_float_a_moment_ago_counts_still() -> None:
    def rule(relay: RelayView, data: Any, relays: Any, now: Any) -> object:
        return (ON, "float") if relay.floating(within=90) else (OFF, "not full")

    assert minutes(replay(rule, {"mppt/CS": [3, 5, 5, 3, 3, 3, 3]})) == [(1, 5)]


def test_it_begins_again_when_the_rule_asks_for_a_value_that_it_is_not_given() -> None:
    names: set[str] = set()

    def play(values: Values) -> Played:
        board = Board()
        board.relays["3"] = Relay("3", Limits(), Runs(NOON - DAY), NOON)
        given = Given(120)
        given.relays.put(RelayView(board.relays["3"], given.moment, given.data))

        def rule(relay: RelayView, data: Any, relays: Any, now: Any) -> object:
            return (ON, "sun") if data["a/PPV"] > 1 and data["PPVT"] > 5 else (OFF, "none")

        return Replay(board, 3, given, rule, lambda error: (str(error), 1, "")).play(
            Span(NOON, 60, 4), order(names), rows(values, order(names), 60), values
        )

    values = {"a/PPV": [0.0, 2, 2, 2], "b/PPV": [0.0, 0, 9, 9], "bmv/P": [1.0, 1, 1, 1]}
    for wanted in ({"a/PPV"}, {"b/PPV"}):
        with pytest.raises(Asks) as asks:
            play(values)
        assert asks.value.names == wanted
        names |= wanted
    assert minutes(play(values)) == [(2, None)]


def test_who_asks_for_all_instances_needs_those_there_are() -> None:
    there = ["a/PPV", "b/PPV", "bmv/P", "bmv/SOC"]
    assert needed({"*/PPV", "bmv/SOC", "no/such"}, there) == {"a/PPV", "b/PPV", "bmv/SOC"}
    assert needed({"bmv/P"}, there) == {"bmv/P"}


LIMITS = st.builds(
    Limits,
    min_on=st.sampled_from([0.0, 45.0, 600.0]),
    min_off=st.sampled_from([0.0, 30.0, 900.0]),
    max_on_per_day=st.sampled_from([None, 700.0, 3600.0]),
    max_switches_per_day=st.sampled_from([None, 0, 2, 5]),
    quiet_hours=st.sampled_from([None, QuietHours(12 * 60 + 20, 13 * 60)]),
    priority=st.integers(0, 2),
    group=st.sampled_from(["", "heat"]),
    watts=st.sampled_from([0.0, 1000.0]),
    on_lost=st.sampled_from(["off", "keep", "on"]),
)
SAYS = st.sampled_from([ON, ON, OFF, OFF, KEEP, "lost", "raises"])
CHANGES = st.lists(st.tuples(st.floats(0, 7000), st.sampled_from("12"), st.booleans()), max_size=8)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(SAYS, st.integers(1, 30)), min_size=1, max_size=12),
    LIMITS,
    st.tuples(LIMITS, LIMITS),
    CHANGES,
    st.sampled_from([10.0, 60.0, 61.3]),
    st.sampled_from([{}, {"heat": GroupLimit(1, False)}, {"all": GroupLimit(1500, True)}]),
    st.sampled_from([0.0, 1.0, 20.0]),
)
def test_it_is_what_asking_the_guards_at_every_step_says(
    says: list[tuple[str, int]],
    limits: Limits,
    others: tuple[Limits, Limits],
    changes: list[tuple[float, str, bool]],
    every: float,
    groups: dict[str, GroupLimit],
    stagger: float,
) -> None:
    words = list(chain.from_iterable(repeat(word, count) for word, count in says))
    in_order = [Change(NOON + at, number, is_on) for at, number, is_on in sorted(changes)]

    def played(thorough: bool) -> Played:
        steps = iter(enumerate(words))

        def rule(relay: RelayView, data: Any, relays: Any, now: Any) -> object:
            step, word = next(steps)
            if word == "lost":
                raise NotKnown("pv", "no reason")
            if word == "raises":
                raise ZeroDivisionError
            return KEEP if word == KEEP else (word, f"step {step}")

        named = {"1": others[0], "2": others[1]}
        return replay(
            rule, steps=len(words), every=every, limits=limits, others=named, changes=in_order, thorough=thorough,
            group_limits=groups, stagger=stagger, lost=300,
        )  # fmt: skip

    quick, thorough = played(False), played(True)
    assert [(run.why, run.why_it_ended) for run in quick.runs] == [(run.why, run.why_it_ended) for run in thorough.runs]
    assert [(run.begin, run.end or 0) for run in quick.runs] == [
        (pytest.approx(run.begin, abs=0.01), pytest.approx(run.end or 0, abs=0.01)) for run in thorough.runs
    ]
    assert quick[1:] == thorough[1:]
