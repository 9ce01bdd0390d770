"""How far a shutdown has come, read from its progress: a line for each step that was started or has ended, oldest first.

80-plug started
80-plug done in 0.2 s
called off: HALT_COMMAND failed (exit 1)
cancelled by anna
"""

from collections.abc import Sequence

FIRST_STEP_OF_NO_RETURN = 80
CALLED_OFF = "called off:"
CANCEL_REFUSED = "cancel refused to"
CANCELLED = "cancelled by"


def is_of_no_return(name: str) -> bool:
    """Whether the power will be cut once the step `name` was started: the plug is told by a step numbered 80 or above."""
    return name[:2].isdecimal() and int(name[:2]) >= FIRST_STEP_OF_NO_RETURN


def is_upgrade(name: str) -> bool:
    """Whether the step `name` waits for somebody else's work: no earlier wait foretells the end of that, so it is not measured."""
    return name == "05-update"


def will_be_cut(progress: Sequence[str]) -> bool:
    """Whether somebody was told to cut the power, and not told since to leave it on."""
    return any(is_of_no_return(line) for line in _since_called_off(progress))


def has_ended(progress: Sequence[str], name: str) -> bool:
    """Whether the step `name` was run for this shutdown; one that others act upon, since that was last called off."""
    count = _since_called_off(progress) if is_of_no_return(name) else progress
    return any(line.startswith(f"{name} ") and not line.endswith(" started") for line in count)


def has_succeeded(progress: Sequence[str], name: str) -> bool:
    """Whether `name` did well, since all was last called off: a machine that was still up long after is told again."""
    return any(line.startswith(f"{name} done") for line in _since_called_off(progress))


def is_to_be_undone(progress: Sequence[str], name: str) -> bool:
    """Whether `name` was started for a shutdown that is cancelled; those that others act upon were called off before."""
    return not is_of_no_return(name) and any(line.startswith(f"{name} ") for line in progress)


def who_cancelled(progress: Sequence[str]) -> str:
    """Who wants this machine to stay up after all; "" if nobody does."""
    return next((line.removeprefix(CANCELLED).strip() for line in progress if line.startswith(CANCELLED)), "")


def what_ran(progress: Sequence[str]) -> list[str]:
    """The names of what was started, each once."""
    return list(dict.fromkeys(line.split()[0] for line in progress if not line.startswith((CANCEL_REFUSED, CANCELLED, CALLED_OFF))))


def _since_called_off(progress: Sequence[str]) -> Sequence[str]:
    called_off = [index for index, line in enumerate(progress) if line.startswith(CALLED_OFF)]
    return progress[called_off[-1] + 1 :] if called_off else progress
