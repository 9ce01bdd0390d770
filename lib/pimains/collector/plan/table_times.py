"""Times as tables have them: seconds since 1970, a moment, or a whole day, month or year.

A time without a zone is local: where an hour comes twice in autumn, its second time follows its first. All times of a
table are of one kind, and their days and months in one order.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

from pimains.collector.plan.date_words import in_numbers

Form = Literal["seconds", "moment", "day", "month", "year"]
PERIODS = ("day", "month", "year")
LATEST = 253_402_300_799.0
_DAY_SECONDS = 86_400.0

_CLOCK = r"(?:[ T]+([0-2]?[0-9]):([0-5][0-9])(?::([0-5][0-9]))?)?"
_POINTS = re.compile(r"([0-3]?[0-9])\.([01]?[0-9])\.([0-9]{4})" + _CLOCK)
_SLASHES = re.compile(r"([0-3]?[0-9])/([0-3]?[0-9])/([0-9]{4})" + _CLOCK)
_WITHOUT_YEAR = re.compile(r"[0-3]?[0-9][./-][01]?[0-9][./]?(?:[ T]+[0-9]{1,2}:.*)?")
_YEAR_OF_TWO = re.compile(r"[0-3]?[0-9][./-][0-3]?[0-9][./-][0-9]{2}(?:[ T].*)?")
_MONTH = re.compile(r"([0-9]{4})-([01]?[0-9])")
_MONTH_FIRST = re.compile(r"([01]?[0-9])[./]([0-9]{4})")
_MONTH_AND_TWO = re.compile(r"[^\W\d_]{3,9}\.?[ -][0-9]{2}")
_SUM = re.compile(r"(?:sum|summe|total|gesamt|somme|insgesamt)\b.*", re.IGNORECASE)


class Told(NamedTuple):
    """A time in a table, in seconds since 1970: a moment, where `start` and `end` are the same, or the whole of a day, month or year."""

    start: float
    end: float


class Times:
    """The times of one column; `is_utc`: those without a zone are UTC."""

    def __init__(self, is_utc: bool = False) -> None:
        self.form: Form | None = None
        self._is_utc = is_utc
        self._is_day_first: bool | None = None
        self._are_years = False

    def learn(self, texts: Iterable[str]) -> None:
        """The first of them: 21/11/2026 among them tells what 03/04/2026 is, and 2026 is a year only where all are."""
        seen = [in_numbers(text) for text in texts if text]
        self._are_years = bool(seen) and all(re.fullmatch("(?:19|20)[0-9]{2}", text) for text in seen)
        for text in seen:
            if (found := _SLASHES.fullmatch(text)) and (int(found[1]) > 12) != (int(found[2]) > 12):
                self._is_day_first = int(found[1]) > 12
                return

    def read(self, text: str, reached: float) -> Told:
        """What a text means that follows the time `reached`. Raises ValueError with what is wrong with it."""
        if self.form == "seconds" and len(text) == len("1795266300") and text.isdecimal():  # there may be millions
            return Told(seconds := float(text), seconds)
        form, start, end = self._read(in_numbers(text), reached)
        if not 0 <= start <= end <= LATEST:
            raise ValueError(_no_time(text))
        if self.form is None:
            self.form = form
        elif form != self.form:
            raise ValueError(f"{text[:40]!r} is a {form}, and the times above it are {self.form.removesuffix('s')}s")
        return Told(start, end)

    def _read(self, text: str, reached: float) -> tuple[Form, float, float]:
        if self._are_years and re.fullmatch("[0-9]{4}", text):
            return self._whole("year", int(text), 1, 1)
        try:
            seconds = float(text)
        except ValueError:
            pass
        else:
            if not (dotted := _MONTH_FIRST.fullmatch(text)) or int(dotted[1]) > 12:
                seconds = seconds / 1000 if seconds > 1e11 else seconds  # milliseconds
                return "seconds", seconds, seconds
        if found := _MONTH.fullmatch(text):
            return self._whole("month", int(found[1]), int(found[2]), 1)
        if found := _MONTH_FIRST.fullmatch(text):
            return self._whole("month", int(found[2]), int(found[1]), 1)
        moment, is_day = self._moment(text)
        if is_day:
            return self._whole("day", moment.year, moment.month, moment.day)
        try:
            seconds = moment.timestamp()
            if moment.tzinfo is None and seconds <= reached < moment.replace(fold=1).timestamp():
                seconds = moment.replace(fold=1).timestamp()
        except (ValueError, OverflowError, OSError):
            raise ValueError(_no_time(text)) from None
        return "moment", seconds, seconds

    def _moment(self, text: str) -> tuple[datetime, bool]:
        """A date and time, and whether it is a date alone."""
        found = _POINTS.fullmatch(text) or _SLASHES.fullmatch(text)
        zone = UTC if self._is_utc else None
        try:
            if found is None:
                moment = datetime.fromisoformat(text)
                is_day = len(text) <= len("2026-11-21")
                return (moment.replace(tzinfo=zone) if moment.tzinfo is None and not is_day else moment), is_day
            first, second, year, hour, minute, rest = found.groups()
            day, month = int(first), int(second)
            if "/" in text:
                if self._is_day_first is None and day != month:
                    raise _Unclear(f"{text[:40]!r} may be two dates, and no line says which is the month: write it as 2026-11-21")
                if self._is_day_first is False:
                    day, month = month, day
            if hour == "24" and minute == "00" and int(rest or 0) == 0:
                return datetime(int(year), month, day, tzinfo=zone) + timedelta(days=1), False
            return datetime(int(year), month, day, int(hour or 0), int(minute or 0), int(rest or 0), tzinfo=zone), hour is None
        except _Unclear:
            raise
        except ValueError:
            raise ValueError(_no_time(text)) from None

    def _whole(self, form: Form, year: int, month: int, day: int) -> tuple[Form, float, float]:
        zone = UTC if self._is_utc and form == "day" else None
        try:
            start = datetime(year, month, day, tzinfo=zone)
            return form, start.timestamp(), following(start, form).timestamp()
        except (ValueError, OverflowError, OSError):
            raise ValueError(f"{year}-{month:02}-{day:02} is no date") from None


class _Unclear(ValueError):
    pass


def following(start: datetime, form: str) -> datetime:
    """The local day, month or year after the one that begins then."""
    if form == "day":
        return start + timedelta(days=1)
    if form == "month":
        return start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    return start.replace(year=start.year + 1)


def moved(time: float, step: float, by: int) -> float:
    """The time one step later (`by` 1) or earlier (-1) in a table whose lines are `step` seconds apart, days and months as they are."""
    local = datetime.fromtimestamp(time)
    if (local.hour, local.minute, local.second) == (0, 0, 0):
        if abs(step - _DAY_SECONDS) <= 3600:
            return (local + timedelta(days=by)).timestamp()
        if local.day == 1 and 28 * _DAY_SECONDS - 3600 <= step <= 31 * _DAY_SECONDS + 3600:
            month = local.month - 1 + by
            return local.replace(year=local.year + month // 12, month=month % 12 + 1).timestamp()
        if (local.month, local.day) == (1, 1) and 365 * _DAY_SECONDS - 3600 <= step <= 366 * _DAY_SECONDS + 3600:
            return local.replace(year=local.year + by).timestamp()
    return time + by * step


def _no_time(text: str) -> str:
    if _SUM.fullmatch(text):
        return f"{text[:40]!r} is no time: take lines that are sums out"
    if not text:
        return "it has no time: take lines that are sums or empty out"
    if _WITHOUT_YEAR.fullmatch(text):
        return f"{text[:40]!r} has no year: write it as 2026-11-21"
    if _YEAR_OF_TWO.fullmatch(text):
        return f"{text[:40]!r} has a year of two digits: write it as 2026-11-21"
    if _MONTH_AND_TWO.fullmatch(text):
        return f"{text[:40]!r} has no year of four digits: write it as 2026-11"
    return f"{text[:40]!r} is no time such as 2026-11-21 14:05, 21.11.2026 14:05, 2026-11 or 1795266300"
