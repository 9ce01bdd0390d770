"""What a living demo's sky and household do: a pure function of the hour of the sun's time. No I/O."""

import random
from datetime import datetime

from pimains.house import history
from pimains.house.solar import DAY_SECONDS

_CLEAR_HOURS = 9.0  # at first: who has just come sees surplus
_CLOUDS_HOURS = 1.5


def clouds(hours: float, seed: int) -> float:
    """0-1, `hours` after the sun began."""
    if hours < _CLEAR_HOURS:
        return 0.0
    luck = random.Random(seed * 1_000_003 + int(hours / _CLOUDS_HOURS))  # noqa: S311  # for looks
    return luck.choice((0.0, 0.0, 0.1, 0.3, 0.6, 0.9))


def household(hour: float, day: datetime) -> float:
    """W that it draws from the grid, at an hour (0 and more) of the sun's day that began on this one of ours."""
    midnight = day.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    return history.watts(midnight + hour * DAY_SECONDS / 24)
