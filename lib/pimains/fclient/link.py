"""A client's side of pimains.shared.fileserver.beats over TCP: one link to the file server, which outlives its connections.

When the connection ends, or has been silent for a moment, another one is tried at once beside it, and the first that is proven
takes over: a switch that reboots or a Wi-Fi that roams changes nothing. Only after CLIENT_PATIENCE_SECONDS is the server gone.
"""

import select
from collections.abc import Callable, Iterator
from typing import NamedTuple

from pimains.core.clock import Clock
from pimains.core.errors import Away
from pimains.fclient.connecting import Joined, Joining
from pimains.shared.fileserver.beats import End, Message, Unproven
from pimains.shared.fileserver.tcp_lines import Lines
from pimains.shared.plan import beat

_IDLE_SECONDS = 3600.0


class Event(NamedTuple):
    """What came over the link: joined, leave (with the reason) or gone."""

    word: str
    text: str = ""


class Link:
    """The link to the fserver at `find()`, its addresses and ports; `fileno` becomes readable when `step` has something to do.

    `find` raises Away while the address is not known; `new_end` makes this end of each conversation. `expects` is for one
    that was joined before this process began: it is gone, too, if it does not come back in time.
    """

    def __init__(
        self,
        find: Callable[[], list[tuple[str, int]]],
        new_end: Callable[[], End],
        clock: Clock,
        retry_seconds_max: float,
        *,
        expects: bool = False,
        say: Callable[[str], None] = print,
    ) -> None:
        self._clock = clock
        self._retry_seconds_max = retry_seconds_max
        self._say = say
        self._epoll = select.epoll()
        self._line: tuple[Lines, End] | None = None
        self._hearing = beat.Hearing(clock.monotonic(), beat.CLIENT_PATIENCE_SECONDS)
        self._next_answer = float("inf")
        self._answered: float | None = None  # when, unless that is known to have arrived
        self._has_met = False  # whether this process has ever been joined
        self._words = ""  # the last ones for the server
        self._joining = Joining(find, new_end, retry_seconds_max, self._hearing, self._epoll, say)
        self.is_joined = expects
        self.peer = ""  # the address where it was joined last
        self._due = clock.monotonic()  # when the next step should come at the latest

    def fileno(self) -> int:
        """For poll."""
        return self._epoll.fileno()

    @property
    def refused(self) -> str:
        """Why a server that answers does not take this client, which no waiting cures; "" if none does that."""
        return self._joining.refused

    @property
    def hindrance(self) -> str:
        """Why it could not even be tried last to join it: its name has no address, there is no network."""
        return self._joining.hindrance

    @property
    def last_heard(self) -> float:
        """When the server was heard last, monotonic seconds."""
        return self._hearing.last

    @property
    def is_in_doubt(self) -> bool:
        """Whether the server may soon be taken for gone."""
        return self.is_joined and (not self._line or self._hearing.is_in_doubt(self._clock.monotonic()))

    def wait_seconds(self) -> float:
        """Until `step` has something to do that no file tells."""
        now = self._clock.monotonic()
        waits = [self._next_answer - now]
        if self.is_joined and (not self._line or self._line[1].has_beats):
            waits.append(self._hearing.seconds_left(now))
        due = self._joining.due(in_a_hurry=self.is_joined)
        if self._joining.is_trying or not self._line:
            waits.append(due - now)
        elif self._line[1].has_beats:
            waits.append(max(self._hearing.last + beat.DOUBT_SECONDS, due) - now)
        else:
            waits.append(_IDLE_SECONDS)
        return max(0.0, min(waits))

    def step(self) -> Iterator[Event]:
        """Do all that is due; never waits."""
        now = self._clock.monotonic()
        if self.is_joined and now - self._due >= beat.CLIENT_PATIENCE_SECONDS:
            self._wake(now)
        for handle, _ in self._epoll.poll(0):
            if self._line and handle == self._line[0].fileno():
                yield from self._read_line(now)
            elif self._joining.is_at(handle) and (joined := self._joining.read(handle, now, in_a_hurry=self.is_joined)):
                yield from self._take_over(joined, now)
        if self._line and not self._line[1].has_beats:
            self._hearing.heard(now)
        if now >= self._next_answer:
            self._answer(now)
        if self.is_joined and self._hearing.is_gone(now):
            self._see_what_arrived()
            if self._hearing.is_gone(now):
                self.is_joined = False
                self._drop_line()
                yield Event("gone", f"nothing heard for {beat.CLIENT_PATIENCE_SECONDS:g} s")
        self._joining.give_up_late(now, in_a_hurry=self.is_joined)
        if not self._line or self._hearing.is_in_doubt(now):
            self._joining.try_again(now, in_a_hurry=self.is_joined)
        self._due = now + self.wait_seconds()

    def say(self, word: str, text: str = "") -> None:
        """Tell the server, as far as there is a connection."""
        if word == "words":
            self._words = text
        if not self._line:
            return
        self._see_what_arrived()
        lines, end = self._line
        try:
            lines.send(end.say(word, text))
        except Away:
            self._drop_line()

    def leave(self, text: str) -> None:
        """Say that this client has left, and let go; it joins again when it can."""
        self.say("left", text)
        self.pause()

    def pause(self) -> None:
        """Let go of the server; the next try comes after the usual time."""
        self._drop_line()
        self.is_joined = False
        self._joining.drop()
        self._joining.begin_at(self._clock.monotonic() + beat.retry_seconds(0, self._retry_seconds_max))

    def close(self) -> None:
        """Let go of everything."""
        self.pause()
        self._epoll.close()

    def _wake(self, now: float) -> None:
        """This machine, or this process, has slept: what lies in the socket is old. Only a new proof tells that the server is there now."""
        self._drop_line()
        self._joining.drop()
        self._joining.begin_at(now)
        self._hearing.woke(now)

    def _take_over(self, joined: Joined, now: float) -> Iterator[Event]:
        self._drop_line()
        self._line = joined.lines, joined.end
        self.peer = joined.address
        if self.is_joined and self._words:  # the server may have been restarted
            self.say("words", self._words)
        for message in joined.messages:
            if self._line:
                yield from self._obey(message, now)

    def _read_line(self, now: float) -> Iterator[Event]:
        assert self._line  # noqa: S101  # its caller found it there
        try:
            for line in self._line[0].read():
                if self._line:
                    yield from self._obey(self._line[1].receive(line), now)
        except (Away, Unproven) as error:
            if self._line and self.is_joined:
                self._say(f"the connection to the server is lost: {error}")
            self._drop_line()
            self._joining.begin_at(now)

    def _obey(self, message: Message, now: float) -> Iterator[Event]:
        self._hearing.heard(now)
        if not (self.is_joined and self._has_met):
            self.is_joined = self._has_met = True
            yield Event("joined")
        if self._line and self._line[1].has_beats:
            self._next_answer = now + beat.ANSWER_SECONDS
        if message.word == "leave":
            yield Event("leave", message.text)

    def _answer(self, now: float) -> None:
        self._next_answer = float("inf")
        self.say("beat")
        self._answered = now

    def _see_what_arrived(self) -> None:
        if self._line and self._answered is not None and self._line[0].has_arrived():
            self._hearing.reached(self._answered)
            self._answered = None

    def _drop_line(self) -> None:
        if self._line:
            self._see_what_arrived()
            self._line[0].close()
        self._line = None
        self._next_answer, self._answered = float("inf"), None
