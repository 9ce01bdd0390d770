"""Whoever hands over the edges of a pin here.

The kernel itself, at a Raspberry Pi's header: nothing has to be installed for it, nothing is lost while we are held up.
gpiozero where GPIOZERO_PIN_FACTORY names one of its pin factories, and where the kernel knows of no header.
"""

import os
from pathlib import Path

from pimains.core.clock import Clock
from pimains.shared.gpio import pin_line
from pimains.shared.gpio.pin import Changed, GpioError, Pin


def take(number: int, pull: str, clock: Clock, changed: Changed, scratch: Path) -> Pin:
    """The input `number` (BCM), pulled "up", "down" or "none"; `changed` is called by a thread. Raises GpioError."""
    chip = None if os.environ.get("GPIOZERO_PIN_FACTORY") else pin_line.header()
    if chip:
        return pin_line.LinePin(chip, number, pull, clock, changed)
    from pimains.meter.pin_gpiozero import FactoryPin  # gpiozero costs 16 MB

    try:
        return FactoryPin(number, pull, clock, changed, scratch)
    except GpioError as error:
        if os.environ.get("GPIOZERO_PIN_FACTORY"):
            raise
        raise GpioError(f"this machine has no GPIO of a Raspberry Pi, and {error}", error.setting) from None
