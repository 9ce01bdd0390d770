"""The server's side of pimains.devices.beats over TCP: one epoll for the door and all that came in.

Nothing here trusts what has not been proven: who has not joined within three seconds is sent away, only some may wait at the door
at once, and only a few of one address; when more come, the one that has waited longest goes. All of it is said once a minute.

With `compat` it also takes clients of pistop, which prove nothing: they get to know when to leave, and nothing else.
"""

import select
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import NamedTuple

from pimains.core.clock import Clock
from pimains.core.errors import Away
from pimains.devices.beats import LONGEST_LINE, Message, Secret, ServerEnd, Unproven
from pimains.devices.connection import Lines
from pimains.plan.beat import BEAT_SECONDS, SERVER_PATIENCE_SECONDS, Hearing
from pimains.plan.hush import Hush

_AT_THE_DOOR = 32
_PROOF_SECONDS = 3.0
_ACCEPTED_AT_ONCE = 64
_IDLE_SECONDS = 3600.0


class Guest:
    """Who came in; `name` is what it proved to be called, `since` and `words` are for people."""

    def __init__(self, lines: Lines, address: str, end: ServerEnd | None, now: float) -> None:
        self.lines = lines
        self.address = address
        self.end = end
        self.since = now
        self.hearing = Hearing(now, SERVER_PATIENCE_SECONDS)
        self.words = ""
        self.is_in = False
        self.fate = ""  # why its connection ended
        self.is_full = False  # something waits until its socket can be written

    @property
    def is_pistop(self) -> bool:
        """Whether it is a client of pistop that has proven nothing."""
        return self.end is None

    @property
    def name(self) -> str:
        """What it is called."""
        return self.end.name if self.end else f"pistop@{self.address}"


class Event(NamedTuple):
    """What a guest that is in did: joined, words, left or gone (then `text` says why)."""

    word: str
    guest: Guest
    text: str = ""


class Guests:
    """Everybody who came through `listener`; `fileno` becomes readable when there is something to do for `step`."""

    def __init__(
        self,
        listener: socket.socket,
        secret: Secret | None,
        most: int,
        clock: Clock,
        *,
        compat: bool = False,
        say: Callable[[str], None] = print,
    ) -> None:
        self._listener = listener
        self._secret = secret
        self._most = most
        self._clock = clock
        self._compat = compat
        self._say = say
        self._hush = Hush()
        self._by_handle: dict[int, Guest] = {}
        self._missing: list[Guest] = []  # their connections have ended, but they may make new ones in time
        self._next_beat = clock.monotonic()
        self._epoll = select.epoll()
        self.open_door()

    def fileno(self) -> int:
        """For poll."""
        return self._epoll.fileno()

    @property
    def present(self) -> list[Guest]:
        """Those who are in, by name."""
        there = (guest for guest in self._by_handle.values() if guest.is_in)
        return sorted((*there, *self._missing), key=lambda guest: guest.name)

    def open_door(self) -> None:
        """Let newcomers in."""
        self._epoll.register(self._listener, select.EPOLLIN)

    def close_door(self) -> None:
        """Let nobody in any more, and send away who has not joined yet; the kernel lets newcomers wait for a while."""
        with suppress(FileNotFoundError):
            self._epoll.unregister(self._listener)
        for guest in list(self._by_handle.values()):
            if not guest.is_in:
                self._let_go(guest)

    def wait_seconds(self) -> float:
        """Until `step` has something to do that no file tells."""
        if not self._by_handle and not self._missing:
            return _IDLE_SECONDS
        return max(0.0, self._next_beat - self._clock.monotonic())

    def step(self) -> Iterator[Event]:
        """Do all that is due; never waits."""
        now = self._clock.monotonic()
        for handle, mask in self._epoll.poll(0):
            if handle == self._listener.fileno():
                self._accept(now)
            elif guest := self._by_handle.get(handle):
                yield from self._attend(guest, mask, now)
        if now >= self._next_beat:
            self._next_beat = max(self._next_beat + BEAT_SECONDS, now)
            for guest in list(self._by_handle.values()):
                if guest.is_in and guest.end and not guest.hearing.is_gone(now):
                    self.tell(guest, "beat")
                else:
                    yield from self._look_after(guest, now)
            for guest in [each for each in self._missing if each.hearing.is_gone(now)]:
                self._missing.remove(guest)
                yield Event("gone", guest, guest.fate)

    def tell(self, guest: Guest, word: str, text: str = "") -> None:
        """Say a word to one guest; one that cannot be told will be noticed as gone."""
        if guest in self._missing:
            return
        try:
            if guest.end:
                guest.lines.send(guest.end.say(word, text))
            elif word == "leave":
                guest.lines.send(b"shutdown\n")
        except Away:
            return
        self._watch(guest)

    def close(self) -> None:
        """Let go of everybody."""
        for guest in list(self._by_handle.values()):
            self._let_go(guest)
        self._epoll.close()
        self._listener.close()

    def _accept(self, now: float) -> None:
        for _ in range(_ACCEPTED_AT_ONCE):
            try:
                connection, address = self._listener.accept()
            except OSError:  # none left, or it has gone again, or there are no descriptors: the next step tries again
                return
            guest = Guest(Lines(connection, LONGEST_LINE), str(address[0]).removeprefix("::ffff:"), self._new_end(), now)
            self._by_handle[guest.lines.fileno()] = guest
            self._epoll.register(guest.lines, select.EPOLLIN)
            self._next_beat = min(self._next_beat, now + BEAT_SECONDS) if len(self._by_handle) > 1 else now + BEAT_SECONDS
            self._make_room_at_the_door(now)
            try:
                self._greet(guest)
            except Away:
                self._let_go(guest)

    def _new_end(self) -> ServerEnd | None:
        return ServerEnd(self._secret) if self._secret else None

    def _greet(self, guest: Guest) -> None:
        pistop = f"Connection from {guest.address}\n".encode() if self._compat else b""
        guest.lines.send(pistop + (guest.end.greeting() if guest.end else b""))

    def _make_room_at_the_door(self, now: float) -> None:
        waiting = [guest for guest in self._by_handle.values() if not guest.is_in]
        if len(waiting) <= _AT_THE_DOOR:
            return
        crowd = Counter(guest.address for guest in waiting).most_common(1)[0][0]
        self._send_away(next(guest for guest in waiting if guest.address == crowd), now, "too many are waiting at the door")

    def _attend(self, guest: Guest, mask: int, now: float) -> Iterator[Event]:
        try:
            if mask & select.EPOLLOUT:
                guest.lines.flush()
                self._watch(guest)
            if mask & ~select.EPOLLOUT:
                for line in guest.lines.read():
                    yield from self._receive(guest, line, now)
                    if guest.lines.fileno() < 0:
                        return
        except (Away, Unproven) as error:
            if guest.is_in and guest.is_pistop:
                self._let_go(guest)
                yield Event("gone", guest, str(error))
            elif guest.is_in:
                self._let_go(guest)
                guest.fate = str(error)
                self._missing.append(guest)
            else:
                self._send_away(guest, now, str(error))

    def _receive(self, guest: Guest, line: bytes, now: float) -> Iterator[Event]:
        if not guest.is_in:
            yield from self._receive_at_the_door(guest, line, now)
        elif guest.end:
            message = guest.end.receive(line)
            guest.hearing.heard(now)
            yield from self._obey(guest, message)
        elif line == b"shutdown":
            self._complain(now, f"{guest.address} says shutdown: no client shuts this server down")

    def _receive_at_the_door(self, guest: Guest, line: bytes, now: float) -> Iterator[Event]:
        if self._compat and line == b"wait":
            yield from self._take_in_pistop(guest, now)
            return
        if guest.end is None:
            raise Unproven("no word of a pistop client")
        welcome = guest.end.join(line)
        before = next((each for each in self.present if each.end and each.end.id == guest.end.id), None)
        if before:
            guest.since, guest.words = before.since, before.words
            if before in self._missing:
                self._missing.remove(before)
            else:
                self._let_go(before)
        guest.lines.send(welcome)
        if len(self.present) >= self._most:
            self.tell(guest, "refuse", f"MAX_CLIENTS is {self._most}, and so many are there")
            self._send_away(guest, now, f"{guest.name}: MAX_CLIENTS is {self._most}, and so many are there")
            return
        guest.is_in = True
        guest.hearing.heard(now)
        self.tell(guest, "beat")
        if not before:
            yield Event("joined", guest)

    def _obey(self, guest: Guest, message: Message) -> Iterator[Event]:
        if message.word == "words":
            guest.words = message.text
            yield Event("words", guest, message.text)
        elif message.word == "left":
            self._let_go(guest)
            yield Event("left", guest, message.text)

    def _look_after(self, guest: Guest, now: float) -> Iterator[Event]:
        if guest.is_in and guest.is_pistop:
            return
        if guest.is_in and guest.hearing.is_gone(now):
            self._let_go(guest)
            yield Event("gone", guest, f"nothing heard for {SERVER_PATIENCE_SECONDS:g} s")
        elif now - guest.since >= _PROOF_SECONDS:
            if self._compat:
                yield from self._take_in_pistop(guest, now)
            else:
                self._send_away(guest, now, f"no proof within {_PROOF_SECONDS:g} s")

    def _take_in_pistop(self, guest: Guest, now: float) -> Iterator[Event]:
        if len(self.present) >= self._most:
            self._send_away(guest, now, f"MAX_CLIENTS is {self._most}, and so many are there")
            return
        guest.end, guest.is_in, guest.words = None, True, "a client of pistop, without proof"
        guest.lines.keep_alive()
        yield Event("joined", guest)

    def _send_away(self, guest: Guest, now: float, why: str) -> None:
        self._let_go(guest)
        self._complain(now, f"{guest.address} is sent away: {why}")

    def _complain(self, now: float, text: str) -> None:
        if line := self._hush.line(now, text):
            self._say(line)

    def _watch(self, guest: Guest) -> None:
        """Ask epoll for what this guest waits for; without unsent lines that is only its own words."""
        if guest.lines.has_unsent != guest.is_full:
            guest.is_full = guest.lines.has_unsent
            self._epoll.modify(guest.lines, select.EPOLLIN | (select.EPOLLOUT if guest.is_full else 0))

    def _let_go(self, guest: Guest) -> None:
        self._by_handle.pop(guest.lines.fileno(), None)
        guest.lines.close()
        guest.is_in = False
