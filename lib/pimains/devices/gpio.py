"""A contact at a GPIO pin, through gpiozero and whichever pin factory works here (GPIOZERO_PIN_FACTORY names another).

Raises GpioError.
"""

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pimains.core.clock import Clock
from pimains.core.errors import PimainsError

_OLDEST_SECONDS = 1.0


class GpioError(PimainsError):
    """No pin can be had: a library is missing, or the right to use it, or the pin."""


class Contact:
    """The input `pin` (BCM number), pulled "up", "down" or "none"; `changed` gets each edge's time and whether the level is high.

    The time is the kernel's own stamp where the factory hands it over, on the scale of `clock.monotonic`. `changed` is called by a
    thread of gpiozero's. `factory` is the name of the pin factory.
    """

    def __init__(self, pin: int, pull: str, clock: Clock, changed: Callable[[float, bool], None], scratch: Path) -> None:
        os.environ.setdefault("LG_WD", str(scratch))  # lgpio makes a FIFO where it stands, which may be written by root only
        self._clock = clock
        self._changed = changed
        self._factory = _factory()
        self.factory = type(self._factory).__name__.removesuffix("Factory")
        try:
            self._pin = self._factory.pin(pin)
            self._pin.function = "input"
            self._pin.pull = "floating" if pull == "none" else pull
            self._pin.bounce = None
            self._pin.edges = "both"
        except Exception as error:  # each factory has errors of its own
            raise GpioError(f"GPIO {pin}: {error} (pin factory {self.factory})") from None

    @property
    def is_high(self) -> bool:
        """The level now."""
        return bool(self._pin.state)

    def listen(self) -> None:
        """From now on every edge is told."""
        self._pin.when_changed = self._edge

    def close(self) -> None:
        """Leave the pin as an input."""
        self._pin.when_changed = None
        self._pin.close()
        self._factory.close()

    def _edge(self, ticks: float, level: int) -> None:
        age = self._factory.ticks_diff(self._factory.ticks(), ticks)
        if not 0 <= age < _OLDEST_SECONDS:  # a stamp by some other clock
            age = 0.0
        self._changed(self._clock.monotonic() - age, bool(level))


def _factory() -> Any:
    try:
        import gpiozero
    except ModuleNotFoundError:
        raise GpioError("gpiozero is missing: apt install python3-gpiozero python3-lgpio") from None
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            # gpiozero 2 has ensure_pin_factory for it, which Debian's 1.6 has not
            return gpiozero.Device.pin_factory or gpiozero.Device._default_pin_factory()
        except Exception as error:  # anything that a factory meets
            chosen = os.environ.get("GPIOZERO_PIN_FACTORY")
            tried = "; ".join(str(each.message).removeprefix("Falling back from ") for each in told)
            why = f"GPIOZERO_PIN_FACTORY {chosen}: {error}" if chosen else tried or str(error)
            raise GpioError(f"no pin factory of gpiozero works here (apt install python3-lgpio, or python3-rpi.gpio): {why}") from None
