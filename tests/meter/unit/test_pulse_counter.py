"""Pulses at a pin of gpiozero's mock factory: meter/pulse_counter.py."""

import time
from collections.abc import Iterator
from pathlib import Path

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory

from pimains.core.clock import FakeClock
from pimains.meter.pulse_count import PulseCount
from pimains.meter.pulse_counter import PulseCounter


@pytest.fixture
def pin(monkeypatch: pytest.MonkeyPatch) -> Iterator[MockFactory]:
    """What GPIO 24 is at."""
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
    factory = MockFactory()
    gpiozero.Device.pin_factory = factory
    yield factory
    gpiozero.Device.pin_factory = None


def begun(pulse_count: PulseCount, directory: Path) -> int:
    """The count after a start, with the pin as it is."""
    clock = FakeClock()
    counter = PulseCounter(24, "none", closed_is_high=False, bounce=0.02, count=pulse_count, clock=clock, scratch=directory)
    for _ in range(2):
        clock.advance(5)
        counter.settle()
    return pulse_count.pulses


@pytest.mark.parametrize(
    ("left_closed", "is_closed", "pulses"), [(None, True, 0), (None, False, 0), (True, True, 0), (True, False, 0), (False, True, 1)]
)
def test_a_contact_that_closed_while_nobody_looked_has_begun_one_pulse(
    tmp_path: Path, pin: MockFactory, left_closed: bool | None, is_closed: bool, pulses: int
) -> None:
    pulse_count = PulseCount(tmp_path / "live", tmp_path / "saved", "0" * 36)
    if left_closed is not None:
        pulse_count.contact(left_closed, False)
        pulse_count = PulseCount(tmp_path / "live", tmp_path / "saved", "0" * 36)
    gpio24 = pin.pin(24)
    gpio24.function = "input"
    gpio24.pull = "floating"
    if is_closed:
        gpio24.drive_low()
    else:
        gpio24.drive_high()
    assert begun(pulse_count, tmp_path) == pulses


@pytest.fixture
def counter(tmp_path: Path, pin: MockFactory) -> PulseCounter:
    """Of a contact that is open and has been looked at."""
    pulse_count = PulseCount(tmp_path / "live", tmp_path / "saved", "0" * 36)
    clock = FakeClock(monotonic=time.monotonic())
    counter = PulseCounter(24, "up", closed_is_high=False, bounce=0.02, count=pulse_count, clock=clock, scratch=tmp_path)
    counter.settle()
    return counter


def test_pulses_are_counted_that_are_told_seconds_late(counter: PulseCounter, pin: MockFactory) -> None:
    now = time.monotonic()
    for number in range(5):
        pin.pin(24)._call_when_changed(now - 8 + number, False)
        pin.pin(24)._call_when_changed(now - 8 + number + 0.03, True)
    assert counter._count.pulses == 5


def test_a_closing_is_not_sure_as_long_as_its_opening_may_be_on_its_way(counter: PulseCounter) -> None:
    clock = counter._clock
    assert isinstance(clock, FakeClock)
    began = clock.monotonic()
    counter._edge(began, False)
    clock.advance(10)  # the whole process was stopped
    counter.pin._pin._state = False
    counter.settle()
    assert counter._count.pulses == 0
    counter._edge(began + 0.005, True)
    assert counter._count.pulses == 0


def test_an_edge_that_was_lost_is_known_from_the_level_at_the_second_look(counter: PulseCounter) -> None:
    clock = counter._clock
    assert isinstance(clock, FakeClock)
    counter.pin._pin._state = False
    for looks, pulses in ((1, 0), (2, 0), (3, 0), (4, 1)):
        clock.advance(5)
        counter.settle()
        assert counter._count.pulses == pulses, looks
