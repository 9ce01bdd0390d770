"""Durations, moments and ledger entries in the words a person would use. English, and the same everywhere."""

from collections.abc import Mapping
from datetime import datetime, tzinfo

_YEAR_2020 = 1_577_836_800.0


def clock_was_set(wall: float) -> bool:
    """Whether a time in seconds since 1970 can be true: a Pi without a battery clock may begin in 1970."""
    return wall >= _YEAR_2020


def duration(seconds: float) -> str:
    """How long, in one unit: "0.4 s", "95 s", "12 min", "3 h", "5 days"; never more than it was."""
    if seconds < 0.95:
        return f"{max(0.0, seconds):.1f} s"
    for unit, size, end in (("s", 1, 120), ("min", 60, 7200), ("h", 3600, 172800)):
        if seconds < end:
            return f"{int(seconds / size)} {unit}"
    return f"{int(seconds / 86400)} days"


def size(count: int) -> str:
    """How many bytes, in one unit of a thousand: "0 bytes", "12 kB", "3.4 MB", "1.2 TB"."""
    if count < 1000:
        return f"{count} byte{'' if count == 1 else 's'}"
    amount, unit = count / 1000, "kB"
    for larger in ("MB", "GB", "TB"):
        if amount >= 999.5:
            amount, unit = amount / 1000, larger
    return f"{amount:.1f} {unit}" if amount < 9.95 else f"{amount:.0f} {unit}"


def moment(wall: float, now: float, zone: tzinfo | None = None) -> str:
    """When: "21 Nov 03:00:12", with the year where it is another one; both in seconds since 1970, told in `zone` or local time."""
    if not clock_was_set(wall):
        return "at a time not known (the clock was not set)"
    when = datetime.fromtimestamp(wall, zone)
    year = "" if when.year == datetime.fromtimestamp(now, zone).year else f" {when.year}"
    return f"{when.day} {when:%b}{year} {when:%H:%M:%S}"


def ago(seconds: float | None) -> str:
    """How long ago, or in how long when negative; "" when that is not known."""
    if seconds is None:
        return ""
    if 0 <= seconds < 1:
        return "just now"
    return f"{duration(seconds)} ago" if seconds >= 0 else f"in {duration(-seconds)}"


def readings(inputs: Mapping[str, tuple[str, float | None]]) -> str:
    """What was known, with ages: "power 2.4 W (1 s old), relay on (just now), off requested yes"."""
    return ", ".join(f"{name} {value}{_age(age)}" for name, (value, age) in inputs.items())


def _age(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return " (just now)" if 0 <= seconds < 1 else f" ({duration(seconds)} old)"


def entry(
    *,
    wall: float,
    now: float,
    age: float | None,
    subject: str,
    action: str,
    cause: str,
    inputs: Mapping[str, tuple[str, float | None]],
    next_change: float | None,
    zone: tzinfo | None = None,
) -> str:
    """One actuation as a sentence.

    `wall` is when it was, `next_change` when it may next change, `now` the present, all in seconds since 1970;
    `age` is how many seconds ago it was, None when no clock can tell.
    """
    told = moment(wall, now, zone)
    if age is not None:
        told += f" ({ago(age)})"
    return f"{told}: {actuation(now, subject, action, cause, inputs, next_change, zone)}"


def actuation(
    now: float,
    subject: str,
    action: str,
    cause: str,
    inputs: Mapping[str, tuple[str, float | None]],
    next_change: float | None,
    zone: tzinfo | None = None,
) -> str:
    """The same without when it was."""
    told = f"{subject}: {action}"
    if cause:
        told += f", because {cause}"
    told = told.rstrip(".") + "."
    if inputs:
        told += f" Based on: {readings(inputs)}."
    if next_change is not None and next_change > now:
        told += f" May change again at {moment(next_change, now, zone)} ({ago(now - next_change)})."
    return told
