"""The server's side of pimains.shared.fileserver.beats over TCP: beats for everybody who was let in, and what they answer.

With each beat all is done at once: what came since the last one is read, and everybody is told that the server is there. So fifty clients
wake a small Pi no more often than one does. Only who is to leave is heard at once, and who falls silent is given up when its time has come.
"""

import select
from collections.abc import Callable, Iterator
from contextlib import suppress
from socket import socket
from typing import NamedTuple

from pimains.core.clock import Clock
from pimains.core.errors import Away
from pimains.fserver.authentication import Door, Visitor
from pimains.fserver.plan import Hush
from pimains.shared.fileserver.beats import Message, Secret, Unproven
from pimains.shared.plan.beat import ANSWER_SECONDS, BEAT_SECONDS, SERVER_PATIENCE_SECONDS, Hearing

_IDLE_SECONDS = 3600.0


class Guest:
    """Who was let in; `name` is what it proved to be called, `since` and `words` are for people."""

    def __init__(self, visitor: Visitor, now: float) -> None:
        self.lines = visitor.lines
        self.address = visitor.address
        self.end = visitor.end
        self.since = visitor.since
        self.hearing = Hearing(now, SERVER_PATIENCE_SECONDS)
        self.words = "" if self.end else "a client of pistop, without proof"
        self.fate = ""  # why its connection ended

    @property
    def is_pistop(self) -> bool:
        """Whether it is a client of pistop that has proven nothing."""
        return self.end is None

    @property
    def name(self) -> str:
        """What it is called."""
        return self.end.name if self.end else f"pistop@{self.address}"

    def tell(self, word: str, text: str = "") -> None:
        """Say a word to it; one that cannot be told will be noticed as gone."""
        try:
            if self.end:
                self.lines.send(self.end.say(word, text))
            elif word == "leave":
                self.lines.send(b"shutdown\n")
        except Away:
            return


class Event(NamedTuple):
    """What a guest did: joined, words, left or gone (then `text` says why)."""

    word: str
    guest: Guest
    text: str = ""


class Guests:
    """Everybody who came through `listener`; `fileno` becomes readable when there is something to do for `step`."""

    def __init__(
        self,
        listener: socket,
        secret: Secret | None,
        most: int,
        clock: Clock,
        *,
        compat: bool = False,
        say: Callable[[str], None] = print,
    ) -> None:
        self._most = most
        self._clock = clock
        self._say = say
        self._hush = Hush()
        self._by_handle: dict[int, Guest] = {}
        self._missing: list[Guest] = []  # their connections have ended, but they may make new ones in time
        self._next_beat = self._next_loss = clock.monotonic()
        self._door = Door(listener, secret, self._complain, compat=compat)
        self._voices = select.epoll()
        self._urgent = select.epoll()  # what is worth waking up for between two beats
        self._urgent.register(self._door, select.EPOLLIN)

    def fileno(self) -> int:
        """For poll."""
        return self._urgent.fileno()

    @property
    def present(self) -> list[Guest]:
        """Those who are in, by name."""
        return sorted((*self._by_handle.values(), *self._missing), key=lambda guest: guest.name)

    def close_door(self) -> None:
        """Let nobody in any more, and listen closely to those who are in."""
        self._door.close()
        with suppress(FileExistsError):
            self._urgent.register(self._voices, select.EPOLLIN)

    def wait_seconds(self) -> float:
        """Until `step` has something to do that no file tells."""
        if not (self._by_handle or self._missing or self._door.has_visitors):
            return _IDLE_SECONDS
        return max(0.0, min(self._next_beat, self._next_loss) - self._clock.monotonic())

    def step(self) -> Iterator[Event]:
        """Do all that is due; never waits."""
        now = self._clock.monotonic()
        # what is read now, with a beat, was said half-way from the last one, or before a stop of this process for which nobody else
        # is to blame
        spoke = now - ANSWER_SECONDS
        for handle, _ in self._voices.poll(0):
            yield from self._attend(self._by_handle[handle], now, spoke)
        was_idle = not (self._by_handle or self._missing or self._door.has_visitors)
        for visitor in self._door.step(now):
            yield from self._take_in(Guest(visitor, now), visitor.welcome, now)
        if was_idle:
            self._next_beat = now + BEAT_SECONDS
        elif now >= self._next_beat:
            self._next_beat = max(self._next_beat + BEAT_SECONDS, now)
            self._beat()
        yield from self._give_up(now)

    def close(self) -> None:
        """Let go of everybody."""
        for guest in list(self._by_handle.values()):
            self._let_go(guest)
        self._door.remove()
        self._voices.close()
        self._urgent.close()

    def _beat(self) -> None:
        for guest in self._by_handle.values():
            if not guest.is_pistop:
                guest.tell("beat")

    def _give_up(self, now: float) -> Iterator[Event]:
        """Whoever was silent for too long, and whoever has not come back."""
        for guest in [each for each in self._by_handle.values() if not each.is_pistop and each.hearing.is_gone(now)]:
            self._let_go(guest)
            yield Event("gone", guest, f"nothing heard for {SERVER_PATIENCE_SECONDS:g} s")
        for guest in [each for each in self._missing if each.hearing.is_gone(now)]:
            self._missing.remove(guest)
            yield Event("gone", guest, guest.fate)
        there = [guest.hearing.there for guest in (*self._by_handle.values(), *self._missing) if not guest.is_pistop]
        self._next_loss = min(there, default=now) + SERVER_PATIENCE_SECONDS

    def _take_in(self, guest: Guest, welcome: bytes, now: float) -> Iterator[Event]:
        before = self._same_as(guest)
        if before:
            guest.since, guest.words = before.since, before.words
            if before in self._missing:
                self._missing.remove(before)
            else:
                self._let_go(before)
        with suppress(Away):
            guest.lines.send(welcome)
        if len(self._by_handle) + len(self._missing) >= self._most:
            why = f"MAX_CLIENTS is {self._most}, and so many are there"
            guest.tell("refuse", why)
            guest.lines.close()
            self._complain(now, f"{guest.address} is sent away: {guest.name}: {why}")
            return
        self._by_handle[guest.lines.fileno()] = guest
        self._voices.register(guest.lines, select.EPOLLIN)
        if guest.is_pistop:
            guest.lines.keep_alive()
        guest.tell("beat")
        if not before:
            yield Event("joined", guest)

    def _same_as(self, guest: Guest) -> Guest | None:
        """The one that it is, with another connection."""
        return next((each for each in self.present if each.end and guest.end and each.end.id == guest.end.id), None)

    def _attend(self, guest: Guest, now: float, spoke: float) -> Iterator[Event]:
        try:
            for line in guest.lines.read():
                if guest.end is None:
                    if line == b"shutdown":
                        self._complain(now, f"{guest.address} says shutdown: no client shuts this server down")
                    continue
                message = guest.end.receive(line)
                guest.hearing.heard(spoke)
                if message.word != "beat":
                    yield from self._obey(guest, message)
                if message.word == "left":
                    return
        except (Away, Unproven) as error:
            self._let_go(guest)
            if guest.is_pistop:
                yield Event("gone", guest, str(error))
            else:
                guest.fate = str(error)
                self._missing.append(guest)

    def _obey(self, guest: Guest, message: Message) -> Iterator[Event]:
        if message.word == "words":
            guest.words = message.text
            yield Event("words", guest, message.text)
        elif message.word == "left":
            self._let_go(guest)
            yield Event("left", guest, message.text)

    def _complain(self, now: float, text: str) -> None:
        if line := self._hush.line(now, text):
            self._say(line)

    def _let_go(self, guest: Guest) -> None:
        self._by_handle.pop(guest.lines.fileno(), None)
        guest.lines.close()
