"""The values of the house as a stream of messages: what is told of each, and what a listener gets who does not keep up.

A message is {"at": wall seconds, "values": {"relays/3.state": {"v": "on", "age": 0.2}, "ups/status": {"v": null}}}; null: not known
(any more). One that holds everything has "all": true: what it does not name is not known. An age of null: no clock can tell.
"""

from typing import Any, NamedTuple

from pimains.core.plan.text import one_line, shortened

ALIVE = "alive"
LONGEST = 300  # characters
VALUES_MAX = 5000
WAITING_BYTES_MAX = 64 * 1024  # of each listener's: some ten seconds of a busy house
_LONGEST_NAME = 100
_TO_COME_SECONDS = 2.0  # so much may a clock be slewed, and the kernel's time of files be apart from it


class Value(NamedTuple):
    """One line that a service has left: `age` in seconds, None where no clock can tell; `is_alive` is whether that service is up."""

    text: str
    age: float | None
    is_alive: bool


class Written(NamedTuple):
    """A value in memory: its line and when it was written, by the monotonic clock; None: not known."""

    text: str
    at: float | None


class Table:
    """All values by name (INSTANCE/VALUE), and which have changed since they were last told. More than VALUES_MAX are left out."""

    def __init__(self) -> None:
        self._values: dict[str, Written] = {}
        self._changed: set[str] = set()

    def put(self, name: str, text: str, at: float | None) -> None:
        """It was written: also as it was before, for then it is younger."""
        written = Written(text, at)
        if self._values.get(name) == written or (name not in self._values and len(self._values) >= VALUES_MAX):
            return
        self._values[name] = written
        self._changed.add(name)

    def drop(self, name: str) -> None:
        """It is not known any more."""
        if self._values.pop(name, None):
            self._changed.add(name)

    def names(self, prefix: str = "") -> list[str]:
        """Those that are known and begin so."""
        return [name for name in self._values if name.startswith(prefix)]

    def values(self, prefix: str, now: float) -> dict[str, Value]:
        """Those whose names begin with `prefix`; `now` is the monotonic clock."""
        found = {name: self._values[name] for name in self.names(prefix)}
        return {name: Value(each.text, _age(each, now), alive_of(name) in self._values) for name, each in found.items()}

    def news(self, now: float, wall: float) -> dict[str, Any] | None:
        """A message with what has changed since the last one, None if nothing has."""
        names, self._changed = self._changed, set()
        return {"at": wall, "values": {name: self._told(name, now) for name in sorted(names)}} if names else None

    def everything(self, now: float, wall: float) -> dict[str, Any]:
        """A message with all that is known."""
        return {"at": wall, "all": True, "values": {name: self._told(name, now) for name in sorted(self._values)}}

    def _told(self, name: str, now: float) -> dict[str, Any]:
        written = self._values.get(name)
        if written is None:
            return {"v": None}
        age = _age(written, now)
        return {"v": written.text, "age": age if age is None else round(age, 1)}


class Waiting:
    """What waits for one listener. Who is more than WAITING_BYTES_MAX behind loses that, and gets everything in its place."""

    def __init__(self) -> None:
        self._bytes = 0
        self._messages: list[bytes] = []
        self._lost = True  # who has just come knows nothing

    def put(self, message: bytes) -> None:
        """For later."""
        if self._lost:
            return
        self._bytes += len(message)
        if self._messages and self._bytes > WAITING_BYTES_MAX:
            self._drop()
            self._lost = True
        else:
            self._messages.append(message)

    def take(self) -> bytes | None:
        """All that waits, as one; None: everything is to be told."""
        if self._lost:
            self._lost = False
            return None
        taken = b"".join(self._messages)
        self._drop()
        return taken

    def _drop(self) -> None:
        self._messages.clear()
        self._bytes = 0

    def __bool__(self) -> bool:
        return self._lost or bool(self._messages)


def alive_of(name: str) -> str:
    """The value that says whether the service is up which has left this one."""
    return f"{name.partition('/')[0]}/{ALIVE}"


def is_name(name: str) -> bool:
    """Whether a file is called as values are."""
    return 0 < len(name) <= _LONGEST_NAME and not name.startswith(".") and name.isprintable() and name != ALIVE


def line(content: str) -> str:
    """What is told of a file: its lines as one, of which no more than LONGEST characters, ending in an ellipsis then."""
    return shortened(one_line(content), LONGEST)


def _age(written: Written, now: float) -> float | None:
    return None if written.at is None else max(0.0, now - written.at)


def written_at(now: float, wall: float, mtime: float, noticed_after: float | None) -> float | None:
    """When a file was written, by the monotonic clock, whose 0 is the boot.

    `mtime` is by the wall clock, which may have been set since: older than the boot or still to come is not known, and one that has
    changed under our eyes is no older than our look before, `noticed_after`.
    """
    age = max(0.0, wall - mtime)
    if noticed_after is not None:
        return now - min(age, max(0.0, now - noticed_after))
    return now - age if age <= now and mtime - wall < _TO_COME_SECONDS else None
