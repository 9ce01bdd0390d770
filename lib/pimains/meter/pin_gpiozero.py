"""A pin through gpiozero and whichever pin factory works here; GPIOZERO_PIN_FACTORY names another."""

import contextlib
import os
import warnings
from pathlib import Path
from typing import Any

from pimains.core.clock import Clock
from pimains.core.failure import in_words, with_own_text
from pimains.core.plan.text import one_line
from pimains.meter.pin import Changed, GpioError, ahead

_OLDEST_SECONDS = 600.0
_NONE = "no pin factory works (apt install python3-lgpio)"
_WORDS = {
    "PinInvalidPin": "there is no such pin here",
    "PinInvalidPull": "it cannot be pulled that way: look at PULL",
    "PinFixedPull": "it cannot be pulled that way: look at PULL",
    "PinInvalidFunction": "it cannot be an input",
    "PinFixedFunction": "it cannot be an input",
    "PinEdgeDetectUnsupported": "it cannot tell of its edges",
    "PinMultiplePins": "there are several of that name",
    "PinNoPins": "there is no such pin here",
    "PinUnsupported": "this kind of pin is not known here",
    "PinUnknownPi": "this kind of Raspberry Pi is not known here",
    "GPIOPinInUse": "it is in use already",
    "GPIOZeroError": "it cannot be used as an input",
    "error": "it is in use already, or not there",  # lgpio.error and pigpio.error
}


class FactoryPin:
    """The input `number` (BCM), pulled "up", "down" or "none"; the time of an edge is the kernel's where the factory hands it over."""

    def __init__(self, number: int, pull: str, clock: Clock, changed: Changed, scratch: Path) -> None:
        os.environ.setdefault("LG_WD", str(scratch))  # lgpio makes a FIFO where it stands, which may be written by root only
        self.missed = 0
        self._number = number
        self._clock = clock
        self._changed = changed
        self._factory = _factory()
        self.factory = f"pin factory {type(self._factory).__name__.removesuffix('Factory')}"
        try:
            self._pin = self._factory.pin(number)
            self._pin.function = "input"
            self._pin.pull = "floating" if pull == "none" else pull
            self._pin.bounce = None
            self._pin.edges = "both"
        except Exception as error:  # each factory has errors of its own
            raise refused(number, error) from None

    @property
    def is_high(self) -> bool:
        """The level now. Raises GpioError."""
        try:
            return bool(self._pin.state)
        except Exception as error:  # each factory has errors of its own
            raise GpioError(f"GPIO {self._number} is gone: {in_words(error, _WORDS)}") from None

    def listen(self) -> None:
        """From now on every edge is told, by a thread of gpiozero's."""
        self._pin.when_changed = self._edge

    def close(self) -> None:
        """Leave the pin as an input."""
        with contextlib.suppress(Exception):  # it may be gone, and each factory has errors of its own
            self._pin.when_changed = None
            self._pin.close()
            self._factory.close()

    def _edge(self, ticks: float, level: int) -> None:
        at = ahead(self._clock, lambda: self._factory.ticks_diff(self._factory.ticks(), ticks))
        now = self._clock.monotonic()
        self._changed(at if now - _OLDEST_SECONDS < at <= now else now, bool(level))  # else: a stamp by some other clock


def refused(number: int, error: Exception) -> GpioError:
    """What a pin factory has against an input, in words."""
    return GpioError(f"GPIO {number}: {in_words(error, _WORDS)}", "PIN")


def _factory() -> Any:
    try:
        import gpiozero
    except ModuleNotFoundError:
        raise GpioError("gpiozero is missing: apt install python3-gpiozero") from None
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            # gpiozero 2 has ensure_pin_factory for it, which Debian's 1.6 has not
            return gpiozero.Device.pin_factory or gpiozero.Device._default_pin_factory()
        except Exception as error:  # anything that a factory meets
            chosen = one_line(os.environ.get("GPIOZERO_PIN_FACTORY", ""), 20)
            tried = "; ".join(str(each.message).removeprefix("Falling back from ") for each in told)
            which = f"pin factory {chosen} does not work (apt install python3-lgpio, or empty GPIOZERO_PIN_FACTORY)" if chosen else _NONE
            raise GpioError(with_own_text(which, tried or str(error))) from None
