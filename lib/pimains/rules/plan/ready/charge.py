"""The least charge of a battery that a rule leaves alone."""

from typing import NamedTuple

from pimains.rules.plan.data import Data


class Charge(NamedTuple):
    """The state of charge called `name` is to be `least` % at least; without a name any will do."""

    name: str = ""
    least: float = 0.0

    def lacking(self, data: Data) -> str:
        """Why the battery has too little, '' when it has enough. Raises NotKnown."""
        if not self.name:
            return ""
        soc = data[self.name]
        return "" if soc >= self.least else f"the battery is at {soc:.1f} %, below SOC_MIN {self.least:g} %"
