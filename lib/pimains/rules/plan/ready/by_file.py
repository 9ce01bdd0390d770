"""On while a file is there: a switch for any script, or for another machine."""

from collections.abc import Callable

from pimains.rules.plan.answer import OFF, ON
from pimains.rules.plan.calendar import Now
from pimains.rules.plan.data import Data
from pimains.rules.plan.ready.readings import Charge
from pimains.rules.plan.relay_view import Relays, RelayView


class ByFile:
    """`name` is that of a file below RULES_FILES; `present` tells whether it is there."""

    def __init__(self, name: str, charge: Charge, present: Callable[[str], bool]) -> None:
        self.name, self.charge, self.present = name, charge, present

    def rule(self, relay: RelayView, data: Data, relays: Relays, now: Now | None) -> tuple[str, str]:  # noqa: ARG002  # a rule's signature
        """ON or OFF, and why."""
        if not self.present(self.name):
            return OFF, f"there is no file {self.name}"
        lacking = self.charge.lacking(data)
        return (OFF, lacking) if lacking else (ON, f"there is a file {self.name}")
