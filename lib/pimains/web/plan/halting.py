"""How far a shutdown has come, as the page tells it: asked, accepted, step by step, cancelled, or too late for that."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from pimains.shared.plan import step_progress

COMMAND = "HALT_COMMAND"
_FINAL = "\tfinal"


class Stage(StrEnum):
    """Of this machine."""

    NONE = "none"
    ASKED = "asked"  # nobody has taken the request yet
    ACCEPTED = "accepted"  # no step was started
    STEPS = "steps"
    NO_RETURN = "no return"  # whoever cuts the power was told
    DOWN = "down"  # HALT_COMMAND was started
    CALLED_OFF = "called off"  # HALT_COMMAND failed, and is tried again
    CANCELLED = "cancelled"  # what was done is taken back


class Step(NamedTuple):
    """One that was started: `state` is "runs", "done", "failed" or "left out", `words` what halt says of its end."""

    name: str
    state: str
    words: str


class Halting(NamedTuple):
    """`why_not` is why nobody can cancel any more, as halt said it, "" where it did not."""

    stage: Stage
    steps: list[Step]
    can_be_cancelled: bool
    why_not: str
    cancelled_by: str


def of(progress: Sequence[str], *, is_accepted: bool, is_waiting: bool, is_rehearsal: bool = False, is_final: bool = False) -> Halting:
    """By what is under way (`is_accepted`, with its kind and progress), and whether a request waits to be taken."""
    if not is_accepted:
        return Halting(Stage.ASKED if is_waiting else Stage.NONE, [], is_waiting, "", "")
    stage = _stage(progress, is_rehearsal=is_rehearsal)
    is_bound = is_final or any(each.startswith(step_progress.ALSO_ASKED) and each.endswith(_FINAL) for each in progress)
    can = stage in (Stage.ACCEPTED, Stage.STEPS, Stage.CALLED_OFF) and not is_bound
    return Halting(stage, steps(progress), can, step_progress.why_refused(progress), step_progress.who_cancelled(progress))


def _stage(progress: Sequence[str], *, is_rehearsal: bool) -> Stage:
    if step_progress.who_cancelled(progress) or step_progress.why_over(progress):
        return Stage.CANCELLED
    if step_progress.has_succeeded(progress, COMMAND):
        return Stage.DOWN
    if step_progress.is_called_off(progress):
        return Stage.CALLED_OFF
    if step_progress.will_be_cut(progress) and not is_rehearsal:
        return Stage.NO_RETURN
    return Stage.STEPS if steps(progress) else Stage.ACCEPTED


def steps(progress: Sequence[str]) -> list[Step]:
    """Each that was started, in the order of its first start, as it stands now."""
    found: dict[str, Step] = {}
    ran = {*step_progress.what_ran(progress)}
    for line in progress:
        name, _, words = line.partition(" ")
        if name in ran:
            found[name] = Step(name, _state(words), "" if words == "started" else words)
    return list(found.values())


def _state(words: str) -> str:
    if words == "started":
        return "runs"
    if words.startswith("done"):
        return "done"
    return "failed" if words.startswith(("failed", "hung")) else "left out"
