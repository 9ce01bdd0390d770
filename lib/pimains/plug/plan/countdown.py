"""How long this machine takes from telling its plug to having stopped: after that long the power may be cut."""

import math
from collections.abc import Sequence

# One unit that hangs must not cost an SD card, however fast all halts before were: systemd gives it DefaultTimeoutStopSec
# (90 s) to obey TERM and as much again when not even KILL ends it (a process that waits for a dead share or disk).
MARGIN_SECONDS = 180.0
ENOUGH_HALTS = 20
LONGEST_SECONDS = 3600


def countdown_seconds(halts: Sequence[float], unmeasured_seconds: float) -> int:
    """Seconds (5-3600) from the plug's confirmation to the cut.

    `halts` are the seconds earlier halts took. With twenty or more it is their 95th percentile plus a margin; with
    fewer it is `unmeasured_seconds`, or the longest seen plus the margin if that is more.
    """
    known = sorted(seconds for seconds in halts if math.isfinite(seconds) and 0 < seconds <= LONGEST_SECONDS)
    if len(known) >= ENOUGH_HALTS:
        wanted = known[math.ceil(0.95 * len(known)) - 1] + MARGIN_SECONDS
    else:
        wanted = max([unmeasured_seconds, *(seconds + MARGIN_SECONDS for seconds in known[-1:])])
    return min(LONGEST_SECONDS, max(5, math.ceil(wanted)))
