"""The time of day in which something may be done, such as 02:00-05:00 or, across midnight, 23:30-01:00."""

import re
from typing import NamedTuple

_DAY_SECONDS = 86400


class Window(NamedTuple):
    """From `begin` until just before `end`, both in seconds after midnight."""

    begin: int
    end: int

    def seconds_until(self, second: float) -> float:
        """How long until it is open, at `second` after midnight; 0 while it is."""
        length = (self.end - self.begin) % _DAY_SECONDS or _DAY_SECONDS
        if (second - self.begin) % _DAY_SECONDS < length:
            return 0
        return (self.begin - second) % _DAY_SECONDS

    def __str__(self) -> str:
        return "-".join(f"{second // 3600:02}:{second // 60 % 60:02}" for second in self)


def parse(text: str) -> Window:
    """The window that `HH:MM-HH:MM` means; raises ValueError for anything else, also for one of no length."""
    match = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9]) ?- ?([01]?[0-9]|2[0-3]|24):([0-5][0-9])", text)
    if not match:
        raise ValueError
    hours, minutes, end_hours, end_minutes = map(int, match.groups())
    begin, end = hours * 3600 + minutes * 60, end_hours * 3600 + end_minutes * 60
    if begin == end or end > _DAY_SECONDS:
        raise ValueError
    return Window(begin, end)
