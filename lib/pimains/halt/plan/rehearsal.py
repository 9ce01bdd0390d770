"""How a rehearsal of a shutdown went, from its progress and from what was undone afterwards."""

from collections.abc import Sequence
from typing import NamedTuple

from pimains.shared.plan import step_progress

LEFT_OUT = "left out: it does not know of PIMAINS_REHEARSAL and might have the power cut"


class Rehearsed(NamedTuple):
    """`lines` is all that happened, `troubles` what a shutdown would not want to happen."""

    lines: list[str]
    troubles: list[str]

    def __str__(self) -> str:
        return "; ".join(self.troubles or [*self.lines, "all well"])


def report(progress: Sequence[str], undone: Sequence[str], not_run: Sequence[str]) -> Rehearsed:
    """`undone` are what was undone in words, `not_run` the steps that may not be run and why."""
    ended = [line for line in progress if line[:1].isdecimal() and not line.endswith(" started")]
    troubles = [line for line in ended if not line.partition(" ")[2].startswith(("done", LEFT_OUT))]
    names = [name for name in step_progress.what_ran(progress) if step_progress.is_to_be_undone(progress, name)]
    known = {line.partition(" ")[0] for line in undone}
    stay = [f"{name} cannot be undone" for name in names if name not in known and not step_progress.is_upgrade(name)]
    return Rehearsed(
        [*not_run, *ended, *undone, *stay],
        [*not_run, *troubles, *(line for line in undone if " not undone" in line)],
    )
