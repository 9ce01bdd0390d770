"""A plug that hears nothing of its machine cuts the power: whatever the halt has to do before, it is done by then."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pimains.core.plan.budget import ENDING_SECONDS, budget, percentile_95
from pimains.halt import step_files
from pimains.halt.plan.short_time import LEAST_SECONDS, granted, longest, patience
from pimains.plug.plan.dead_man import halt_after_seconds, must_halt, seconds_for, seconds_for_an_upgrade
from pimains.shared.plan.cuts import UNHEARD_SECONDS, is_unheard, seconds_left
from tests.kit import TOP


def default(service: str, name: str) -> float:
    return float((TOP / "services" / service / "variables" / name).read_text().split()[0])


class Machine:
    """One with steps that took these times before; the first is the one that waits for an upgrade, and is never measured."""

    def __init__(self, wanted: float, countdown: float, took: list[list[float]], step_max: float, grace: float = 0) -> None:
        self.countdown = countdown
        self.grace = grace
        self.budgets = [budget(each, step_max) for each in took]
        known = [max(LEAST_SECONDS, percentile_95(each) if each else 0) for each in ([], *took)]
        self.measured = longest(known) + countdown
        self.longest = grace + longest(self.budgets) + countdown
        self.dead_man = seconds_for(wanted, self.measured)
        self.halt_after = halt_after_seconds(self.dead_man, self.measured, self.longest)

    def left(self, now: float) -> float:
        return seconds_left(self.dead_man, self.countdown, now)

    def upgrade_given_up(self, asked_at: float, upgrade_max: float) -> float:
        """When an upgrade that never ends is waited for no longer."""
        now = asked_at + patience(self.grace, self.budgets, self.left(asked_at))
        return now + max(LEAST_SECONDS, patience(upgrade_max, self.budgets, self.left(now) - ENDING_SECONDS))

    def command_started(self, asked_at: float, upgrade_max: float) -> float:
        """When HALT_COMMAND is, if an upgrade never ends and every step has to be ended."""
        now = self.upgrade_given_up(asked_at, upgrade_max) + ENDING_SECONDS
        for index in range(len(self.budgets)):
            now += granted(self.budgets[index:], self.left(now)) + ENDING_SECONDS
        return now


seconds = st.floats(0.1, 3600)
machines = st.builds(
    Machine,
    wanted=st.floats(60, 86400),
    countdown=st.floats(5, 3600),
    took=st.lists(st.lists(st.floats(0.01, 600), max_size=25), min_size=1, max_size=9),
    step_max=st.floats(1, 3600),
    grace=st.just(0) | st.floats(0, 3600),
)


def as_shipped(took: list[list[float]]) -> Machine:
    countdown, step_max = default("plug", "SHUTDOWN_SECONDS_MAX"), default("halt", "STEP_SECONDS_MAX")
    return Machine(default("plug", "DEAD_MAN_SECONDS"), countdown, took, step_max, default("halt", "HALT_GRACE_SECONDS"))


SHIPPED_STEPS = [step for step in step_files.steps() if step.name != "05-update"]
FRESH = as_shipped([[] for _ in SHIPPED_STEPS])


@given(machines, st.floats(1, 3600), st.floats(0, 1))
@example(FRESH, 600, 1)
def test_the_power_is_never_cut_while_an_upgrade_or_a_step_keeps_the_machine_up(machine: Machine, upgrade_max: float, when: float) -> None:
    """Whoever asks, at any time until the machine asks itself, with an upgrade that never ends and steps that all hang."""
    asked_at = when * machine.halt_after
    assert machine.command_started(asked_at, upgrade_max) <= machine.dead_man - machine.countdown + 1e-6


@given(machines, st.floats(1, 3600), st.floats(0, 1), st.floats(0, UNHEARD_SECONDS))
def test_an_upgrade_begun_while_the_plug_heard_gets_its_time_where_the_settings_leave_it(
    machine: Machine, upgrade_max: float, when: float, began_at: float
) -> None:
    if seconds_for_an_upgrade(machine.dead_man, machine.longest) < upgrade_max:
        return  # then the plug service says so
    asked_at = began_at + when * max(0, machine.halt_after - began_at)
    assert machine.upgrade_given_up(asked_at, upgrade_max) >= began_at + upgrade_max - 1e-6


def test_the_settings_as_they_come_leave_every_upgrade_its_time_on_a_machine_that_was_never_halted() -> None:
    assert default("plug", "DEAD_MAN_SECONDS") == FRESH.dead_man
    assert seconds_for_an_upgrade(FRESH.dead_man, FRESH.longest) >= default("halt", "UPGRADE_SECONDS_MAX")


def test_the_settings_as_they_come_leave_a_machine_that_was_halted_ten_times_nearly_80_percent() -> None:
    assert FRESH.dead_man / 2 <= FRESH.halt_after < 0.8 * FRESH.dead_man
    measured = as_shipped([[2.0] * 10 for _ in SHIPPED_STEPS])
    assert 0.78 * measured.dead_man <= measured.halt_after <= 0.8 * measured.dead_man


@given(machines)
def test_the_halt_always_fits_in_before_the_cut(machine: Machine) -> None:
    assert 0 < machine.halt_after <= 0.8 * machine.dead_man
    assert machine.halt_after + machine.measured <= machine.dead_man + 1e-6


def test_no_dead_man_switch_waits_longer_than_a_day() -> None:
    assert seconds_for(86400, 80_000) == 86400


def test_a_machine_halts_before_its_plug_would_cut_it_and_not_when_it_did_not() -> None:
    assert not must_halt(600, 480, 479)
    assert must_halt(600, 480, 480)
    assert not must_halt(600, 480, 600)


def test_time_is_only_short_until_the_plug_would_have_cut() -> None:
    assert seconds_left(600, 120, 20) == 460
    assert seconds_left(600, 120, 599) == -119
    assert seconds_left(600, 120, 600) == math.inf


def test_a_machine_that_three_heartbeats_did_not_bring_through_is_unheard_until_it_was_not_cut() -> None:
    assert [silent for silent in (0, 59, 60, 599, 600) if is_unheard(600, silent)] == [60, 599]


def test_each_step_gets_its_budget_where_there_is_time_else_the_least_and_its_share() -> None:
    assert granted([10, 20, 30], 60 + 3 * ENDING_SECONDS) == 10
    assert granted([11, 21, 31], 3 * (LEAST_SECONDS + ENDING_SECONDS) + 30) == pytest.approx(1 + 10 / 2)
    assert granted([10, 20, 30], 0) == LEAST_SECONDS
    assert granted([1, 1], -100) == LEAST_SECONDS
    assert granted([120], math.inf) == 120


def test_waiting_ends_where_the_steps_have_to_begin() -> None:
    assert patience(600, [10, 20], math.inf) == 600
    assert patience(600, [10, 20], 100) == 100 - 30 - 2 * ENDING_SECONDS
    assert patience(600, [10, 20], 10) == 0


@given(st.lists(seconds, min_size=1, max_size=9), st.floats(-100, 10_000))
def test_no_step_gets_more_than_its_budget_or_less_than_the_least(budgets: list[float], left: float) -> None:
    assert min(LEAST_SECONDS, budgets[0]) <= granted(budgets, left) <= max(LEAST_SECONDS, budgets[0])
