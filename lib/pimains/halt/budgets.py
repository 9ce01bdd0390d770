"""How long each step of a halt may take: by what it took before, and by when the power goes.

That is when a plug cuts that does not hear this machine, or when the battery is empty that feeds it.
"""

import math
from collections.abc import Callable, Sequence

from pimains.core.clock import Clock
from pimains.core.plan.budget import ENDING_SECONDS, budget
from pimains.halt.plan import short_time
from pimains.halt.step_files import Step
from pimains.shared import battery_end, plug_cuts
from pimains.shared.plan.step_progress import is_upgrade


class HaltBudgets:
    """`durations` tells what a step took before, oldest first; `upgrade_seconds_max` is for the step that waits for an upgrade."""

    def __init__(
        self, durations: Callable[[Step], Sequence[float]], clock: Clock, step_seconds_max: float, upgrade_seconds_max: float
    ) -> None:
        self._durations = durations
        self._clock = clock
        self._step_seconds_max = step_seconds_max
        self._upgrade_seconds_max = upgrade_seconds_max
        self._known: dict[str, float] = {}  # the ledger is asked once: a halt is not to wait for it

    def of(self, step: Step) -> float:
        """What it gets when there is time."""
        if is_upgrade(step.name):
            return self._upgrade_seconds_max
        if step.name not in self._known:
            self._known[step.name] = budget(self._durations(step), self._step_seconds_max)
        return self._known[step.name]

    def of_all(self, steps: Sequence[Step]) -> list[float]:
        """What each of `steps` gets when there is time, but for the one that waits for an upgrade: that is no work of a halt."""
        return [self.of(step) for step in steps if not is_upgrade(step.name)]

    def granted(self, to_come: Sequence[Step]) -> float:
        """What the first of the steps to come gets now."""
        first, left = to_come[0], self._left()
        if left == math.inf:
            return self.of(first)
        if not is_upgrade(first.name):
            return short_time.granted(self.of_all(to_come), left)
        spare = short_time.patience(self.of(first), self.of_all(to_come[1:]), left - ENDING_SECONDS)
        return max(short_time.LEAST_SECONDS, spare)

    def grace(self, wanted: float, to_come: Sequence[Step]) -> float:
        """How much of `wanted` seconds can be waited before all steps."""
        left = self._left()
        return wanted if left == math.inf else short_time.patience(wanted, self.of_all(to_come), left)

    def why_short(self) -> str:
        """Why a step gets less than it would like to."""
        now = self._clock.monotonic()
        if battery_end.seconds_left(now) < plug_cuts.seconds_left(now):
            return "the battery will be empty"
        return "a plug that hears no more of this machine cuts its power"

    def _left(self) -> float:
        now = self._clock.monotonic()
        return min(plug_cuts.seconds_left(now), battery_end.seconds_left(now))
