"""Sequence numbers that tell what is known: in boots that a collector makes up itself, they count seconds.

A source that counts is known to go on counting while nobody hears it. What a collector makes readings of by itself (watts
that it is told, values that it reads, a file that it imports) is known for some seconds and unknown for others: there the
sequence grows by the seconds that are known before a reading, and by 1 where nothing is. Readings that are left out to save
room change nothing about it.
"""

import math
from typing import NamedTuple

UNKNOWN_SECONDS = 1.5  # for each step of the sequence


def are_counted_in(boot: str) -> bool:
    """Whether the boot with this name is of that kind: its name has a blank, as no source that sends readings may name one."""
    return " " in boot


def following(sequence: int, seconds: float) -> int:
    """The sequence of the reading after `sequence` that is `seconds` later, all of them known."""
    return sequence + max(1, math.ceil(seconds))


class Standing(NamedTuple):
    """Its last reading in this boot: `uptime` in seconds, and a count or a value."""

    sequence: int
    uptime: float
    pulses: float
