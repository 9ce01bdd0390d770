"""A reading as it lies in time."""

from typing import NamedTuple


class Point(NamedTuple):
    """A count: `time` in seconds since 1970."""

    time: float
    pulses: float
