"""Where a host is, without waiting for a name server that is as far away as the host."""

import socket
from collections.abc import Callable, Generator
from contextlib import suppress

from pimains.core.clock import Clock
from pimains.core.errors import Away
from pimains.core.naps import Nap, Readable
from pimains.core.process.function import Forked

_FIRST_SECONDS = 5.0
_MOST = 8


class Address:
    """The addresses of `host`, a name or an address: those found last, while a child looks whether there are others by now.

    `kept` is one at which it was met before ("": none), which is good while there is no name server; `keep` gets another one.
    """

    def __init__(self, host: str, port: int, kept: str = "", keep: Callable[[str], object] = lambda _: None) -> None:
        self.host = host
        self._port = port
        self._is_numeric = _is_numeric(host)
        self._good = kept if _is_numeric(kept.partition("%")[0]) else ""
        self._keep = keep
        self._looking: Forked | None = None
        self.known = [host] if self._is_numeric else []

    def first(self, clock: Clock) -> Generator[Nap, tuple[Readable, ...], None]:
        """Wait a little for the first answer, unless there is something to begin with."""
        if not (self._is_numeric or self._good):
            with suppress(OSError):
                self.known = ((yield from Forked(self._look_up).wait(clock, _FIRST_SECONDS)) or "").split()

    def find(self) -> list[tuple[str, int]]:
        """Addresses with the port, the best one first, never waiting; those of one link with the link's number (fe80::1%2).

        Raises Away while there is none.
        """
        if not self._is_numeric:
            self._look_again()
        # one that its name does not stand for any more may be somebody else's by now
        found = sorted(self.known, key=lambda each: each != self._good) or [self._good]
        if not found[0]:
            raise Away(f"{self.host} has no address (yet)")
        return [(each, self._port) for each in found]

    def was_good(self, address: str) -> None:
        """The host was met there."""
        if address != self._good and not self._is_numeric:
            self._keep(address)
        self._good = address

    def _look_again(self) -> None:
        if self._looking and self._looking.has_ended():
            with suppress(OSError):
                self.known = self._looking.answer().split()
            self._looking = None
        if self._looking is None:
            with suppress(OSError):  # no room for another process now
                self._looking = Forked(self._look_up)

    def _look_up(self) -> str:
        found = [_with_scope(*each[4]) for each in socket.getaddrinfo(self.host, self._port, type=socket.SOCK_STREAM)]
        return " ".join(list(dict.fromkeys(found))[:_MOST])


def _with_scope(address: str, _port: int, _flow: int = 0, scope: int = 0) -> str:
    return f"{address}%{scope}" if scope else address


def _is_numeric(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError):
            socket.inet_pton(family, host)
            return True
    return False
