"""The outputs that relays hang at; the keeper holds the kernel's as well, so that no restart of the service moves them."""

import os
from pathlib import Path
from typing import NamedTuple

from pimains.relays import outputs
from pimains.relays.keeper import SOCKET, Keeper
from pimains.shared.gpio.pin import GpioError, Output
from pimains.shared.gpio.pin_line import LineOutput
from pimains.shared.relays import pin_name
from pimains.shared.relays.pin_name import PinName


class Place(NamedTuple):
    """Where a relay hangs, and whether it is on when that is low."""

    pin: PinName
    active_low: bool


class Contacts:
    """Those that were taken, by the numbers of their relays. `run` is where the keeper's socket is."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._outputs: dict[str, Output] = {}
        self._places: dict[str, Place] = {}
        self._waiting: dict[str, tuple[Place, int]] = {}  # that the keeper had, and nobody has asked for yet
        self.keeper: Keeper | None = None

    def begin(self) -> None:
        """Get what the keeper has, if there is one. Raises OSError."""
        if (self._run / SOCKET).exists():
            self.keeper = Keeper(self._run / SOCKET)
            for name, line in self.keeper.handed.items():
                number, pin, low = name.split(" ")
                self._waiting[number] = Place(pin_name.parse(pin), low == "1"), line

    @property
    def left(self) -> list[str]:
        """The relays that the keeper has lines of, and that were not taken."""
        return list(self._waiting)

    def place_of(self, number: str) -> Place | None:
        """Where a relay hangs, or hung before the service began."""
        return self._places.get(number) or self._waiting.get(number, (None,))[0]

    def take(self, number: str, place: Place) -> bool:
        """The output of a relay, off if it is a new one; whether it was held since before. Raises GpioError, OSError."""
        if number in self._waiting and self._waiting[number][0] == place:
            _, line = self._waiting.pop(number)
            output: Output = LineOutput(line, f"GPIO {place.pin}")
            self._outputs[number], self._places[number] = output, place
            return True
        output = outputs.take(place.pin, False, place.active_low, f"pimains relay.{number}", self._run)
        self._outputs[number], self._places[number] = output, place
        if isinstance(output, LineOutput):
            self._keep(number, output)
        return False

    def takes_over(self, number: str) -> None:
        """Take what the keeper has for a relay, wherever that hangs. Raises OSError."""
        self.take(number, self._waiting[number][0])

    def is_on(self, number: str) -> bool:
        """Whether a contact is closed. Raises GpioError."""
        return self._outputs[number].is_on

    def set(self, number: str, is_on: bool) -> None:
        """Switch it. Raises GpioError."""
        self._outputs[number].set(is_on)

    def drop(self, number: str) -> None:
        """Let go of its pin, if it has one."""
        if number not in self._outputs:
            return
        place = self._places.pop(number)
        output = self._outputs.pop(number)
        if isinstance(output, LineOutput) and self.keeper:
            try:
                self.keeper.drop(_name(number, place))
            except OSError:
                self.keeper = None  # it has ended, and holds nothing
        output.close()

    def tend(self) -> None:
        """Have a new keeper hold what one held that has ended. Raises OSError."""
        if self.keeper:
            self.keeper.close()
        self.keeper = None
        for number, output in self._outputs.items():
            if isinstance(output, LineOutput):
                self._keep(number, output)

    @property
    def how(self) -> str:
        """By what the outputs are driven that end with the service; '' where there are none."""
        return next((each.factory.partition(" by ")[2] for each in self._outputs.values() if not isinstance(each, LineOutput)), "")

    def close(self, *, for_good: bool) -> None:
        """The service ends; `for_good`: so does the keeper."""
        for output in self._outputs.values():
            output.close()
        if self.keeper and for_good:
            self.keeper.end()
        elif self.keeper:
            self.keeper.close()

    def _keep(self, number: str, output: LineOutput) -> None:
        try:
            if self.keeper is None:
                self.keeper = Keeper(self._run / SOCKET)
                self._leave_to(self.keeper)
            self.keeper.keep(_name(number, self._places[number]), output.fileno())
        except OSError as error:
            raise GpioError(f"the keeper of the pins cannot be used: {error.strerror or error}") from None

    def _leave_to(self, keeper: Keeper) -> None:
        """What it hands to us, who have it: another one has spoken with it meanwhile, or it was too slow to hear what to let go of."""
        places = {**{number: place for number, (place, _) in self._waiting.items()}, **self._places}
        ours = {_name(number, place) for number, place in places.items()}
        for name, line in keeper.handed.items():
            os.close(line)
            if name not in ours:
                keeper.drop(name)
        keeper.handed.clear()


def _name(number: str, place: Place) -> str:
    return f"{number} {place.pin} {int(place.active_low)}"
