"""Times of a day as rules are told them: 6:30, sunrise, sunset-30min; spans of them; days of the week; months of the year."""

import re
from typing import NamedTuple

from pimains.rules.plan.calendar import Now
from pimains.shared.relays.plan import day_time

MIDNIGHT, NOON = 1440.0, 720.0
SUNRISE = "sunrise"
_SUN = r"(sunrise|sunset)(?:([+-])([0-9]{1,3})(min|h))?"
_CLOCK = r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9]|24:00"
_MOMENT = re.compile(_SUN)
_SPAN = re.compile(rf"({_CLOCK}|(?:sunrise|sunset)(?:[+-][0-9]{{1,3}}(?:min|h))?)-({_CLOCK}|(?:sunrise|sunset).*)")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALLOWED_MOMENT = "such as 6:30, 24:00, sunrise or sunset-30min"


class Moment(NamedTuple):
    """So many minutes after midnight, or after `sun`, which is sunrise or sunset."""

    minutes: int
    sun: str = ""

    def on(self, now: Now) -> float:
        """Minutes since midnight of that day. Raises NotKnown.

        On a polar day the sun rises at 0:00 and sets at 24:00, in a polar night it sets at 0:00 and rises at 24:00.
        """
        if not self.sun:
            return self.minutes
        rises, sets = now.sunrise, now.sunset
        if rises is None and sets is None and not now.is_day:
            rises, sets = MIDNIGHT, 0.0
        at = (rises or 0.0) if self.sun == SUNRISE else MIDNIGHT if sets is None else sets
        return min(MIDNIGHT, max(0.0, at + self.minutes))

    def __str__(self) -> str:
        if not self.sun:
            return day_time.in_words(self.minutes)
        return f"{self.sun}{self.minutes:+}min" if self.minutes else self.sun


class Span(NamedTuple):
    """From when until when; over midnight if the end comes first."""

    begin: Moment
    end: Moment

    def holds(self, now: Now, is_of_day: bool, is_of_day_before: bool) -> bool:
        """Whether it is now: in a span of today, or in one that began on the day before."""
        begin, end, minutes = self.begin.on(now), self.end.on(now), now.minutes
        if begin <= end:
            return is_of_day and begin <= minutes < end
        if (self.begin.sun or self.end.sun) and not end < NOON <= begin:
            return False  # the sun sets after the end, or rises before the begin: it is no night
        return (is_of_day and minutes >= begin) or (is_of_day_before and minutes < end)

    def __str__(self) -> str:
        return f"{self.begin}-{self.end}"


def parse_moment(text: str) -> Moment:
    """What "6:30" or "sunset-30min" says. Raises ValueError."""
    if match := _MOMENT.fullmatch(text):
        sun, sign, count, unit = match.groups()
        return Moment(int(f"{sign or ''}{count or 0}") * (60 if unit == "h" else 1), sun)
    return Moment(int(MIDNIGHT) if text == "24:00" else day_time.parse(text))


def parse_spans(text: str) -> tuple[Span, ...]:
    """What "6:30-8:00 17:00-sunset" says. Raises ValueError, also where begin and end of one are the same."""
    spans = []
    for word in text.split():
        match = _SPAN.fullmatch(word)
        if match is None:
            raise ValueError
        span = Span(parse_moment(match[1]), parse_moment(match[2]))
        if span.begin == span.end:
            raise ValueError
        spans.append(span)
    if not spans:
        raise ValueError
    return tuple(spans)


def parse_days(text: str) -> frozenset[int]:
    """What "mon-fri sun", or "1-5 7", says: 1 is Monday. Raises ValueError."""
    return _numbers(text, 7, {name: number for number, name in enumerate(_DAYS, 1)})


def parse_months(text: str) -> frozenset[int]:
    """What "4-9" or "10-3" says: over the new year if the end comes first. Raises ValueError."""
    return _numbers(text, 12, {})


def _numbers(text: str, most: int, names: dict[str, int]) -> frozenset[int]:
    found: set[int] = set()
    for word in text.lower().split():
        first, dash, last = word.partition("-")
        begin = _number(first, most, names)
        end = _number(last, most, names) if dash else begin
        found |= {(number - 1) % most + 1 for number in range(begin, (end if end >= begin else end + most) + 1)}
    if not found:
        raise ValueError
    return frozenset(found)


def _number(word: str, most: int, names: dict[str, int]) -> int:
    number = names.get(word) or int(word)
    if not 1 <= number <= most:
        raise ValueError
    return number
