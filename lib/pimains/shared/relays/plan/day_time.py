"""Times of day, as people say them, on a clock that they set: quiet hours, and until when something is wanted."""

import re
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")


def parse(text: str) -> int:
    """Minutes since midnight of "18:00". Raises ValueError."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError
    return int(match[1]) * 60 + int(match[2])


def in_words(minute: int) -> str:
    """Minutes since midnight as people write them."""
    return f"{minute // 60:02}:{minute % 60:02}"


def next_at(minute: int, wall: float, zone: tzinfo | None = None) -> float:
    """When it is so many minutes since midnight next, after `wall`: both in seconds since 1970, in `zone` or local time."""
    there = datetime.fromtimestamp(wall, zone).replace(hour=minute // 60, minute=minute % 60, second=0, microsecond=0, fold=0)
    while there.timestamp() <= wall:
        there += timedelta(days=1)
    return there.timestamp()


class QuietHours(NamedTuple):
    """From when until when, in minutes since midnight; over midnight if the end comes first."""

    begin: int
    end: int

    def holds(self, wall: float, zone: tzinfo | None = None) -> bool:
        """Whether it is quiet then."""
        now = datetime.fromtimestamp(wall, zone)
        minute = now.hour * 60 + now.minute
        if self.begin <= self.end:
            return self.begin <= minute < self.end
        return minute >= self.begin or minute < self.end

    def __str__(self) -> str:
        return f"{in_words(self.begin)}-{in_words(self.end)}"


def parse_quiet_hours(text: str) -> QuietHours:
    """What "22:00-06:30" says. Raises ValueError, also where begin and end are one."""
    begin, _, end = text.partition("-")
    hours = QuietHours(parse(begin.strip()), parse(end.strip()))
    if hours.begin == hours.end:
        raise ValueError
    return hours
