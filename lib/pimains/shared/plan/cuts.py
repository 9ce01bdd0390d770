"""When a plug that does not hear this machine any more cuts its power."""

import math

UNHEARD_SECONDS = 60.0  # three heartbeats: whom the plug has not heard for so long it may soon cut off


def seconds_left(dead_man_seconds: float, countdown_seconds: float, silent_seconds: float) -> float:
    """Until HALT_COMMAND has to be started, so that the machine is off before the cut: it may take as long as the plug's countdown.

    Endless where the plug did not cut in its time; negative where it is too late.
    """
    return dead_man_seconds - countdown_seconds - silent_seconds if silent_seconds < dead_man_seconds else math.inf


def is_unheard(dead_man_seconds: float, silent_seconds: float) -> bool:
    """Whether the plug may soon cut: nothing is begun now that must not be cut off."""
    return UNHEARD_SECONDS <= silent_seconds < dead_man_seconds
