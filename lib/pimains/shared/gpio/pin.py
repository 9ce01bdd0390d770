"""What a GPIO pin is to those who listen to it and to those who switch it, whoever hands it over."""

from collections.abc import Callable
from typing import Protocol

from pimains.core.clock import Clock
from pimains.core.errors import PimainsError

_CLOSE_SECONDS = 0.0005
_LOOKS = 5

Changed = Callable[[float, bool], None]


class GpioError(PimainsError):
    """No pin can be had: a library is missing, or the right to use it, or the pin; `setting` names the file to edit, if one helps.

    Where there are several pins `number` is the one that it is about.
    """

    def __init__(self, text: str, setting: str = "", number: int | None = None) -> None:
        super().__init__(text)
        self.setting = setting
        self.number = number


class Pin(Protocol):
    """An input whose edges are told to a `Changed` by a thread: the edge's time by the clock of the service, and whether it is high."""

    factory: str
    missed: int  # edges that are known to be lost

    @property
    def is_high(self) -> bool:
        """The level now. Raises GpioError when the pin is gone."""

    def listen(self) -> None:
        """From now on every edge is told."""

    def close(self) -> None:
        """Leave the pin as an input."""


class Output(Protocol):
    """An output that is on or off, whichever level that is."""

    factory: str

    @property
    def is_on(self) -> bool:
        """Whether it is. Raises GpioError when the pin is gone."""

    def set(self, is_on: bool) -> None:
        """Switch it. Raises GpioError when the pin is gone."""

    def close(self) -> None:
        """Let go of it."""


def ahead(clock: Clock, other: Callable[[], float]) -> float:
    """How many seconds `clock` is ahead of another.

    A thread may be held up between a look at the one and at the other, by tens of milliseconds: then it looks again.
    """
    best = (float("inf"), 0.0)
    for _ in range(_LOOKS):
        before = clock.monotonic()
        there = other()
        apart = clock.real_seconds(clock.monotonic() - before)
        best = min(best, (apart, before - there))
        if apart < _CLOSE_SECONDS:
            break
    return best[1]
