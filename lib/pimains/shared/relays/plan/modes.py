"""What people say of a relay: off, auto or on, and for how long; 0 1 2 3 are what PvMonit's mode file has for it."""

import re
from typing import NamedTuple

from pimains.core.plan.text import one_line, shortened
from pimains.shared.relays.plan import day_time

OFF, AUTO, ON = "off", "auto", "on"
_PVMONIT = {"0": OFF, "1": AUTO, "2": AUTO, "3": ON}  # domo: off, auto (off), auto (on), on; its rules wrote 1 and 2
_UNITS = {"s": 1, "min": 60, "m": 60, "h": 3600, "d": 86400, "day": 86400, "days": 86400}
_DURATION = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?) ?(s|min|m|h|days|day|d)")
_LONGEST_SECONDS = 366 * 86400.0
ALLOWED = "off, auto or on; for 2h or until 18:00 after it; or PvMonit's 0 1 2 3"


class Mode(NamedTuple):
    """A `word`, and when it ends, if it does: after `seconds`, or at `until`, in minutes since midnight."""

    word: str
    seconds: float | None = None
    until: int | None = None


def parse(text: str) -> Mode:
    """What a line says. Raises ValueError, whose text is one line for who wrote it."""
    words = text.lower().split(None, 2)
    wrong = ValueError(f"{shortened(repr(one_line(text)), 60)} is no mode ({ALLOWED})")
    word = _PVMONIT.get(words[0], words[0]) if words else ""
    if word not in (OFF, AUTO, ON) or len(words) == 2 or (len(words) == 3 and word == AUTO):
        raise wrong
    if len(words) < 3:
        return Mode(word)
    try:
        if words[1] == "for":
            return Mode(word, seconds=parse_duration(words[2]))
        if words[1] == "until":
            return Mode(word, until=day_time.parse(words[2]))
    except ValueError:
        raise wrong from None
    raise wrong


def parse_duration(text: str) -> float:
    """Seconds of "90s", "30min", "2h" or "1d". Raises ValueError; more than a year is no duration."""
    match = _DURATION.fullmatch(text.strip())
    seconds = float(match[1]) * _UNITS[match[2]] if match else 0.0
    if not 0 < seconds <= _LONGEST_SECONDS:
        raise ValueError
    return seconds


def in_words(mode: Mode) -> str:
    """As `pimains relay` takes it."""
    if mode.until is not None:
        return f"{mode.word} until {day_time.in_words(mode.until)}"
    return f"{mode.word} for {_duration(mode.seconds)}" if mode.seconds else mode.word


def _duration(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"
