"""Where a host is, without waiting for a name server that is as far away as the host."""

import socket
from collections.abc import Generator
from contextlib import suppress

from pimains.core.clock import Clock
from pimains.core.errors import Away
from pimains.core.naps import Nap, Readable
from pimains.core.process.function import Forked

_FIRST_SECONDS = 5.0


class Address:
    """The address of `host`, a name or an address: the one found last, while a child looks whether there is another by now."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._found = host if _is_numeric(host) else ""
        self._is_numeric = bool(self._found)
        self._looking: Forked | None = None

    def first(self, clock: Clock) -> Generator[Nap, tuple[Readable, ...], None]:
        """Wait a little for the first answer."""
        if not self._is_numeric:
            with suppress(OSError):
                self._found = (yield from Forked(self._look_up).wait(clock, _FIRST_SECONDS)) or ""

    def find(self) -> tuple[str, int]:
        """Address and port, never waiting; that of one link with the link's number (fe80::1%2). Raises Away while there is none."""
        if not self._is_numeric:
            self._look_again()
        if not self._found:
            raise Away(f"{self._host} has no address (yet)")
        return self._found, self._port

    def _look_again(self) -> None:
        if self._looking and self._looking.has_ended():
            with suppress(OSError):
                self._found = self._looking.answer()
            self._looking = None
        if self._looking is None:
            self._looking = Forked(self._look_up)

    def _look_up(self) -> str:
        address = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)[0][4]
        scope = address[3] if len(address) > 3 else 0
        return f"{address[0]}%{scope}" if scope else str(address[0])


def _is_numeric(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError):
            socket.inet_pton(family, host)
            return True
    return False
