"""How much flowed in which time: nothing is invented, nothing is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pimains.shared.readings.plan.energy import Meter
from pimains.shared.readings.plan.flow_steps import Counted, Reached, Step, Steps, spread_seconds

METER = Meter("house", "kWh", 1000, None)


def drawn(readings: list[tuple[float, int, bool]], reached: Reached | None = None) -> list[Step]:
    return list(Steps(METER, reached).of([Counted(*each) for each in readings]))


def test_pulses_are_spread_evenly_since_the_pulse_before() -> None:
    assert drawn([(0, 5, False), (5, 5, False), (10, 6, False), (15, 6, False), (30, 8, False)]) == [(10, 360), (30, 360)]


def test_a_load_that_was_off_all_night_is_drawn_as_off_and_without_waiting_for_the_morning() -> None:
    night = [(5.0 * n, 7, False) for n in range(6000)]
    assert spread_seconds(METER) == 720
    last = drawn([(-5, 6, False), *night])[-1]
    assert last.flow == 0
    assert last.end >= 29_995 - 2 * 720
    assert drawn([(-5, 6, False), *night, (30_000, 8, False)])[-2:] == [(30_000 - 720, 0), (30_000, pytest.approx(5))]


def test_nobody_knows_what_was_in_a_gap() -> None:
    assert drawn([(0, 5, False), (5, 6, False), (10, 6, False), (5000, 9, True), (5005, 10, False)]) == [
        (5, 720),
        (10, 0),
        (5000, None),
        (5005, 720),
    ]


def test_a_meter_that_was_replaced_and_counts_from_0_again_draws_no_power_backwards() -> None:
    assert drawn([(0, 500, False), (5, 0, False), (10, 1, False)]) == [(5, None), (10, 720)]


READINGS = st.lists(st.tuples(st.integers(1, 2000), st.integers(0, 5)), min_size=2, max_size=80)


@given(READINGS, st.integers(0, 80))
def test_the_sum_of_all_steps_is_what_was_counted_wherever_one_stopped_and_went_on(changes: list[tuple[int, int]], cut: int) -> None:
    readings, time, pulses = [], 0, 0
    for seconds, more in changes:
        time, pulses = time + seconds, pulses + more
        readings.append(Counted(float(time), pulses, False))
    first, second = readings[: cut + 1], readings[cut:]
    steps = Steps(METER, None)
    found = list(steps.of(first))
    go_on = Steps(METER, steps.reached)
    found += go_on.of(second)
    assert found == drawn(readings)
    assert [step.end for step in found] == sorted({step.end for step in found})
    at, amount = readings[0].time, 0.0
    for step in found:
        assert step.flow is not None
        amount += step.flow * (step.end - at) / 3600
        at = step.end
    assert amount == pytest.approx(go_on.reached.pulses - readings[0].pulses if go_on.reached else 0)
    assert go_on.reached is not None
    assert go_on.reached.pulses == readings[-1].pulses
