"""The plug's dead-man switch cuts the power of a machine it no longer hears: when the machine has to halt before that."""

import math

from pimains.core.plan.budget import ENDING_SECONDS
from pimains.shared.plan.cuts import UNHEARD_SECONDS

LONGEST_SECONDS = 86400


def seconds_for(wanted_seconds: float, measured_seconds: float) -> int:
    """What the plug's dead-man switch is set to: as wanted, or more where a halt of `measured_seconds` would not fit twice."""
    return min(LONGEST_SECONDS, max(math.ceil(wanted_seconds), math.ceil(2 * measured_seconds)))


def halt_after_seconds(dead_man_seconds: float, measured_seconds: float, longest_seconds: float) -> float:
    """After how many seconds without contact the machine has to begin its halt, so that it has ended before the cut.

    Eight tenths of the time, or earlier where a halt may take `longest_seconds`; but a step that is allowed minutes because it was
    never measured halts nobody before half of the time: it gets what is left (halt/plan/short_time.py).
    """
    latest = min(0.8 * dead_man_seconds, dead_man_seconds - measured_seconds)
    return max(0.0, min(latest, max(dead_man_seconds - longest_seconds, dead_man_seconds / 2)))


def must_halt(dead_man_seconds: float, halt_after: float, silent_seconds: float) -> bool:
    """Whether a machine that its plug has not heard for `silent_seconds` has to begin its halt now.

    One that is still up when the plug's time is over is not being cut by it.
    """
    return halt_after <= silent_seconds < dead_man_seconds


def seconds_for_an_upgrade(dead_man_seconds: float, longest_seconds: float) -> float:
    """How long a shutdown can wait at least for an upgrade that was begun while the plug heard this machine."""
    return dead_man_seconds - UNHEARD_SECONDS - longest_seconds - ENDING_SECONDS
