"""Where the readings that a collector makes itself stand, for going on from there."""

from typing import NamedTuple


class Standing(NamedTuple):
    """Its last reading in this boot: `uptime` in seconds, and a count or a value."""

    sequence: int
    uptime: float
    pulses: float
