"""A year of clicks, wishes, restarts, reboots and halts: no guard is ever broken, and no clock that jumps changes anything."""

from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from pimains.shared.relays.plan.day_time import QuietHours
from pimains.shared.relays.plan.modes import AUTO, OFF
from pimains.shared.relays.plan.relay import Limits
from tests.relays.boards import UNSEEN, World
from tests.relays.watched import BERLIN, DAY, GROUPS, WatchedWorld

HOUR = 3600.0
SPRING = datetime(2027, 3, 28, tzinfo=BERLIN).timestamp()
AUTUMN = datetime(2026, 10, 25, tzinfo=BERLIN).timestamp()
RELAYS = {
    "boiler": Limits(min_on=1200, min_off=600, max_on_per_day=4 * HOUR, group="heaters", priority=9, watts=2000),
    "pool": Limits(min_on=300, min_off=60, max_switches_per_day=3, group="heaters", priority=1, watts=900, on_lost="keep"),
    "dryer": Limits(min_on=2 * HOUR, quiet_hours=QuietHours(22 * 60, 6 * 60), at_start="off", watts=2500, priority=5),
    "pump": Limits(max_on_per_day=HOUR, max_switches_per_day=8, forced_for=HOUR, on_lost="on", watts=300),
    "fridge": Limits(min_off=300, on_halt="keep", watts=100, priority=20),
}
MODES = ["off", "auto", "on", "on for 2h", "off for 30min", "on until 18:00", "off until 02:30", "0", "1", "2", "3"]
NUMBERS = st.sampled_from(sorted(RELAYS))
A_WHILE = st.one_of(st.floats(0, 90), st.floats(0, 4 * HOUR), st.floats(0, 9 * DAY))


class Year(RuleBasedStateMachine):
    """What may happen in a house."""

    def __init__(self) -> None:
        super().__init__()
        self.world = WatchedWorld(RELAYS)

    @rule(seconds=A_WHILE)
    def time_passes(self, seconds: float) -> None:
        self.world.pass_seconds(seconds)

    @rule(number=NUMBERS, is_on=st.booleans())
    def a_rule_wishes(self, number: str, is_on: bool) -> None:
        self.world.wish(number, is_on)

    @rule(number=NUMBERS, hours=st.integers(1, 30), is_on=st.booleans())
    def a_rule_keeps_wishing(self, number: str, hours: int, is_on: bool) -> None:
        for _ in range(hours * 7):
            self.world.wish(number, is_on)
            self.world.pass_seconds(HOUR / 7)

    @rule(number=NUMBERS, text=st.sampled_from(MODES))
    def a_person_clicks(self, number: str, text: str) -> None:
        self.world.say(number, text)
        if text in ("off", "0", "off for 30min"):
            assert not self.world.is_on(number)

    @rule()
    def the_service_restarts(self) -> None:
        before = [self.world.is_on(number) for number in RELAYS]
        self.world.restart()
        assert [self.world.is_on(number) for number in RELAYS] == before

    @rule(unwritten=st.floats(0, UNSEEN), off=st.floats(0, 20 * HOUR))
    def the_power_goes(self, unwritten: float, off: float) -> None:
        self.world.power_cut(unwritten, off)

    @rule()
    def it_halts(self) -> None:
        self.world.halt()
        assert not any(self.world.is_on(number) for number in RELAYS if number != "fridge")

    @rule()
    def the_halt_is_called_off(self) -> None:
        self.world.halt("")

    @rule(wall=st.one_of(st.floats(SPRING - DAY, SPRING + DAY), st.floats(AUTUMN - DAY, AUTUMN + DAY), st.floats(1.79e9, 1.83e9)))
    def the_clock_is_set(self, wall: float) -> None:
        self.world.set_clock(wall)

    @invariant()
    def what_is_shown_comes_from_the_decision(self) -> None:
        for number, verdict in self.world.last.verdicts.items():
            assert verdict.is_on == self.world.is_on(number)
            assert verdict.reason
        assert sorted(self.world.last.verdicts) == sorted(RELAYS)
        assert self.world.last.look_at > self.world.time

    @invariant()
    def nobody_is_on_who_is_forced_off(self) -> None:
        assert not any(relay.is_on and relay.mode.word == OFF for relay in self.world.board.relays.values())

    @invariant()
    def a_rule_keeps_nothing_on_beyond_max_on_per_day(self) -> None:
        for number, relay in self.world.board.relays.items():
            most, least = relay.limits.max_on_per_day, relay.limits.min_on
            if most is not None and relay.is_on and relay.mode.word == AUTO and self.world.true - self.world.spans[number][-1][0] > least:
                assert self.world.seconds_on(number) <= most + 1e-2


@pytest.mark.long
def test_no_guard_is_broken_in_a_year() -> None:
    checks = settings(max_examples=25, stateful_step_count=100, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Year, settings=checks)  # type: ignore[no-untyped-call]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), A_WHILE),
        st.tuples(st.just("wish"), NUMBERS, st.booleans()),
        st.tuples(st.just("say"), NUMBERS, st.sampled_from([mode for mode in MODES if "until" not in mode])),
        st.tuples(st.just("restart")),
        st.tuples(st.just("reboot"), st.floats(0, UNSEEN)),
        st.tuples(st.just("halt")),
        st.tuples(st.just("stay")),
    ),
    max_size=60,
)
JUMPS = st.lists(st.sampled_from([HOUR, -HOUR, SPRING, AUTUMN, 0.0]), min_size=60, max_size=60)


def traced(steps: list[tuple[object, ...]], jumps: list[float] | None) -> list[tuple[float, str, bool]]:
    """What was switched; before each step the clock jumps by an hour, or is set to a day on which summer time begins or ends."""
    limits = {number: each._replace(quiet_hours=None) for number, each in RELAYS.items()}
    world = World(GROUPS, zone=BERLIN, **limits)
    for step, jump in zip(steps, jumps or [0.0] * len(steps), strict=False):
        if jump:
            world.set_clock(jump if abs(jump) > HOUR else world.time + (world.ahead or 1.79e9) + jump)
        what, *words = step
        if what == "pass":
            world.pass_seconds(float(words[0]))  # type: ignore[arg-type]
        elif what == "wish":
            world.wish(str(words[0]), bool(words[1]))
        elif what == "say":
            world.say(str(words[0]), str(words[1]))
        elif what == "restart":
            world.restart()
        elif what == "reboot":
            world.reboot()
        else:
            world.halt("this machine halts" if what == "halt" else "")
    return world.trace


@given(STEPS, JUMPS)
@settings(max_examples=150, deadline=None)
def test_the_same_is_switched_whatever_the_clock_does(steps: list[tuple[object, ...]], jumps: list[float]) -> None:
    assert traced(steps, jumps) == traced(steps, None)
