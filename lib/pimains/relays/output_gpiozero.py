"""An output through gpiozero: its pin is an input again once the process ends, so no relay outlasts its service."""

import contextlib
from pathlib import Path

from pimains.core.failure import in_words
from pimains.shared.gpio import gpiozero_factory
from pimains.shared.gpio.pin import GpioError
from pimains.shared.relays.pin_name import PinName


class FactoryOutput:
    """The output `pin`, on or off from the beginning; what a LABEL:LINE is, the factory knows. Raises GpioError."""

    def __init__(self, pin: PinName, is_on: bool, active_low: bool, scratch: Path) -> None:
        self._number = str(pin)
        self._active_low = active_low
        factory = gpiozero_factory.factory(scratch)
        self.factory = f"GPIO {pin} by pin factory {type(factory).__name__.removesuffix('Factory')}"
        try:
            self._pin = factory.pin(str(pin) if pin.label else pin.line)
            self._pin.output_with_state(int(is_on != active_low))
        except Exception as error:  # each factory has errors of its own
            raise gpiozero_factory.refused(str(pin), error, "output") from None

    @property
    def is_on(self) -> bool:
        """Whether it is. Raises GpioError."""
        try:
            return bool(self._pin.state) != self._active_low
        except Exception as error:  # each factory has errors of its own
            raise self._gone(error) from None

    def set(self, is_on: bool) -> None:
        """Switch it. Raises GpioError."""
        try:
            self._pin.state = int(is_on != self._active_low)
        except Exception as error:  # each factory has errors of its own
            raise self._gone(error) from None

    def close(self) -> None:
        """Leave the pin as an input."""
        with contextlib.suppress(Exception):  # it may be gone, and each factory has errors of its own
            self._pin.close()

    def _gone(self, error: Exception) -> GpioError:
        return GpioError(f"GPIO {self._number} is gone: {in_words(error, gpiozero_factory.known_words('output'))}")
