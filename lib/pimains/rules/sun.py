"""When the sun rises and sets (ephem, XEphem's astronomy)."""

from __future__ import annotations  # the names of a module that is missing

from datetime import UTC, datetime

import ephem

from pimains.rules.plan.calendar import Sun

_MINUTE = 60.0


class SunAt:
    """At a place, in degrees, north and east positive: its upper edge at the horizon, as almanacs have it."""

    def __init__(self, latitude: float, longitude: float) -> None:
        self._place = ephem.Observer()
        self._place.lat, self._place.lon = str(latitude), str(longitude)
        self._place.pressure, self._place.horizon = 0, "-0:34"  # the refraction of almanacs
        self._sun = ephem.Sun()

    def __call__(self, begin: float, end: float) -> Sun:
        """Of the day from `begin` to `end`, seconds since 1970."""
        rises = self._first(self._place.next_rising, begin, end)
        sets = self._first(self._place.next_setting, begin, end)
        self._place.date = ephem.Date(datetime.fromtimestamp((begin + end) / 2, UTC).replace(tzinfo=None))
        self._sun.compute(self._place)
        return Sun(rises, sets, float(self._sun.alt) + float(self._sun.radius) > float(self._place.horizon))

    def _first(self, ask: object, begin: float, end: float) -> float | None:
        self._place.date = ephem.Date(datetime.fromtimestamp(begin, UTC).replace(tzinfo=None))
        try:
            when = ask(self._sun).datetime().replace(tzinfo=UTC).timestamp()  # type: ignore[operator]  # ephem has no types
        except (ephem.AlwaysUpError, ephem.NeverUpError):
            return None
        return (when - begin) / _MINUTE if when < end else None
