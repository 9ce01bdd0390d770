"""The values that ready-made rules go by: numbers, and the least charge of a battery that a rule leaves alone."""

from typing import NamedTuple

from pimains.rules.plan.data import Data, Number, Words
from pimains.rules.plan.not_known import NotKnown


def number(data: Data, name: str) -> Number:
    """The value of this name. Raises NotKnown, also for one that is no number."""
    value: Number | Words = data[name]
    if not isinstance(value, Number):
        raise NotKnown(name, f"{value!r} is no number")
    return value


class Charge(NamedTuple):
    """The state of charge called `name` is to be `least` % at least; without a name any will do."""

    name: str = ""
    least: float = 0.0

    def lacking(self, data: Data) -> str:
        """Why the battery has too little, '' when it has enough. Raises NotKnown."""
        if not self.name:
            return ""
        soc = number(data, self.name)
        return "" if soc >= self.least else f"the battery is at {soc:.1f} %, below SOC_MIN {self.least:g} %"
