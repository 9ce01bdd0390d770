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
from pimains.fserver.authentication import Authentication, Visitor
from pimains.fserver.plan import RateLimit
from pimains.shared.fileserver.beats import Message, Secret, Unproven
from pimains.shared.plan.beat import ANSWER_SECONDS, BEAT_SECONDS, SERVER_PATIENCE_SECONDS, Hearing

_IDLE_SECONDS = 3600.0


class Client:
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
    """What a client did: joined, words, left or gone (then `text` says why)."""

    word: str
    client: Client
    text: str = ""


class Clients:
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
        self._complaints = RateLimit()
        self._by_handle: dict[int, Client] = {}
        self._missing: list[Client] = []  # their connections have ended, but they may make new ones in time
        self._next_beat = self._next_loss = clock.monotonic()
        self._authentication = Authentication(listener, secret, self._complain, compat=compat)
        self._voices = select.epoll()
        self._urgent = select.epoll()  # what is worth waking up for between two beats
        self._urgent.register(self._authentication, select.EPOLLIN)

    def fileno(self) -> int:
        """For poll."""
        return self._urgent.fileno()

    @property
    def present(self) -> list[Client]:
        """Those who are in, by name."""
        return sorted((*self._by_handle.values(), *self._missing), key=lambda client: client.name)

    def admit_nobody(self) -> None:
        """Let nobody in any more, and listen closely to those who are in."""
        self._authentication.close()
        with suppress(FileExistsError):
            self._urgent.register(self._voices, select.EPOLLIN)

    def wait_seconds(self) -> float:
        """Until `step` has something to do that no file tells."""
        if not (self._by_handle or self._missing or self._authentication.has_visitors):
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
        was_idle = not (self._by_handle or self._missing or self._authentication.has_visitors)
        for visitor in self._authentication.step(now):
            yield from self._take_in(Client(visitor, now), visitor.welcome, now)
        if was_idle:
            self._next_beat = now + BEAT_SECONDS
        elif now >= self._next_beat:
            self._next_beat = max(self._next_beat + BEAT_SECONDS, now)
            self._beat()
        yield from self._give_up(now)

    def close(self) -> None:
        """Let go of everybody."""
        for client in list(self._by_handle.values()):
            self._let_go(client)
        self._authentication.remove()
        self._voices.close()
        self._urgent.close()

    def _beat(self) -> None:
        for client in self._by_handle.values():
            if not client.is_pistop:
                client.tell("beat")

    def _give_up(self, now: float) -> Iterator[Event]:
        """Whoever was silent for too long, and whoever has not come back."""
        for client in [each for each in self._by_handle.values() if not each.is_pistop and each.hearing.is_gone(now)]:
            self._let_go(client)
            yield Event("gone", client, f"nothing heard for {SERVER_PATIENCE_SECONDS:g} s")
        for client in [each for each in self._missing if each.hearing.is_gone(now)]:
            self._missing.remove(client)
            yield Event("gone", client, client.fate)
        there = [client.hearing.there for client in (*self._by_handle.values(), *self._missing) if not client.is_pistop]
        self._next_loss = min(there, default=now) + SERVER_PATIENCE_SECONDS

    def _take_in(self, client: Client, welcome: bytes, now: float) -> Iterator[Event]:
        before = self._same_as(client)
        if before:
            client.since, client.words = before.since, before.words
            if before in self._missing:
                self._missing.remove(before)
            else:
                self._let_go(before)
        with suppress(Away):
            client.lines.send(welcome)
        if len(self._by_handle) + len(self._missing) >= self._most:
            why = f"MAX_CLIENTS is {self._most}, and so many are there"
            client.tell("refuse", why)
            client.lines.close()
            self._complain(now, f"{client.address} is sent away: {client.name}: {why}")
            return
        self._by_handle[client.lines.fileno()] = client
        self._voices.register(client.lines, select.EPOLLIN)
        if client.is_pistop:
            client.lines.keep_alive()
        client.tell("beat")
        if not before:
            yield Event("joined", client)

    def _same_as(self, client: Client) -> Client | None:
        """The one that it is, with another connection."""
        return next((each for each in self.present if each.end and client.end and each.end.id == client.end.id), None)

    def _attend(self, client: Client, now: float, spoke: float) -> Iterator[Event]:
        try:
            for line in client.lines.read():
                if client.end is None:
                    if line == b"shutdown":
                        self._complain(now, f"{client.address} says shutdown: no client shuts this server down")
                    continue
                message = client.end.receive(line)
                client.hearing.heard(spoke)
                if message.word != "beat":
                    yield from self._obey(client, message)
                if message.word == "left":
                    return
        except (Away, Unproven) as error:
            self._let_go(client)
            if client.is_pistop:
                yield Event("gone", client, str(error))
            else:
                client.fate = str(error)
                self._missing.append(client)

    def _obey(self, client: Client, message: Message) -> Iterator[Event]:
        if message.word == "words":
            client.words = message.text
            yield Event("words", client, message.text)
        elif message.word == "left":
            self._let_go(client)
            yield Event("left", client, message.text)

    def _complain(self, now: float, text: str) -> None:
        if line := self._complaints.line(now, text):
            self._say(line)

    def _let_go(self, client: Client) -> None:
        self._by_handle.pop(client.lines.fileno(), None)
        client.lines.close()
