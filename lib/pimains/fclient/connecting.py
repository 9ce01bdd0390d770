"""Joining a file server: one try after the other to connect, to prove the secret in both directions and to be taken in."""

import errno
import os
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
_CLOSED_SECONDS = 60.0  # a server that has just started is not there at once
_CLOSED = os.strerror(errno.ECONNREFUSED).lower()
_NEXT_ADDRESS_SECONDS = 0.25  # RFC 8305 (Happy Eyeballs): from the beginning with one address to that with the next


class Attempt(NamedTuple):
    """A connection to an address that has not proven anything yet."""

    address: str
    lines: Lines
    end: End
    began: float


class Joined(NamedTuple):
    """A connection whose server has proven itself and has taken this client in, and what it has said since, at least one message."""

    address: str
    lines: Lines
    end: End
    messages: list[Message]


class Joining:
    """Tries at `find()`, addresses and ports of one server, the best one first; what can be read wakes `epoll`.

    A try begins with the first address and goes on with the next one as soon as that fails, or a moment later beside it. The first that
    greets is the one that gets this client's proof, so that the server never sees two of it.
    A try in a hurry is one of a client that was taken in before, and that has to be again before it takes its server for gone: it begins
    with all addresses at once. `hearing` is what that client knows of its server; times are monotonic seconds.
    """

    def __init__(
        self,
        find: Callable[[], list[tuple[str, int]]],
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
        self._attempts: list[Attempt] = []
        self._untried: list[tuple[str, int]] = []
        self._next_address = 0.0
        self._was_begun = False
        self._faults: dict[str, tuple[str, bool]] = {}  # of the try under way, by address: what is wrong, and whether that is a refusal
        self._suspects: set[str] = set()  # greeted last time and then did not prove themselves: another address goes first
        self._closed_since: float | None = None  # when its machine began to answer that nothing listens there
        self._next_try = self._tried = hearing.last
        self.hindrance = ""  # why it could not even be tried last: its name has no address, there is no network
        self.refused = ""  # why a server that answers does not take this client, which no waiting cures; "" if none does that

    @property
    def is_trying(self) -> bool:
        """Whether a try is under way."""
        return bool(self._attempts)

    def is_at(self, handle: int) -> bool:
        """Whether `handle` is a descriptor of the try under way."""
        return any(handle == attempt.lines.fileno() for attempt in self._attempts)

    def due(self, *, in_a_hurry: bool) -> float:
        """When something of the try under way has to be given up or begun, or the next one may begin."""
        if not self._attempts:
            return self._next_try
        ends = [self._end_of(attempt, in_a_hurry=in_a_hurry) for attempt in self._attempts]
        return min(*ends, self._next_address if self._untried else float("inf"))

    def try_again(self, now: float, *, in_a_hurry: bool) -> None:
        """Begin the next try, or go on to the next address, if it is time; never waits."""
        if self._attempts:
            if self._untried and now >= self._next_address:
                self._begin_next(now, in_a_hurry=in_a_hurry)
            return
        if now < self._next_try:
            return
        self._tried, self._was_begun = now, False
        self._faults.clear()
        try:
            found = self._find()
        except Away as away:
            self._fail(now, str(away), in_a_hurry=in_a_hurry)
            self.hindrance = str(away)
            return
        self._untried = [each for each in found if each[0] not in self._suspects] or found
        self._suspects.clear()
        self._begin_next(now, in_a_hurry=in_a_hurry)

    def give_up_late(self, now: float, *, in_a_hurry: bool) -> None:
        """End what has had its time of the try under way."""
        for attempt in [each for each in self._attempts if now >= self._end_of(each, in_a_hurry=in_a_hurry)]:
            self._lose(attempt, now, "no answer", in_a_hurry=in_a_hurry)

    def read(self, handle: int, now: float, *, in_a_hurry: bool) -> Joined | None:
        """Go on with an attempt of the try under way, as far as the server has answered; returns what came of it."""
        attempt = next((each for each in self._attempts if handle == each.lines.fileno()), None)
        if not attempt:
            return None
        lines, end, messages = attempt.lines, attempt.end, []
        try:
            if not end.has_beats and not end.has_joined and lines.is_connected():  # pistop's greeting comes with its goodbye
                self._prefer(attempt)
                lines.send(end.join(b""))
                lines.keep_alive()
                self._epoll.modify(lines, select.EPOLLIN)
                messages.append(Message("words"))
            for line in lines.read():
                if end.has_joined:
                    messages.append(_heard(end, line))
                elif not line.startswith(pistop.GREETING):  # of an fserver with COMPAT; its own greeting comes next
                    lines.send(end.join(line))
                    self._prefer(attempt)
        except Unproven as unproven:
            self._lose(attempt, now, str(unproven), in_a_hurry=in_a_hurry, is_refusal=True)
            return None
        except Away as away:
            has_tried = end.has_proven and not end.has_joined
            hint = "; is variables/SECRET the same as the server's?" if has_tried else ""
            self._lose(attempt, now, f"{away}{hint}", in_a_hurry=in_a_hurry, is_refusal=has_tried)
            return None
        if not messages:  # only then is it known that the server takes this client in
            return None
        self._attempts, self.refused, self.hindrance, self._closed_since = [], "", "", None
        self._troubles.forget()
        return Joined(attempt.address, lines, end, messages)

    def begin_at(self, when: float) -> None:
        """When the next try may begin, unless one is under way."""
        self._next_try = max(when, self._tried + beat.retry_in_doubt_seconds())

    def drop(self) -> None:
        """Let go of a try under way."""
        for attempt in self._attempts:
            attempt.lines.close()
        self._attempts, self._untried = [], []

    def _end_of(self, attempt: Attempt, *, in_a_hurry: bool) -> float:
        patient = attempt.end.has_proven or not in_a_hurry  # one that was greeted is no more in doubt, but slow
        return attempt.began + beat.connect_seconds(in_doubt=not patient)

    def _begin_next(self, now: float, *, in_a_hurry: bool) -> None:
        """Begin with the next address that can be tried at all, in a hurry with all of them."""
        while self._untried:
            address = self._untried.pop(0)
            try:
                lines = begin_connecting(address, LONGEST_LINE)
            except Away as away:
                self._faults[address[0]] = str(away), False
                continue
            end = self._new_end()
            self._attempts.append(Attempt(address[0], lines, end, now))
            self._was_begun = True
            self._epoll.register(lines, select.EPOLLIN if end.has_beats else select.EPOLLIN | select.EPOLLOUT)
            self._next_address = now + _NEXT_ADDRESS_SECONDS
            if not in_a_hurry:
                return
        if not self._attempts:
            self._fail_with_all(now, in_a_hurry=in_a_hurry)

    def _prefer(self, attempt: Attempt) -> None:
        """Go on with this one alone."""
        for other in [each for each in self._attempts if each is not attempt]:
            other.lines.close()
        self._attempts, self._untried = [attempt], []

    def _lose(self, attempt: Attempt, now: float, why: str, *, in_a_hurry: bool, is_refusal: bool = False) -> None:
        """An attempt has come to nothing; the try goes on with the other addresses, if there are any."""
        if attempt.lines.is_connected():
            self._hearing.says_nothing()
        if attempt.end.has_proven or is_refusal:
            self._suspects.add(attempt.address)
        attempt.lines.close()
        self._attempts.remove(attempt)
        self._faults[attempt.address] = why, is_refusal
        if self._untried or not self._attempts:
            self._begin_next(now, in_a_hurry=in_a_hurry)

    def _fail_with_all(self, now: float, *, in_a_hurry: bool) -> None:
        refusals = [why for why, is_refusal in self._faults.values() if is_refusal]
        reasons = list(dict.fromkeys(refusals or [why for why, _ in self._faults.values()]))
        why = " / ".join(reasons)
        is_closed = _CLOSED in reasons and not refusals
        if not is_closed:
            self._closed_since = None
        elif self._closed_since is None:
            self._closed_since = now
        is_closed_for_long = self._closed_since is not None and now - self._closed_since >= _CLOSED_SECONDS
        self._fail(now, why, in_a_hurry=in_a_hurry, is_refusal=bool(refusals) or is_closed_for_long)
        if is_closed or not self._was_begun:
            self.hindrance = why

    def _fail(self, now: float, why: str, *, in_a_hurry: bool, is_refusal: bool = False) -> None:
        """A try has come to nothing."""
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
