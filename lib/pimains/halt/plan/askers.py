"""Who has asked for the shutdown under way, and what of that a cancel takes back: its own request, not another's that came meanwhile.

Who asked as well is in the progress, so that a halt service that was killed knows of it.
"""

from collections.abc import Sequence
from typing import NamedTuple

from pimains.shared.plan.step_progress import ALSO_ASKED, UNDER, WITHDRAWN

FINAL, REHEARSAL = "final", "rehearsal"


class Asked(NamedTuple):
    """A request that stands beside the one that is carried out."""

    reason: str
    requester: str
    kind: str = ""  # or FINAL, REHEARSAL

    @property
    def is_final(self) -> bool:
        """Whether nobody can take it back."""
        return self.kind == FINAL

    @property
    def line(self) -> str:
        """What the progress tells of it."""
        return "\t".join([ALSO_ASKED, *self]).rstrip("\t")


def others(progress: Sequence[str]) -> list[Asked]:
    """Whose requests stand beside the one that is carried out, oldest first."""
    found: list[Asked] = []
    for line in progress:
        kind, *words = line.split("\t")
        if kind == ALSO_ASKED:
            found.append(Asked(*(*words, "", "", "")[:3]))
        elif kind == WITHDRAWN:
            found = [each for each in found if words[:1] != [each.requester]]
        elif kind == UNDER:
            found = [each for each in found if words[1:2] != [each.requester]]
    return found


def under(progress: Sequence[str]) -> Asked | None:
    """Whose request is carried out since the one before was taken back; None while that is the first."""
    lines = [line.split("\t") for line in progress if line.startswith(UNDER)]
    return Asked(*(*lines[-1][1:], "", "", "")[:3]) if lines else None


def goes_on_under(asked: Asked) -> str:
    """What the progress tells of that."""
    return "\t".join([UNDER, *asked]).rstrip("\t")


def withdrawn(requester: str, mark: str) -> str:
    """What the progress tells when all that `requester` asked for as well is not wanted any more, by which cancel."""
    return f"{WITHDRAWN}\t{requester}\t{mark}"


def was_heard(progress: Sequence[str], mark: str) -> bool:
    """Whether that cancel has taken back what it could, before this service was killed."""
    return bool(mark) and any(line.startswith(WITHDRAWN) and line.endswith(f"\t{mark}") for line in progress)


class Left(NamedTuple):
    """What a cancel leaves: `stays_up` is nothing, `under` is whose request is carried out from now on, None where it is as before."""

    stays_up: bool
    under: Asked | None = None


def left(requester: str, asked_by: str, beside: Sequence[Asked], *, only_own: bool) -> Left:
    """What `requester` leaves by cancelling a shutdown that was `asked_by` somebody; without `only_own` that one goes, whoever asked."""
    if only_own and requester != asked_by:
        return Left(stays_up=False)
    rest = [each for each in beside if each.requester not in (requester, asked_by) and each.kind != REHEARSAL]
    return Left(stays_up=not rest, under=rest[0] if rest else None)
