"""What a pulse is: how many are a unit, and which unit that is. It holds from a time: of each run its own."""

from typing import NamedTuple

IMPULSES_MIN, IMPULSES_MAX = 0.001, 1_000_000
NOBODY = ""  # the source of runs whose unit their source refuses: they are kept, and become the history of one that takes it


class Measure(NamedTuple):
    """So many `impulses` are a `unit`, kWh or m3."""

    unit: str
    impulses: float

    def amount(self, pulses: float) -> float:
        """So many pulses, in units."""
        return pulses / self.impulses

    def __str__(self) -> str:
        return f"{self.impulses:g} pulses per {self.unit}"


def refusal(source: str, before: str, wanted: str) -> str:
    """Why a source that has readings does not count in another unit."""
    return f"{source} has counted {before} until now: {wanted} needs another SOURCE. Its readings are kept until then"
