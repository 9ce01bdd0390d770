"""Leaving word of how long a halt takes, for plug services and whoever else has to know (pimains.shared.halt_length)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pimains.core.instance import Instance
from pimains.core.process.function import leave_alone
from pimains.halt import stopping
from pimains.halt.plan.length import longest_seconds, measured_seconds, shutdown_seconds
from pimains.halt.settings import HaltSettings
from pimains.halt.step_files import Step
from pimains.shared import halt_length
from pimains.shared.halt_length import HaltLength

if TYPE_CHECKING:
    from pimains.core.ledger import Ledger

_SECONDS_MAX = 60.0


def leave(me: Instance, settings: HaltSettings, steps: Sequence[Step]) -> None:
    """Leave it in a child that nobody waits for: what SQLite takes in memory goes with it."""
    leave_alone(lambda: _leave(me, settings, [step for step in steps if not step.fault]), _SECONDS_MAX)


def _leave(me: Instance, settings: HaltSettings, steps: Sequence[Step]) -> None:
    def look(ledger: "Ledger") -> dict[str, list[float]]:
        return {step.name: ledger.durations(step.subject) for step in steps}

    took = me.with_ledger(look) or {step.name: [] for step in steps}
    longest = longest_seconds(took, settings.STEP_SECONDS_MAX, settings.HALT_GRACE_SECONDS)
    halt_length.leave(HaltLength(measured_seconds(took), longest, settings.UPGRADE_SECONDS_MAX))
    stopping.learn(me)
    halt_length.leave_shutdown(shutdown_seconds(stopping.took(me), halt_length.UNKNOWN_SHUTDOWN))
