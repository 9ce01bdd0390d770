"""What a shutdown did is taken back: who was told that the machine goes off is told that it stays on, and steps undo what they did."""

from collections.abc import Generator, Sequence

from pimains.core.instance import Instance
from pimains.core.naps import Nap, Naps, Readable
from pimains.core.plan.text import short_line
from pimains.halt import step_files
from pimains.halt.budgets import HaltBudgets
from pimains.halt.plan import step_progress
from pimains.halt.programs import HaltPrograms


class HaltTakenBack:
    """Of one shutdown; the steps are run once more with PIMAINS_CALLED_OFF, the last first."""

    def __init__(self, me: Instance, programs: HaltPrograms, budgets: HaltBudgets, step_seconds_max: float) -> None:
        self._me = me
        self._programs = programs
        self._budgets = budgets
        self._step_seconds_max = step_seconds_max

    def call_off(self, trouble: str, progress: Sequence[str]) -> Naps:
        """Whoever was told that this machine is about to be off is told that it is not: its power must stay on."""
        for step in reversed(step_files.steps()):
            if step_progress.is_of_no_return(step.name) and step_progress.has_ended(progress, step.name):
                granted = self._budgets.of(step)
                where, called_off = f"not shut down: {trouble}; calling off {step.name}", short_line(trouble)
                ending = yield from self._programs.run(where, step.name, [str(step.path)], granted, PIMAINS_CALLED_OFF=called_off)
                if not ending.is_done:
                    self._me.complain(f"{step.name} could not be called off, {ending}: the power may be cut while this machine is up")

    def undo(self, why: str, progress: Sequence[str]) -> Generator[Nap, tuple[Readable, ...], list[str]]:
        """Have the steps that have run undo what they did; returns what came of it in words."""
        words = []
        for step in reversed(step_files.steps()):
            if not step.fault and step_progress.is_to_be_undone(progress, step.name) and step.can_be_undone:
                where = f"{why}: undoing {step.name}"
                ending = yield from self._programs.run(where, step.name, [str(step.path)], self._step_seconds_max, PIMAINS_CALLED_OFF=why)
                words.append(f"{step.name} undone" if ending.is_done else f"{step.name} not undone: {ending}")
                if not ending.is_done:
                    self._me.complain(words[-1])
        return words
