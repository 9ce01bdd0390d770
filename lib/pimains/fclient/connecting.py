"""Joining a file server: one try after the other to connect, to prove the secret in both directions and to be taken in."""

import select
from collections.abc import Callable
from typing import NamedTuple

from pimains.core.errors import Away
from pimains.core.troubles import Troubles
from pimains.fclient import pistop
from pimains.shared.fileserver.beats import LONGEST_LINE, End, Message, Unproven
from pimains.shared.fileserver.tcp_lines import Lines, begin_connecting
from pimains.shared.plan import beat

_REASONS_SAID = 10


class Attempt(NamedTuple):
    """A connection that has not proven anything yet."""

    lines: Lines
    end: End
    began: float


class Joined(NamedTuple):
    """A connection whose server has proven itself and has taken this client in, and what it has said since, at least one message."""

    lines: Lines
    end: End
    messages: list[Message]


class Joining:
    """Tries at `find()`, an address and a port; what can be read wakes `epoll`.

    A try in a hurry is one of a client that was taken in before, and that has to be again before it takes its server for gone.
    `hearing` is what that client knows of its server; times are monotonic seconds.
    """

    def __init__(
        self,
        find: Callable[[], tuple[str, int]],
        new_end: Callable[[], End],
        retry_seconds_max: float,
        hearing: beat.Hearing,
        epoll: select.epoll,
        say: Callable[[str], None],
    ) -> None:
        self._find = find
        self._new_end = new_end
        self._retry_seconds_max = retry_seconds_max
        self._hearing = hearing
        self._epoll = epoll
        self._troubles = Troubles(say)  # why it could not be joined, since it was joined last
        self._attempt: Attempt | None = None
        self._next_try = self._tried = hearing.last
        self.hindrance = ""  # why it could not even be tried last: its name has no address, there is no network
        self.refused = ""  # why a server that answers does not take this client, which no waiting cures; "" if none does that

    @property
    def is_trying(self) -> bool:
        """Whether a try is under way."""
        return self._attempt is not None

    def is_at(self, handle: int) -> bool:
        """Whether `handle` is the descriptor of the try under way."""
        return self._attempt is not None and handle == self._attempt.lines.fileno()

    def due(self, *, in_a_hurry: bool) -> float:
        """When the try under way has to be given up, or the next one may begin."""
        if not self._attempt:
            return self._next_try
        patient = self._attempt.end.has_proven or not in_a_hurry  # one that was greeted is no more in doubt, but slow
        return self._attempt.began + beat.connect_seconds(in_doubt=not patient)

    def try_again(self, now: float, *, in_a_hurry: bool) -> None:
        """Begin the next try if it is time; never waits."""
        if self._attempt or now < self._next_try:
            return
        self._tried = now
        try:
            lines = begin_connecting(self._find(), LONGEST_LINE)
        except Away as away:
            self._fail(now, str(away), in_a_hurry=in_a_hurry)
            self.hindrance = str(away)
            return
        self._attempt = Attempt(lines, self._new_end(), now)
        self._epoll.register(lines, select.EPOLLIN)

    def give_up_late(self, now: float, *, in_a_hurry: bool) -> None:
        """End the try under way if it has had its time."""
        if self._attempt and now >= self.due(in_a_hurry=in_a_hurry):
            self._fail(now, "no answer", in_a_hurry=in_a_hurry)

    def read(self, now: float, *, in_a_hurry: bool) -> Joined | None:
        """Go on with the try under way, as far as the server has answered; returns what came of it."""
        attempt = self._attempt
        if not attempt:
            return None
        messages = []
        try:
            for line in attempt.lines.read():
                if attempt.end.has_joined:
                    messages.append(_heard(attempt.end, line))
                elif attempt.end.has_beats and line.startswith(pistop.GREETING):
                    continue  # of an fserver with COMPAT; its own greeting comes next
                else:
                    attempt.lines.send(attempt.end.join(line))
                    if attempt.end.has_joined and not attempt.end.has_beats:
                        attempt.lines.keep_alive()
                        messages.append(Message("words"))
        except Unproven as unproven:
            self._fail(now, str(unproven), in_a_hurry=in_a_hurry, is_refusal=True)
            return None
        except Away as away:
            has_tried = attempt.end.has_proven and not attempt.end.has_joined
            hint = "; is variables/SECRET the same as the server's?" if has_tried else ""
            self._fail(now, f"{away}{hint}", in_a_hurry=in_a_hurry, is_refusal=has_tried)
            return None
        if not messages:  # only then is it known that the server takes this client in
            return None
        self._attempt, self.refused, self.hindrance = None, "", ""
        self._troubles.forget()
        return Joined(attempt.lines, attempt.end, messages)

    def begin_at(self, when: float) -> None:
        """When the next try may begin, unless one is under way."""
        self._next_try = when

    def drop(self) -> None:
        """Let go of a try under way."""
        if self._attempt:
            self._attempt.lines.close()
        self._attempt = None

    def _fail(self, now: float, why: str, *, in_a_hurry: bool, is_refusal: bool = False) -> None:
        """A try has come to nothing."""
        if self._attempt and self._attempt.lines.is_connected():
            self._hearing.says_nothing()
        self.drop()
        self.refused, self.hindrance = why if is_refusal else "", ""
        absent = now - self._hearing.last
        pause = beat.retry_in_doubt_seconds() if in_a_hurry else beat.retry_seconds(absent, self._retry_seconds_max)
        # in a hurry the pause is counted from the beginning of the try, so that there is always one under way
        self._next_try = (self._tried if in_a_hurry else now) + pause
        if not in_a_hurry and len(self._troubles.now()) < _REASONS_SAID:
            self._troubles.look(why, f"cannot join the server: {why}")


def _heard(end: End, line: bytes) -> Message:
    message = end.receive(line)
    if message.word == "refuse":
        raise Unproven(f"the server takes no more clients: {message.text}")
    return message
