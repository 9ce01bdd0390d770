"""The loads that relays of the simulated house feed: what they draw, as its pins tell (pins.py, PIMAINS_HOUSE_OUTPUTS).

A load hangs at a pin, and draws its watts while that is high, or low where the relay is active low. A welded contact stays closed whatever
its pin does.
"""

import argparse
import re
from pathlib import Path

_LOAD = re.compile(r"([0-9]{1,3})=([0-9]{1,6})(:low)?")


class Loads:
    """Those of a house: their watts by pin, and by which level each is fed. `outputs` is the file that the pins write."""

    def __init__(self, outputs: Path, watts: dict[int, float], closed_by: dict[int, str]) -> None:
        self._outputs = outputs
        self._watts = watts
        self._closed_by = closed_by
        self._levels: dict[int, str] = {}
        self._welded: set[int] = set()
        self._read = 0
        self._begun = b""

    def draw(self) -> float:
        """Watts of all of them now."""
        self._look()
        return sum(watts for pin, watts in self._watts.items() if pin in self._welded or self._levels.get(pin) == self._closed_by[pin])

    def weld(self, pin: int, is_welded: bool) -> None:
        """The contact at this pin sticks together, or does no more. Raises KeyError."""
        if pin not in self._watts:
            raise KeyError(pin)
        (self._welded.add if is_welded else self._welded.discard)(pin)

    def _look(self) -> None:
        if not self._outputs.exists():
            return
        with self._outputs.open("rb") as told:
            told.seek(self._read)
            new = told.read()
        self._read += len(new)
        *lines, self._begun = (self._begun + new).split(b"\n")
        for line in lines:
            pin, level, _ = line.decode("ascii").split()
            self._levels[int(pin)] = level


def load(text: str) -> tuple[int, float, str]:
    """The pin, the watts and the level of "17=2000" or "17=2000:low", for argparse."""
    match = _LOAD.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no load (PIN=WATTS, or PIN=WATTS:low)")
    return int(match[1]), float(match[2]), "low" if match[3] else "high"


def made(outputs: Path | None, given: list[tuple[int, float, str]]) -> Loads | None:
    """As the options say; None without a file of outputs."""
    if outputs is None:
        return None
    return Loads(outputs, {pin: watts for pin, watts, _ in given}, {pin: level for pin, _, level in given})
