"""Which edges are pulses, and what flows: meter/plan.py and shared/plan/boot_time.py."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pimains.meter.plan import Contact, Flow, FlowMeter
from pimains.shared.plan import boot_time
from pimains.shared.plan.delivery import Boot


def pulses(contact: Contact, edges: list[tuple[float, bool]]) -> int:
    return sum(contact.edge(at, is_closed) for at, is_closed in edges)


@given(st.integers(0, 40), st.integers(0, 2**32))
def test_s0_pulses_at_their_quickest_with_2_ms_of_bounces_are_counted_exactly(times: int, seed: int) -> None:
    luck = random.Random(seed)
    edges = []
    for number in range(times):
        for begin, level in ((number * 0.0625, True), (number * 0.0625 + 0.030, False)):
            bounces = sorted(luck.uniform(0, 0.002) for _ in range(2 * luck.randrange(5)))
            edges += [(begin, level), *((begin + at, level ^ (index % 2 == 0)) for index, at in enumerate(bounces))]
    contact = Contact(0.020, is_closed=False)
    found = pulses(contact, edges) + contact.settle(1e6)
    assert found == times
    assert contact.too_short == 0


def test_a_closing_that_does_not_last_is_no_pulse() -> None:
    contact = Contact(0.020, is_closed=False)
    assert pulses(contact, [(1.0, True), (1.019, False), (2.0, True), (2.021, False)]) == 1
    assert contact.ignored == 1


def test_a_contact_that_stays_closed_is_one_pulse_and_begins_when_it_closed() -> None:
    contact = Contact(0.020, is_closed=False)
    assert not contact.edge(5.0, True)
    assert not contact.settle(5.01)
    assert contact.settle(9.0)
    assert not contact.settle(10.0)
    assert contact.pulse_at == 5.0


def test_a_contact_that_is_closed_at_the_start_is_no_pulse() -> None:
    contact = Contact(0.020, is_closed=True)
    assert pulses(contact, [(1.0, False), (2.0, True)]) == 0
    assert contact.settle(3.0)


def test_pulses_shorter_than_s0_allows_are_counted_and_noticed() -> None:
    contact = Contact(0.001, is_closed=False)
    assert pulses(contact, [(1.0, True), (1.010, False), (2.0, True), (2.030, False), (3.0, True)]) == 2
    assert contact.too_short == 1


def test_without_a_bounce_time_every_closing_counts_at_once() -> None:
    contact = Contact(0, is_closed=False)
    assert [contact.edge(at, at % 2 == 1) for at in range(1, 6)] == [True, False, True, False, True]


def test_watts_are_measured_between_pulses() -> None:
    flow = FlowMeter(1000, 0.0, 0, None, None)
    assert flow.look(5, 1, 2.0) is None
    assert flow.look(8, 2, 5.6) == Flow(pytest.approx(1.0), is_bound=False)  # 3.6 s a pulse at 1000 a kWh: 1 kW
    assert flow.look(15, 4, 12.8) == Flow(pytest.approx(1.0), is_bound=False)


@pytest.mark.parametrize(("seconds", "watts"), [(100, 36), (600, 6), (3600, 1), (36000, 0.1)])
def test_when_the_load_stops_the_power_falls_and_is_called_a_bound(seconds: float, watts: float) -> None:
    flow = FlowMeter(1000, 0.0, 0, None, None)
    flow.look(5, 1, 1.0)
    flow.look(10, 2, 4.6)
    found = flow.look(4.6 + seconds, 2, 4.6)
    assert found is not None
    assert found.is_bound
    assert found.per_hour * 1000 <= watts * (1 + 1e-9)


def test_what_is_not_known_is_not_shown() -> None:
    flow = FlowMeter(1000, 100.0, 7, None, None)
    assert flow.look(150, 7, None) is None
    assert flow.look(200, 7, None) == Flow(pytest.approx(0.036), is_bound=True)


def test_a_restart_makes_no_spike() -> None:
    before = FlowMeter(1000, 0.0, 0, None, None)
    before.look(5, 1, 1.0)
    assert before.look(5, 2, 4.6) == Flow(pytest.approx(1.0), is_bound=False)
    after = FlowMeter(1000, 12.0, 2, 4.6, before.per_hour)
    assert after.look(12.0, 2, 4.6) == Flow(pytest.approx(1.0), is_bound=False)
    assert after.look(15, 3, 11.8) == Flow(pytest.approx(1.0), is_bound=False)


@pytest.mark.parametrize("stopped_seconds", [2, 5, 20, 50])
def test_steady_watts_are_shown_as_they_are_after_a_time_in_which_nobody_counted(stopped_seconds: int) -> None:
    """2000 W at 1000 pulses per kWh: a pulse each 1.8 s, also while the service was stopped."""
    before = FlowMeter(1000, 0.0, 0, None, None)
    for number in range(1, 11):
        before.look(number * 1.8, number, number * 1.8)
    started = 18.0 + stopped_seconds
    after = FlowMeter(1000, started, 10, 18.0, before.per_hour)
    for number in range(1, 20):
        at = started + 0.7 + number * 1.8
        assert after.look(at, 10 + number, at) == Flow(pytest.approx(2.0), is_bound=False)


def test_what_was_measured_more_than_a_minute_ago_is_not_known_after_a_restart() -> None:
    after = FlowMeter(1000, 100.0, 10, 39.0, 2.0)
    assert after.look(100.0, 10, 39.0) is None
    assert after.look(101.0, 11, 101.0) is None
    assert after.look(104.6, 12, 104.6) == Flow(pytest.approx(1.0), is_bound=False)


@given(st.lists(st.tuples(st.floats(0.06, 1000), st.floats(0, 1000)), max_size=30))
def test_the_power_is_never_more_than_the_quickest_pulses_say(steps: list[tuple[float, float]]) -> None:
    """Each step is a pulse after some seconds, and a look at it after some more."""
    flow = FlowMeter(1000, 0.0, 0, None, None)
    now = pulse_at = 0.0
    for number, (gap, later) in enumerate(steps, 1):
        now = pulse_at = now + gap
        flow.look(now, number, pulse_at)
        now += later
        found = flow.look(now, number, pulse_at)
        if found and now > pulse_at:
            quickest = min(gap for gap, _ in steps)
            assert found.per_hour <= 3.6 / min(quickest, 60) * (1 + 1e-6)


def test_a_clock_that_was_never_set_dates_nothing() -> None:
    assert boot_time.judged(Boot(None), 5.0, 5.0, synchronised=False) == Boot(None)
    assert boot_time.judged(Boot(1.8e9), 5.0, 500.0, synchronised=False) == Boot(1.8e9)


def test_a_clock_that_is_set_dates_the_boot_and_one_that_is_wrong_is_put_right() -> None:
    guessed = boot_time.judged(Boot(None), 1.8e9, 100.0, synchronised=False)
    assert guessed == Boot(1.8e9 - 100)
    right = boot_time.judged(guessed, 1.8e9 + 3700, 200.0, synchronised=True)
    assert right == Boot(1.8e9 + 3500, synchronised=True)
    assert boot_time.judged(right, 1.9e9, 300.0, synchronised=False) == right


@pytest.mark.parametrize("synchronised", [False, True])
@pytest.mark.parametrize("hour", [3600, -3600])
def test_a_clock_that_is_put_right_by_an_hour_moves_the_boot(hour: float, synchronised: bool) -> None:
    before = Boot(1.8e9, synchronised)
    assert boot_time.judged(before, 1.8e9 + 100 + hour, 100.0, synchronised) == Boot(1.8e9 + hour, synchronised)


def test_what_passes_between_two_looks_is_no_other_time() -> None:
    boot = Boot(1.8e9, synchronised=True)
    assert boot_time.judged(boot, 1.8e9 + 100.3, 100.0, synchronised=True) == boot
