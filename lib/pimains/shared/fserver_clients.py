"""The clients of this machine's file servers: the list that each fserver keeps of those who are here now.

/run/pimains/<instance>/clients    a line each: NAME (ADDRESS) since 2026-11-21 05:00: WORDS
"""

import re
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pimains.core import paths, state

_LINE = re.compile(r"(?P<name>\S+) \((?P<address>.*?)\) since (?P<since>[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}): ?(?P<words>.*)")
_MINUTE = "%Y-%m-%d %H:%M"


class PresentClient(NamedTuple):
    """One that is here, since a time in seconds since 1970; `words` are what it says of itself."""

    name: str
    address: str
    since: float
    words: str


def leave(run: Path, clients: Iterable[PresentClient]) -> None:
    """For the file server whose /run/pimains/<instance> is `run`: the list, if it is another one by now. Raises OSError."""
    lines = [f"{name} ({address}) since {_minute(since)}: {words}" for name, address, since, words in clients]
    if lines != listed(run):
        state.write(run / "clients", "\n".join(lines))


def forget(run: Path) -> None:
    """For the file server, when it ends."""
    state.remove(run / "clients")


def listed(run: Path) -> list[str]:
    """A line for each client of that file server."""
    return (state.read(run / "clients") or "").splitlines()


def present(run: Path) -> list[PresentClient]:
    """The clients of that file server, each `since` the minute that the list tells; what is no such line is left out."""
    found = []
    for line in listed(run):
        match = _LINE.fullmatch(line)
        with suppress(ValueError, OverflowError):
            if match:
                since = time.mktime(time.strptime(match["since"], _MINUTE))
                found.append(PresentClient(match["name"], match["address"], since, match["words"]))
    return found


def names() -> list[str]:
    """Those who are here now, of every file server."""
    lines = [line for path in _lists() for line in listed(path.parent)]
    return [line.split()[0] for line in lines if line.strip()]


class ClientsWatch:
    """Tells when somebody may have come or left, of every fserver that has clients."""

    def __init__(self) -> None:
        self._watches: list[state.Watch] = []

    @property
    def files(self) -> tuple[state.Watch, ...]:
        """Readable then, until `begin` or `end`."""
        return tuple(self._watches)

    def begin(self) -> None:
        """From now on; do it before you look who is there."""
        self.end()
        for path in _lists():
            with suppress(OSError):  # its directory has just gone
                self._watches.append(state.Watch(path.parent))

    def end(self) -> None:
        """Watch no more."""
        while self._watches:
            self._watches.pop().close()


def _minute(wall: float) -> str:
    return time.strftime(_MINUTE, time.localtime(wall))


def _lists() -> list[Path]:
    return sorted(paths.run().glob("*/clients"))
