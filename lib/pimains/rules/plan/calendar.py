"""The day as people have it, for a rule: hours, dates, sunrise and sunset, in local time or a zone."""

from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

from pimains.rules.plan.not_known import NotKnown

_DAY = 86400.0
_MINUTE = 60.0


class Sun(NamedTuple):
    """Of one day, in minutes since midnight; None where the sun does not rise, or set, on it, and then `is_up` tells whether it is up."""

    sunrise: float | None
    sunset: float | None
    is_up: bool


SunOf = Callable[[float, float], Sun]  # from the day's first and last second, since 1970; its minutes are those that pass


class Now:
    """The present by the wall clock."""

    __slots__ = ("_begin", "_day", "_end", "_is_plain", "_sun", "_sun_of", "_zone", "wall")

    def __init__(self, zone: tzinfo | None = None, sun_of: SunOf | None = None) -> None:
        self._zone, self._sun_of = zone, sun_of
        self._begin = self._end = self.wall = 0.0
        self._is_plain = True
        self._day = datetime.fromtimestamp(0, zone)
        self._sun: Sun | None = None

    def at(self, wall: float) -> None:
        """It is so late, in seconds since 1970."""
        self.wall = wall
        if not self._begin <= wall < self._end:
            there = datetime.fromtimestamp(wall, self._zone)
            self._day = there.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
            self._begin = self._day.timestamp()
            self._end = (self._day + timedelta(days=1)).timestamp()
            self._is_plain = self._end - self._begin == _DAY
            self._sun = None

    @property
    def seconds_since_midnight(self) -> float:
        """How old the day is: on one when clocks are set, not what the clock shows."""
        return self.wall - self._begin

    @property
    def minutes(self) -> float:
        """What the clock shows, in minutes since midnight."""
        return self._shown_at(self.wall)

    def _shown_at(self, wall: float) -> float:
        if self._is_plain:
            return (wall - self._begin) / _MINUTE
        there = datetime.fromtimestamp(wall, self._zone)
        return there.hour * 60 + there.minute + (there.second + there.microsecond / 1e6) / _MINUTE

    @property
    def hour(self) -> int:
        """0-23."""
        return int(self.minutes // 60)

    @property
    def minute(self) -> int:
        """0-59."""
        return int(self.minutes % 60)

    @property
    def weekday(self) -> int:
        """1 Monday to 7 Sunday."""
        return self._day.isoweekday()

    @property
    def day(self) -> int:
        """1-31."""
        return self._day.day

    @property
    def month(self) -> int:
        """1-12."""
        return self._day.month

    @property
    def year(self) -> int:
        """Such as 2026."""
        return self._day.year

    @property
    def yearday(self) -> int:
        """1-366."""
        return self._day.timetuple().tm_yday

    @property
    def sunrise(self) -> float | None:
        """In minutes since midnight, to be compared with `minutes`; None on a day without one. Raises NotKnown."""
        return self._sun_of_today().sunrise

    @property
    def sunset(self) -> float | None:
        """The same."""
        return self._sun_of_today().sunset

    @property
    def is_day(self) -> bool:
        """Whether the sun is up. Raises NotKnown."""
        sunrise, sunset, is_up = self._sun_of_today()
        minutes = self.minutes
        if sunrise is None or sunset is None:
            if sunrise is None and sunset is None:
                return is_up
            return minutes >= sunrise if sunrise is not None else minutes < (sunset or 0.0)
        if sunrise < sunset:
            return sunrise <= minutes < sunset
        return not sunset <= minutes < sunrise

    def _sun_of_today(self) -> Sun:
        if self._sun is None:
            if self._sun_of is None:
                raise NotKnown("the sun", "LATITUDE and LONGITUDE are not set")
            rises, sets, is_up = self._sun_of(self._begin, self._end)
            sunrise, sunset = (None if after is None else self._shown_at(self._begin + after * _MINUTE) for after in (rises, sets))
            self._sun = Sun(sunrise, sunset, is_up)
        return self._sun
