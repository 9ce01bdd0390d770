"""The wires through gpiozero and whichever pin factory works here.

Its outputs are no open drains: DIO is an output while it is low, and an input, pulled up, while it is high.
"""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pimains.core.failure import in_words
from pimains.panel.tm1638 import DIO
from pimains.shared.gpio import gpiozero_factory
from pimains.shared.gpio.pin import GpioError


class FactoryWires:
    """GPIO numbers (BCM), all high in the beginning. Raises GpioError."""

    def __init__(self, dio: int, clk: int, stbs: Sequence[int], scratch: Path) -> None:
        factory = gpiozero_factory.factory(scratch)
        self.factory = f"pin factory {type(factory).__name__.removesuffix('Factory')}"
        self._pins: list[Any] = []
        for number in (dio, clk, *stbs):
            try:
                pin = factory.pin(number)
                self._pins.append(pin)
                if number == dio:
                    pin.input_with_pull("up")
                else:
                    pin.output_with_state(1)
            except Exception as error:  # each factory has errors of its own
                self.close()
                raise gpiozero_factory.refused(number, error, "output") from None

    def prepared(self, steps: Sequence[tuple[int, int]]) -> Callable[[], list[bool]]:
        """As tm1638.Wires says."""
        dio, *others = self._pins

        def carry_out() -> list[bool]:
            seen = []
            try:
                for levels, which in steps:
                    if not which:
                        seen.append(bool(dio.state))
                    for place, pin in enumerate(others, 1):  # a clock falls before DIO changes
                        if which >> place & 1:
                            pin.state = levels >> place & 1
                    if which & levels & DIO:
                        dio.input_with_pull("up")
                    elif which & DIO:
                        dio.output_with_state(0)
            except Exception as error:  # each factory has errors of its own
                raise GpioError(f"{self.factory}: {in_words(error, gpiozero_factory.known_words('output'))}") from None
            return seen

        return carry_out

    def close(self) -> None:
        """Leave the pins as inputs."""
        for pin in self._pins:
            with contextlib.suppress(Exception):  # it may be gone, and each factory has errors of its own
                pin.close()
