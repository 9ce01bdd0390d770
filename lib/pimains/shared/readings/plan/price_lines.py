"""The lines of the prices file: what holds from when on, each value until another line says otherwise.

    FROM 2025-01-01 PRICE=0.30 STANDING_CHARGE=12.50
    FROM 2026-01-01 PRICE=0.34
    FROM 2026-01-01 PRICE=0.26 HOURS=22:00-06:00
    FROM 2026-01-01 SOURCE=pv PRICE=-0.082
    FROM 2026-02-01 SOURCE=gas PRICE=0.11 CALORIFIC_VALUE=11.24 STATE_NUMBER=0.9561

Words are split as a shell splits them; what follows # is for people.
"""

import re
import shlex
from datetime import datetime
from typing import NamedTuple

from pimains.shared.plan.delivery import NAME_LENGTH_MAX

DAY_MINUTES = 1440
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NUMBER = re.compile(r"[+-]?[0-9]{1,7}([.,][0-9]{1,9})?")
_HOURS = re.compile(r"([0-9]{1,2}):([0-9]{2})-([0-9]{1,2}):([0-9]{2})")
_BOUNDS = {
    "PRICE": (-1_000_000.0, 1_000_000.0),
    "PRICE_M3": (-1_000_000.0, 1_000_000.0),
    "STANDING_CHARGE": (0.0, 1_000_000.0),
    "CALORIFIC_VALUE": (1.0, 50.0),
    "STATE_NUMBER": (0.1, 100.0),
}
_WINDOW = ("HOURS", "DAYS")
_NAMES = ("SOURCE", *_BOUNDS, *_WINDOW)


class Window(NamedTuple):
    """Times of a week: on these `days` (0 is Monday) from the minute `begin` until `end`, of the next day where it is not above."""

    days: frozenset[int]
    begin: int
    end: int

    def has(self, weekday: int, minute: int) -> bool:
        """Whether it is then."""
        if self.begin < self.end:
            return weekday in self.days and self.begin <= minute < self.end
        return (weekday in self.days and minute >= self.begin) or ((weekday - 1) % 7 in self.days and minute < self.end)


class PriceLine(NamedTuple):
    """A line: its number in the file, since when it holds (seconds since 1970), whose it is (None: all), and its values by name."""

    number: int
    start: float
    source: str | None
    values: dict[str, float]
    window: Window | None


class Wrong(NamedTuple):
    """What is wrong in a line."""

    number: int
    what: str


class WrongPrices(ValueError):
    """Lines that say nothing clear; `wrong` has them all."""

    def __init__(self, wrong: list[Wrong]) -> None:
        super().__init__(f"line {wrong[0].number}: {wrong[0].what}")
        self.wrong = wrong


def read(text: str) -> list[PriceLine]:
    """The lines of a file, as they stand in it. Raises WrongPrices."""
    found, wrong = [], []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            words = shlex.split(line, comments=True)
            if words:
                found.append(_line(number, words))
        except ValueError as why:
            wrong.append(Wrong(number, str(why).replace("No closing quotation", "a quotation mark is not closed")))
    wrong += _contradictions(found)
    if wrong:
        raise WrongPrices(sorted(wrong))
    return found


def _line(number: int, words: list[str]) -> PriceLine:
    if words[0].upper() != "FROM" or len(words) < 2:
        raise ValueError(f"{words[0][:40]!r}: a line begins with FROM and a date, such as FROM 2026-01-01 PRICE=0.34")
    start = _start(words[1])
    said: dict[str, str] = {}
    for word in words[2:]:
        name, equals, value = word.partition("=")
        if name.upper() not in _NAMES or not equals:
            raise ValueError(f"{word[:40]!r}: not one of {', '.join(f'{each}=' for each in _NAMES)}")
        if name.upper() in said:
            raise ValueError(f"{name.upper()} stands there twice")
        said[name.upper()] = value
    source = said.get("SOURCE")
    if source is not None and not (0 < len(source) <= NAME_LENGTH_MAX and source.isprintable()):
        raise ValueError(f"SOURCE={source[:40]!r}: not a name of 1-{NAME_LENGTH_MAX} characters")
    values = {name: _value(name, said[name]) for name in _BOUNDS if name in said}
    window = None
    if any(name in said for name in _WINDOW):
        window = Window(_days(said.get("DAYS", "Mon-Sun")), *_hours(said.get("HOURS", "00:00-24:00")))
    _check(source, values, window)
    return PriceLine(number, start, source, values, window)


def _check(source: str | None, values: dict[str, float], window: Window | None) -> None:
    prices = [name for name in ("PRICE", "PRICE_M3") if name in values]
    if not values:
        raise ValueError(f"says nothing; it needs one of {', '.join(f'{each}=' for each in _BOUNDS)}")
    if window and (not prices or len(values) > len(prices)):
        raise ValueError("HOURS and DAYS are for PRICE and PRICE_M3 alone; all else holds all day: give it a line of its own")
    if source is None and "STANDING_CHARGE" in values and len(prices) != 1:
        raise ValueError("STANDING_CHARGE needs SOURCE=, or either PRICE= or PRICE_M3= beside it, which says whose it is")
    if source is None and ("CALORIFIC_VALUE" in values or "STATE_NUMBER" in values):
        raise ValueError("CALORIFIC_VALUE and STATE_NUMBER need SOURCE=, the gas meter's")
    if source is not None and len(prices) == 2:
        raise ValueError("PRICE (of a kWh) and PRICE_M3 (of a cubic metre): a source has one of them")


def _start(word: str) -> float:
    try:
        when = datetime.fromisoformat(word)
        if when.tzinfo is not None or when.year < 1971:
            raise ValueError
        return when.timestamp()
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"FROM {word[:40]!r}: not a local date such as 2026-01-01, or 2026-01-01T06:00") from None


def _value(name: str, text: str) -> float:
    low, high = _BOUNDS[name]
    value = float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else high + 1
    if not low <= value <= high:
        raise ValueError(f"{name}={text[:40]!r}: not a number from {low:.10g} to {high:.10g}")
    return value


def _hours(text: str) -> tuple[int, int]:
    found = _HOURS.fullmatch(text)
    if found:
        begin, end = (int(found[n]) * 60 + int(found[n + 1]) for n in (1, 3))
        if begin < DAY_MINUTES and end <= DAY_MINUTES and begin != end and int(found[2]) < 60 and int(found[4]) < 60:
            return begin, end
    raise ValueError(f"HOURS={text[:40]!r}: not from when until when, such as 06:00-22:00 or 22:00-06:00")


def _days(text: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.lower().split(","):
        first, _, last = part.partition("-")
        if first not in _WEEKDAYS or (last or first) not in _WEEKDAYS:
            raise ValueError(f"DAYS={text[:40]!r}: not weekdays such as Sat,Sun or Mon-Fri")
        begin, end = _WEEKDAYS.index(first), _WEEKDAYS.index(last or first)
        found.update(day % 7 for day in range(begin, end + 1 + 7 * (end < begin)))
    return frozenset(found)


def _contradictions(lines: list[PriceLine]) -> list[Wrong]:
    """What one line says, and another says otherwise for the same time; and windows of a day whose rest has no price."""
    wrong: list[Wrong] = []
    said: dict[tuple[object, ...], PriceLine] = {}
    for line in lines:
        for name in line.values:
            whose = (*line[1:3], _kind(line, name), line.window)
            other = said.setdefault(whose, line)
            if other is not line:
                wrong.append(Wrong(line.number, f"{name}: line {other.number} says another for the same time"))
    for line in lines:
        for name in ("PRICE", "PRICE_M3") if line.window else ():
            rest = said.get((*line[1:3], _kind(line, name), None))
            if name in line.values and (rest is None or name not in rest.values):
                wrong.append(
                    Wrong(line.number, f"{name}: the rest of the week has no price; a line with this FROM needs no HOURS and no DAYS")
                )
    return wrong


def _kind(line: PriceLine, name: str) -> str:
    """What may be said once: a source has one price, and all those that count kWh have one, and those that count m3."""
    if name == "STANDING_CHARGE" and line.source is None:
        return f"{name} beside {'PRICE' if 'PRICE' in line.values else 'PRICE_M3'}"
    return "PRICE" if name == "PRICE_M3" and line.source is not None else name


def weekdays(days: frozenset[int]) -> str:
    """As a line says them, such as Sat,Sun."""
    return "Mon-Sun" if len(days) == len(_WEEKDAYS) else ",".join(_WEEKDAYS[day].capitalize() for day in sorted(days))
