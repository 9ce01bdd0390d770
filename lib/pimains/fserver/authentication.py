"""Where a file server's clients knock: nobody comes in who has not proven to know the secret.

Nothing here trusts what has not been proven: who has not joined within three seconds is sent away, only some may wait at once,
and only a few of one address; when more come, the one that has waited longest goes. All of it is said once a minute.

With `compat` clients of pistop, which prove nothing, come in too: by their word, or by saying nothing.
"""

import select
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from socket import socket

from pimains.core.errors import Away
from pimains.shared.fileserver.beats import LONGEST_LINE, Secret, ServerEnd, Unproven
from pimains.shared.fileserver.tcp_lines import Lines, accept

_UNPROVEN_MAX = 32
_PROOF_SECONDS = 3.0
_ACCEPTED_AT_ONCE = 64


class Visitor:
    """Who knocked at `since`, monotonic seconds; without `end` it is a client of pistop."""

    def __init__(self, lines: Lines, address: str, end: ServerEnd | None, since: float) -> None:
        self.lines = lines
        self.address = address
        self.end = end
        self.since = since
        self.welcome = b""  # what it is to be told first, once it has proven itself


class Authentication:
    """Visitors who came through `listener`; `fileno` becomes readable when there is something to do for `step`.

    `complain` gets the time and why somebody was sent away.
    """

    def __init__(self, listener: socket, secret: Secret | None, complain: Callable[[float, str], None], *, compat: bool) -> None:
        self._listener = listener
        self._secret = secret
        self._complain = complain
        self._compat = compat
        self._waiting: dict[int, Visitor] = {}
        self._epoll = select.epoll()
        self._epoll.register(listener, select.EPOLLIN)

    def fileno(self) -> int:
        """For poll and epoll."""
        return self._epoll.fileno()

    @property
    def has_visitors(self) -> bool:
        """Whether somebody waits, of whom `step` loses its patience some time."""
        return bool(self._waiting)

    def close(self) -> None:
        """Let nobody knock any more, and send everybody away who waits; the kernel lets newcomers wait for a while."""
        with suppress(FileNotFoundError):
            self._epoll.unregister(self._listener)
        for visitor in list(self._waiting.values()):
            self._send_away(visitor)

    def remove(self) -> None:
        """Nobody is listened to any more."""
        self.close()
        self._epoll.close()
        self._listener.close()

    def step(self, now: float) -> Iterator[Visitor]:
        """Those who may come in now; never waits."""
        for handle, _ in self._epoll.poll(0):
            if handle == self._listener.fileno():
                self._accept(now)
            elif (visitor := self._waiting.get(handle)) and self._has_proven(visitor, now):
                yield self._let_in(visitor)
        for visitor in [each for each in self._waiting.values() if now - each.since >= _PROOF_SECONDS]:
            if self._compat:
                visitor.end = None
                yield self._let_in(visitor)
            else:
                self._send_away(visitor, now, f"no proof within {_PROOF_SECONDS:g} s")

    def _accept(self, now: float) -> None:
        for _ in range(_ACCEPTED_AT_ONCE):
            try:
                connection, address = accept(self._listener)
            except OSError:  # none left, or it has gone again, or there are no descriptors: the next step tries again
                return
            end = ServerEnd(self._secret) if self._secret else None
            visitor = Visitor(Lines(connection, LONGEST_LINE), address, end, now)
            self._waiting[visitor.lines.fileno()] = visitor
            self._epoll.register(visitor.lines, select.EPOLLIN)
            self._make_room(now)
            try:
                visitor.lines.send(self._greeting(visitor))
            except Away:
                self._send_away(visitor)

    def _greeting(self, visitor: Visitor) -> bytes:
        pistop = f"Connection from {visitor.address}\n".encode() if self._compat else b""
        return pistop + (visitor.end.greeting() if visitor.end else b"")

    def _make_room(self, now: float) -> None:
        if len(self._waiting) <= _UNPROVEN_MAX:
            return
        crowd = Counter(visitor.address for visitor in self._waiting.values()).most_common(1)[0][0]
        first = next(visitor for visitor in self._waiting.values() if visitor.address == crowd)
        self._send_away(first, now, "too many are waiting at the door")

    def _has_proven(self, visitor: Visitor, now: float) -> bool:
        try:
            for line in visitor.lines.read():
                if self._compat and line == b"wait":
                    visitor.end = None
                    return True
                if visitor.end is None or visitor.welcome:
                    raise Unproven("no word of a client that waits to be let in")
                visitor.welcome = visitor.end.join(line)
        except (Away, Unproven) as error:
            self._send_away(visitor, now, str(error))
            return False
        return bool(visitor.welcome)

    def _let_in(self, visitor: Visitor) -> Visitor:
        handle = visitor.lines.fileno()
        self._epoll.unregister(handle)
        return self._waiting.pop(handle)

    def _send_away(self, visitor: Visitor, now: float = 0.0, why: str = "") -> None:
        self._waiting.pop(visitor.lines.fileno(), None)
        visitor.lines.close()
        if why:
            self._complain(now, f"{visitor.address} is sent away: {why}")
