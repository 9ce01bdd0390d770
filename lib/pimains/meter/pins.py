"""Whoever hands over the edges of a pin here.

The kernel itself, at a Raspberry Pi's header: nothing has to be installed for it, nothing is lost while we are held up.
gpiozero where GPIOZERO_PIN_FACTORY names one of its pin factories, and where the kernel knows of no header.
"""

from pathlib import Path

from pimains.core.clock import Clock
from pimains.shared.gpio import gpiozero_factory, pin_line
from pimains.shared.gpio.pin import Changed, Pin


def take(number: int, pull: str, clock: Clock, changed: Changed, scratch: Path) -> Pin:
    """The input `number` (BCM), pulled "up", "down" or "none"; `changed` is called by a thread. Raises GpioError."""
    chip = None if gpiozero_factory.is_named() else pin_line.header()
    if chip:
        return pin_line.LinePin(chip, number, pull, clock, changed)
    from pimains.meter.pin_gpiozero import FactoryPin  # gpiozero costs 16 MB

    return gpiozero_factory.in_place_of_a_header(lambda: FactoryPin(number, pull, clock, changed, scratch))
