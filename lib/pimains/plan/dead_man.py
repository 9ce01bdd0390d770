"""The plug's dead-man switch cuts the power of a machine it no longer hears: when the machine has to halt before that."""

import math

LONGEST_SECONDS = 86400


def seconds_for(wanted_seconds: float, halt_seconds: float) -> int:
    """What the plug's dead-man switch is set to: as wanted, or more where a halt of `halt_seconds` would not fit twice."""
    return min(LONGEST_SECONDS, max(math.ceil(wanted_seconds), math.ceil(2 * halt_seconds)))


def halt_after_seconds(dead_man_seconds: float, halt_seconds: float) -> float:
    """After how many seconds without contact the machine has to begin its halt, so that it has ended before the cut."""
    return max(0.0, min(0.8 * dead_man_seconds, dead_man_seconds - halt_seconds))


def must_halt(dead_man_seconds: float, halt_seconds: float, silent_seconds: float) -> bool:
    """Whether a machine that its plug has not heard for `silent_seconds` has to begin its halt now.

    One that is still up when the plug's time is over is not being cut by it.
    """
    return halt_after_seconds(dead_man_seconds, halt_seconds) <= silent_seconds < dead_man_seconds
