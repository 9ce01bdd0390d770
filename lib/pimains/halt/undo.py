"""What a shutdown did is taken back: who was told that the machine goes off is told that it stays on, and steps undo what they did."""

from collections.abc import Callable, Generator, Sequence

from pimains.core.instance import Instance
from pimains.core.naps import Nap, Naps, Readable
from pimains.core.plan.text import short_line
from pimains.halt import step_files
from pimains.halt.budgets import HaltBudgets
from pimains.halt.programs import HaltPrograms
from pimains.shared.plan import step_progress


class HaltTakenBack:
    """Of one shutdown; the steps are run once more with PIMAINS_CALLED_OFF, the last first."""

    def __init__(self, me: Instance, programs: HaltPrograms, budgets: HaltBudgets, step_seconds_max: float) -> None:
        self._me = me
        self._programs = programs
        self._budgets = budgets
        self._step_seconds_max = step_seconds_max
        self._complained: set[str] = set()

    def call_off(self, why: str, progress: Sequence[str], has_come_to: Callable[[str], None]) -> Naps:
        """Whoever was told that this machine is about to be off is told that it is not; `has_come_to` notes each that knows it."""
        there = {step.name: step for step in step_files.steps() if not step.fault}
        for name in reversed(step_progress.still_told(progress)):
            if (step := there.get(name)) is None:
                trouble = "it cannot be run any more"
            else:
                where, called_off = f"not shut down: {why}; calling off {name}", short_line(why)
                granted = self._budgets.of(step)
                well, words = name not in self._complained, [str(step.path)]
                ending = yield from self._programs.run(where, name, words, granted, well=well, PIMAINS_CALLED_OFF=called_off)
                trouble = "" if ending.is_done else str(ending)
            if trouble and name not in self._complained:
                self._complained.add(name)
                self._me.complain(f"{name} could not be called off, {trouble}: the power may be cut while this machine is up")
            if not trouble or step is None:
                self._complained.discard(name)
                has_come_to(f"{step_progress.TAKEN_BACK} {name}")

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
