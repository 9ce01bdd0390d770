"""A pin through gpiozero and whichever pin factory works here; GPIOZERO_PIN_FACTORY names another."""

import contextlib
from pathlib import Path

from pimains.core.clock import Clock
from pimains.core.failure import in_words
from pimains.shared.gpio import gpiozero_factory
from pimains.shared.gpio.pin import Changed, GpioError, ahead

_OLDEST_SECONDS = 600.0


class FactoryPin:
    """The input `number` (BCM), pulled "up", "down" or "none"; the time of an edge is the kernel's where the factory hands it over."""

    def __init__(self, number: int, pull: str, clock: Clock, changed: Changed, scratch: Path) -> None:
        self.missed = 0
        self._number = number
        self._clock = clock
        self._changed = changed
        self._factory = gpiozero_factory.factory(scratch)
        self.factory = f"pin factory {type(self._factory).__name__.removesuffix('Factory')}"
        try:
            self._pin = self._factory.pin(number)
            self._pin.function = "input"
            self._pin.pull = "floating" if pull == "none" else pull
            self._pin.bounce = None
            self._pin.edges = "both"
        except Exception as error:  # each factory has errors of its own
            raise gpiozero_factory.refused(number, error) from None

    @property
    def is_high(self) -> bool:
        """The level now. Raises GpioError."""
        try:
            return bool(self._pin.state)
        except Exception as error:  # each factory has errors of its own
            raise GpioError(f"GPIO {self._number} is gone: {in_words(error, gpiozero_factory.known_words())}") from None

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
