"""How long a program may take, from how long it took before, and how long it takes to end one that takes longer."""

import math
from collections.abc import Sequence

TERM_SECONDS = 2.0  # from TERM to KILL
KILL_SECONDS = 1.0  # from KILL to leaving it alone
ENDING_SECONDS = TERM_SECONDS + KILL_SECONDS
_SHARE_COVERED = 0.95
_MARGIN_SECONDS = 5.0
_MARGIN_SHARE = 0.5


def percentile_95(durations: Sequence[float]) -> float:
    """The time in which 95 % of `durations` ended, by nearest rank: with fewer than 20 of them that is the longest.

    Raises ValueError when there is none.
    """
    if not durations:
        raise ValueError("nothing was measured")
    return sorted(durations)[math.ceil(_SHARE_COVERED * len(durations)) - 1]


def budget(durations: Sequence[float], longest: float) -> float:
    """Seconds to grant to what took `durations` (oldest first) before; never more than `longest`, and `longest` until measured.

    It is the 95th percentile, or the last time if that was longer (whoever has just become slower is not cut off for
    having been fast last year), and on top of it

    - half of that, at least 5 s: a busy SD card or a weak Wi-Fi easily costs that much, and waiting costs less than cutting;
    - what is not known yet: the next of n+1 alike runs is the slowest of all with probability 1/(n+1), so that share of
      the way to `longest` is added: half of it after one measurement, a twentieth after nineteen.
    """
    if not durations:
        return longest
    measured = max(percentile_95(durations), durations[-1])
    unknown = max(0.0, longest - measured) / (len(durations) + 1)
    return min(longest, measured + max(_MARGIN_SECONDS, _MARGIN_SHARE * measured) + unknown)
