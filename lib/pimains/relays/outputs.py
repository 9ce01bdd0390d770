"""Whoever hands over the outputs here.

The kernel itself, whose lines a keeper holds over restarts of the service. gpiozero where GPIOZERO_PIN_FACTORY names one of its pin
factories, and where the kernel knows of no header: these outputs end with the service.
"""

from pathlib import Path

from pimains.shared.gpio import gpiozero_factory, pin_line
from pimains.shared.gpio.pin import GpioError, Output
from pimains.shared.relays.pin_name import PinName


def take(pin: PinName, is_on: bool, active_low: bool, consumer: str, scratch: Path) -> Output:
    """The pin as an output that is on, or off, from the beginning; others see it as `consumer`'s. Raises GpioError."""
    if pin.label and not gpiozero_factory.is_named():
        chip = pin_line.labelled((pin.label,))
        if chip is None:
            raise GpioError(f"there is no GPIO chip with the label {pin.label} (gpiodetect lists them)", "PIN")
        return pin_line.LineOutput.take(chip, pin.line, is_on, active_low, consumer)
    chip = None if gpiozero_factory.is_named() else pin_line.header()
    if chip:
        return pin_line.LineOutput.take(chip, pin.line, is_on, active_low, consumer)
    from pimains.relays.output_gpiozero import FactoryOutput  # gpiozero costs 16 MB

    return gpiozero_factory.in_place_of_a_header(lambda: FactoryOutput(pin, is_on, active_low, scratch))
