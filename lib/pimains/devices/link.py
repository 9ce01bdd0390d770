"""A client's side of pimains.devices.beats over TCP: one link to the file server, which outlives its connections.

When the connection ends, or has been silent for a moment, another one is tried at once beside it, and the first that is proven
takes over: a switch that reboots or a Wi-Fi that roams changes nothing. Only after CLIENT_PATIENCE_SECONDS is the server gone.
"""

import select
from collections.abc import Callable, Iterator
from typing import NamedTuple

from pimains.core.clock import Clock
from pimains.core.errors import Away
from pimains.devices import pistop
from pimains.devices.beats import LONGEST_LINE, End, Message, Unproven
from pimains.devices.connection import Lines, begin_connecting
from pimains.plan import beat

_IDLE_SECONDS = 3600.0
_REASONS_SAID = 10


class Event(NamedTuple):
    """What came over the link: joined, leave (with the reason) or gone."""

    word: str
    text: str = ""


class Attempt(NamedTuple):
    """A connection that has not proven anything yet."""

    lines: Lines
    end: End
    began: float


class Link:
    """The link to the fserver at `find()`, an address and a port; `fileno` becomes readable when `step` has something to do.

    `find` raises Away while the address is not known; `new_end` makes this end of each conversation. `expects` is for one
    that was joined before this process began: it is gone, too, if it does not come back in time.
    """

    def __init__(
        self,
        find: Callable[[], tuple[str, int]],
        new_end: Callable[[], End],
        clock: Clock,
        retry_seconds_max: float,
        *,
        expects: bool = False,
        say: Callable[[str], None] = print,
    ) -> None:
        self._find = find
        self._new_end = new_end
        self._clock = clock
        self._retry_seconds_max = retry_seconds_max
        self._say = say
        self._epoll = select.epoll()
        self._line: tuple[Lines, End] | None = None
        self._attempt: Attempt | None = None
        self._next_try = self._tried = clock.monotonic()
        self._hearing = beat.Hearing(clock.monotonic(), beat.CLIENT_PATIENCE_SECONDS)
        self._next_answer = float("inf")
        self._answered: float | None = None  # when, unless that is known to have arrived
        self._said: set[str] = set()  # why it could not be joined, since it was joined last
        self._has_met = False  # whether this process has ever been joined
        self._words = ""  # the last ones for the server
        self.hindrance = ""  # why it could not even be tried last: its name has no address, there is no network
        self.refused = ""  # why a server that answers does not take this client, which no waiting cures; "" if none does that
        self.is_joined = expects

    def fileno(self) -> int:
        """For poll."""
        return self._epoll.fileno()

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
        if self._attempt:
            waits.append(self._attempt.began + beat.connect_seconds(in_doubt=self.is_joined) - now)
        elif self._line and not self._line[1].has_beats:
            waits.append(_IDLE_SECONDS)
        elif self._line:
            waits.append(max(self._hearing.last + beat.DOUBT_SECONDS, self._next_try) - now)
        else:
            waits.append(self._next_try - now)
        return max(0.0, min(waits))

    def step(self) -> Iterator[Event]:
        """Do all that is due; never waits."""
        now = self._clock.monotonic()
        for handle, _ in self._epoll.poll(0):
            if self._line and handle == self._line[0].fileno():
                yield from self._read_line(now)
            elif self._attempt and handle == self._attempt.lines.fileno():
                yield from self._read_attempt(self._attempt, now)
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
        self._try(now)

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
        self._drop_attempt()
        self.is_joined = False
        self._next_try = self._clock.monotonic() + beat.retry_seconds(0, self._retry_seconds_max)

    def close(self) -> None:
        """Let go of everything."""
        self._drop_line()
        self._drop_attempt()
        self._epoll.close()

    def _try(self, now: float) -> None:
        if self._attempt:
            in_doubt = self.is_joined and not self._attempt.end.has_proven  # one that was greeted is no more in doubt, but slow
            if now - self._attempt.began >= beat.connect_seconds(in_doubt=in_doubt):
                self._fail(now, "no answer")
        if self._attempt or now < self._next_try or (self._line and not self._hearing.is_in_doubt(now)):
            return
        self._tried = now
        try:
            lines = begin_connecting(self._find(), LONGEST_LINE)
        except Away as away:
            self._fail(now, str(away))
            self.hindrance = str(away)
            return
        self._attempt = Attempt(lines, self._new_end(), now)
        self._epoll.register(lines, select.EPOLLIN)

    def _read_attempt(self, attempt: Attempt, now: float) -> Iterator[Event]:
        try:
            for line in attempt.lines.read():
                if self._attempt is not attempt:
                    yield from self._receive(line, now)
                elif attempt.end.has_joined:
                    yield from self._hear_first_word(attempt, line, now)
                elif attempt.end.has_beats and line.startswith(pistop.GREETING):
                    continue  # of an fserver with COMPAT; its own greeting comes next
                else:
                    attempt.lines.send(attempt.end.join(line))
                    if attempt.end.has_joined and not attempt.end.has_beats:
                        attempt.lines.keep_alive()
                        self._take_over(attempt)
                        yield from self._obey(Message("words"), now)
        except Unproven as unproven:
            self._fail(now, str(unproven), is_refusal=True)
        except Away as away:
            has_tried = attempt.end.has_proven and not attempt.end.has_joined
            hint = "; is variables/SECRET the same as the server's?" if has_tried else ""
            self._fail(now, f"{away}{hint}", is_refusal=has_tried)

    def _hear_first_word(self, attempt: Attempt, line: bytes, now: float) -> Iterator[Event]:
        """Only now is it known that the server takes this client in."""
        message = attempt.end.receive(line)
        if message.word == "refuse":
            raise Unproven(f"the server takes no more clients: {message.text}")
        self._take_over(attempt)
        if self.is_joined and self._words:  # the server may have been restarted
            self.say("words", self._words)
        yield from self._obey(message, now)

    def _take_over(self, attempt: Attempt) -> None:
        self._drop_line()
        self._line, self._attempt, self.refused = (attempt.lines, attempt.end), None, ""
        self.hindrance = ""
        self._said.clear()

    def _read_line(self, now: float) -> Iterator[Event]:
        assert self._line  # noqa: S101  # its caller found it there
        try:
            for line in self._line[0].read():
                yield from self._receive(line, now)
        except (Away, Unproven) as error:
            if self._line and self.is_joined:
                self._say(f"the connection to the server is lost: {error}")
            self._drop_line()
            self._next_try = now

    def _receive(self, line: bytes, now: float) -> Iterator[Event]:
        if self._line:
            yield from self._obey(self._line[1].receive(line), now)

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

    def _fail(self, now: float, why: str, *, is_refusal: bool = False) -> None:
        """A try has come to nothing."""
        if self._attempt and self._attempt.lines.is_connected():
            self._hearing.says_nothing()
        self._drop_attempt()
        self.refused = why if is_refusal else ""
        self.hindrance = ""
        absent = now - self._hearing.last
        pause = beat.retry_in_doubt_seconds() if self.is_joined else beat.retry_seconds(absent, self._retry_seconds_max)
        # in doubt the pause is counted from the beginning of the try, so that there is always one under way
        self._next_try = (self._tried if self.is_joined else now) + pause
        if not self.is_joined and why not in self._said and len(self._said) < _REASONS_SAID:
            self._said.add(why)
            self._say(f"cannot join the server: {why}")

    def _drop_line(self) -> None:
        if self._line:
            self._see_what_arrived()
            self._line[0].close()
        self._line = None
        self._next_answer, self._answered = float("inf"), None

    def _drop_attempt(self) -> None:
        if self._attempt:
            self._attempt.lines.close()
        self._attempt = None
