"""Pulses at a pin of gpiozero's mock factory: devices/pulse_counter.py."""

from collections.abc import Iterator
from pathlib import Path

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory

from pimains.core.clock import FakeClock
from pimains.devices.pulse_counter import PulseCounter
from pimains.devices.tally import Tally


@pytest.fixture
def pin() -> Iterator[MockFactory]:
    """What GPIO 24 is at."""
    factory = MockFactory()
    gpiozero.Device.pin_factory = factory
    yield factory
    gpiozero.Device.pin_factory = None


def begun(tally: Tally, directory: Path) -> int:
    """The count after a start, with the pin as it is."""
    clock = FakeClock()
    counter = PulseCounter(24, "none", closed_is_high=False, bounce=0.02, tally=tally, clock=clock, scratch=directory)
    clock.advance(5)
    counter.settle()
    return tally.pulses


@pytest.mark.parametrize(
    ("left_closed", "is_closed", "pulses"), [(None, True, 0), (None, False, 0), (True, True, 0), (True, False, 0), (False, True, 1)]
)
def test_a_contact_that_closed_while_nobody_looked_has_begun_one_pulse(
    tmp_path: Path, pin: MockFactory, left_closed: bool | None, is_closed: bool, pulses: int
) -> None:
    tally = Tally(tmp_path / "live", tmp_path / "saved", "0" * 36)
    if left_closed is not None:
        tally.contact(left_closed, False)
        tally = Tally(tmp_path / "live", tmp_path / "saved", "0" * 36)
    gpio24 = pin.pin(24)
    gpio24.function = "input"
    gpio24.pull = "floating"
    if is_closed:
        gpio24.drive_low()
    else:
        gpio24.drive_high()
    assert begun(tally, tmp_path) == pulses
