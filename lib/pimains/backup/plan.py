"""Dated snapshots of a backup: what they are called, which are kept, and which one somebody means by a date.

Their names are local time, 2026-11-21_01-50-03, so that they sort and can be read on any machine.
"""

import re
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from itertools import pairwise

_FORMAT = "%Y-%m-%d_%H-%M-%S"
_NAME = re.compile(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d")
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:[ T_](\d\d)[:-](\d\d)(?:[:-](\d\d))?)?")
_CLOCKS_BEGIN = 2020  # a Pi without a battery clock may begin in 1970
_SET_BACK = timedelta(hours=2)  # at the end of summer time, or by a time server


def is_name(text: str) -> bool:
    """Whether `text` is the name of a snapshot."""
    return bool(_NAME.fullmatch(text)) and _moment(text) is not None


def name(now: datetime, taken: Collection[str]) -> str:
    """What a snapshot made now is called: another name than all in `taken`; after them if the clock was not set, or a little back.

    Those made while the clock was far ahead do not count then.
    """
    is_unset = now.year < _CLOCKS_BEGIN
    moments = [moment for each in taken if (moment := _moment(each))]
    last = max((moment for moment in moments if is_unset or moment <= now + _SET_BACK), default=now)
    when = last if is_unset else max(now, last)
    while when.strftime(_FORMAT) in taken:
        when += timedelta(seconds=1)
    return when.strftime(_FORMAT)


def superfluous(names: Iterable[str], keep: int, made: str) -> list[str]:
    """Those to remove so that `keep` (at least 1) are left, `made` among them: it has just been made, whatever its date says.

    First go those that another one of the same day follows, then those dated after `made` (the clock was wrong then: they would be the
    youngest for ever), then the others; the oldest first.
    """
    left, gone = sorted(names), []
    while len(left) > max(1, keep):
        followed = [each for each, after in pairwise(left) if each[:10] == after[:10] and each != made]
        in_the_future = [each for each in left if each > made]
        gone.append((followed or in_the_future or [each for each in left if each != made])[0])
        left.remove(gone[-1])
    return gone


def meant(names: Iterable[str], date: str) -> str | None:
    """The last one made not later than `date`: "2026-11-21" (the end of that day), "2026-11-21 01:50" or a name.

    None if all were made later. Raises ValueError for what is no date.
    """
    found = _DATE.fullmatch(date.strip())
    if not found:
        raise ValueError(date)
    day, hour, minute, second = found.groups()
    limit = f"{day}_{hour or '23'}-{minute or '59'}-{second or '59'}"
    datetime.strptime(limit, _FORMAT)  # compared with names, which are local time too
    return max((each for each in names if each <= limit), default=None)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, _FORMAT)  # local time, as written
    except ValueError:
        return None
