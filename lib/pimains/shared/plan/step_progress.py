"""How far a shutdown has come, read from its progress: a line for each step that was started or has ended, oldest first.

also asked for	the UPS is low	ups	final
80-plug started
80-plug done in 0.2 s
called off: HALT_COMMAND failed (exit 1)
taken back: 80-plug
cancelled by anna
"""

from collections.abc import Sequence

FIRST_STEP_OF_NO_RETURN = 80
ALSO_ASKED = "also asked for"
CALLED_OFF = "called off:"
CANCEL_REFUSED = "cancel refused to"
CANCELLED = "cancelled by"
TAKEN_BACK = "taken back:"
UNDER = "goes on under"
OVER = "over:"
WITHDRAWN = "withdrawn by"
_NO_PROGRAMS = (ALSO_ASKED, CALLED_OFF, CANCEL_REFUSED, CANCELLED, TAKEN_BACK, OVER, UNDER, WITHDRAWN)


def is_of_no_return(name: str) -> bool:
    """Whether the power will be cut once the step `name` was started: the plug is told by a step numbered 80 or above."""
    return name[:2].isdecimal() and int(name[:2]) >= FIRST_STEP_OF_NO_RETURN


def is_upgrade(name: str) -> bool:
    """Whether the step `name` waits for somebody else's work: no earlier wait foretells the end of that, so it is not measured."""
    return name == "05-update"


def will_be_cut(progress: Sequence[str]) -> bool:
    """Whether somebody was told to cut the power, and not told since to leave it on."""
    return any(is_of_no_return(line) for line in _since_called_off(progress))


def is_called_off(progress: Sequence[str]) -> bool:
    """Whether nobody is to cut the power now: this machine stays up, at least until the steps that tell them are started once more."""
    if who_cancelled(progress) or why_over(progress):
        return True
    return any(line.startswith(CALLED_OFF) for line in progress) and not will_be_cut(progress)


def still_told(progress: Sequence[str]) -> list[str]:
    """The steps whose cut may still come, in their order: they were started, and nobody has taken that back since."""
    told: dict[str, None] = {}
    for line in progress:
        if line.startswith(TAKEN_BACK):
            told.pop(line.removeprefix(TAKEN_BACK).strip(), None)
        elif is_of_no_return(line) and line.endswith(" started"):
            told[line.split()[0]] = None
    return list(told)


def left_told(names: Sequence[str]) -> list[str]:
    """The progress of the shutdown that comes next, when `names` could not be called off: it can be cancelled, and tries that again."""
    return [*(f"{name} started" for name in names), *([f"{CALLED_OFF} the shutdown before"] if names else [])]


def done_for_good(progress: Sequence[str]) -> list[str]:
    """What of a rehearsal's progress counts for a shutdown that follows it at once: nobody who cuts was told by a rehearsal."""
    return [line for line in progress if line[:1].isdecimal() and not is_of_no_return(line)]


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


def why_over(progress: Sequence[str]) -> str:
    """Why this machine stays up although nobody cancelled, such as the end of a rehearsal; "" if it does not."""
    return next((line.removeprefix(OVER).strip() for line in progress if line.startswith(OVER)), "")


def goes_on(progress: Sequence[str]) -> bool:
    """Whether all that a cancel took back left a request that is carried out."""
    return any(line.startswith(WITHDRAWN) for line in progress) and not who_cancelled(progress)


def why_refused(progress: Sequence[str]) -> str:
    """Why the last cancel that was refused was; "" where it was because the power will be cut."""
    refused = [line for line in progress if line.startswith(CANCEL_REFUSED)]
    return refused[-1].partition("\t")[2] if refused else ""


def what_ran(progress: Sequence[str]) -> list[str]:
    """The names of what was started, each once."""
    return list(dict.fromkeys(line.split()[0] for line in progress if not line.startswith(_NO_PROGRAMS)))


def _since_called_off(progress: Sequence[str]) -> Sequence[str]:
    called_off = [index for index, line in enumerate(progress) if line.startswith(CALLED_OFF)]
    return progress[called_off[-1] + 1 :] if called_off else progress
