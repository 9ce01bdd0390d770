"""Guessing a password: a few wrong ones are free, then each costs time, for those at the same place alone."""

import ipaddress


class Attempts:
    """`free` wrong attempts of a place at once, then one each `seconds_each`; of `places_max` places, which bounds what is remembered.

    Times are seconds of a monotonic clock.
    """

    def __init__(self, free: int = 10, seconds_each: float = 6.0, places_max: int = 1000) -> None:
        self._free = free
        self._seconds_each = seconds_each
        self._places_max = places_max
        self._paid_at: dict[str, float] = {}  # when all of its wrong ones are forgotten

    def wait_seconds(self, place: str, now: float) -> float:
        """Until it may try again; 0 if it may now."""
        owed = self._paid_at.get(_network(place), now) - now
        return max(0.0, owed - (self._free - 1) * self._seconds_each)

    def failed(self, place: str, now: float) -> None:
        """It was a wrong one."""
        name = _network(place)
        self._paid_at[name] = max(now, self._paid_at.pop(name, now)) + self._seconds_each
        if len(self._paid_at) > self._places_max:
            self._paid_at = {place: paid for place, paid in self._paid_at.items() if paid > now}
            while len(self._paid_at) > self._places_max:
                del self._paid_at[next(iter(self._paid_at))]

    def succeeded(self, place: str) -> None:
        """It knows the password."""
        self._paid_at.pop(_network(place), None)


def _network(place: str) -> str:
    """Who has one IPv6 address has 2^64 of them (RFC 6177)."""
    try:
        address = ipaddress.ip_address(place.partition("%")[0])
    except ValueError:
        return place
    return place if address.version == 4 else str(ipaddress.ip_network((int(address), 64), strict=False).network_address)
