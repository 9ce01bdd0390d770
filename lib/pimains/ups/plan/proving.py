"""Whether a host is up or down, from what one look at it after the other found, and whether it is told again what nobody acknowledged."""

from collections.abc import Sequence

UP = "up"  # its port answers, or its ping
REFUSES = "refuses"  # the machine answers, its port is closed: it is coming up or going down
SILENT = "silent"  # nothing answers
SILENT_LOOKS = 3  # a packet may be lost
LOOKS = {
    UP: "up",
    REFUSES: "its port is closed",
    SILENT: "does not answer",
}


def is_up(looks: Sequence[str]) -> bool:
    """Whether the last of `looks` (oldest first) proves that it is up."""
    return bool(looks) and looks[-1] == UP


def is_down(looks: Sequence[str]) -> bool:
    """Whether the last of `looks` (oldest first) prove that it is down."""
    return len(looks) >= SILENT_LOOKS and set(looks[-SILENT_LOOKS:]) == {SILENT}


def is_told_again(before: str, now: str, *, looks: Sequence[str], seconds: float, budget_seconds: float) -> bool:
    """Whether an order that was written `seconds` ago, and that nobody acknowledged, is given again.

    It is where the host is still in the boot that it was in then; where one of the boot ids is not known (""), where it is up when its
    time to go down is over. One that came up again by itself is left alone.
    """
    if before and now:
        return before == now
    return is_up(looks) and seconds > budget_seconds
