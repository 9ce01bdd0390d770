"""Upgrades that were put off while somebody is connected, and when they are made up for.

Clients that come and go do not have the repositories asked each time: the last one must have been gone for a minute, and the last look
must be ten minutes ago.
"""

import math
from collections.abc import Sequence

from pimains.update.plan.rows import listed

SETTLED_SECONDS = 60.0  # a client whose network failed is back before
PAUSE_SECONDS = 600.0
_NAMED = 3


class PutOff:
    """`what` waits, in words; "" when nothing does. Times are monotonic seconds."""

    def __init__(self, what: str) -> None:
        self.what = what
        self._left_at: float | None = None

    def seconds_left(self, clients: Sequence[str], looked_at: float, now: float) -> float:
        """Until it is made up for, while these are connected; endless when somebody is, or nothing waits."""
        if clients or not self.what:
            self._left_at = None
            return math.inf
        if self._left_at is None:
            self._left_at = now
        return max(0.0, self._left_at + SETTLED_SECONDS - now, looked_at + PAUSE_SECONDS - now)

    def why(self, clients: Sequence[str], otherwise: str) -> str:
        """What waits for whom; `otherwise` where it waits for nobody."""
        if self.what and clients:
            otherwise = f"waiting until {listed(clients, _NAMED)} {'has' if len(clients) == 1 else 'have'} left"
        return f"{self.what}: {otherwise}" if self.what else otherwise
