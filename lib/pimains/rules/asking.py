"""Asks rules for their answers, one after the other, and lets none wait for another that does not come to an end.

A rule that takes longer than a moment keeps its child to itself; another child answers for the others meanwhile.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from pimains.core.clock import Clock
from pimains.core.plan.sentences import duration
from pimains.rules.child import Child, Lost, Reply

_MOMENT_SECONDS = 0.02
_TELLING_SECONDS = 0.05  # until a child that is late has written where it is
_CHILDREN_MAX = 4
_NO_CHILD_SECONDS = 1.0
_OUT_OF_MEMORY = "MemoryError"


class Outcome(NamedTuple):
    """What came of asking the rule of a relay; `has_cost_its_child`: it is better not asked again soon."""

    number: int
    reply: Reply
    has_cost_its_child: bool = False


class _Work:
    """A child that is at a rule since `since`."""

    def __init__(self, child: Child, number: int, path: str, since: float) -> None:
        self.child, self.number, self.path, self.since = child, number, path, since
        self.told_at: float | None = None  # when it was told to write where it is


class Asking:
    """`request_of` makes what a child is asked about a rule, given what it was told before, and tells the path of the rule's file."""

    def __init__(
        self,
        clock: Clock,
        seconds: float,
        new_child: Callable[[], Child],
        request_of: Callable[[int, dict[str, object]], tuple[dict[str, Any], Path]],
        complain: Callable[[str], None],
    ) -> None:
        self._clock, self._seconds = clock, seconds
        self._new_child, self._request_of, self._complain = new_child, request_of, complain
        self._queue: list[int] = []
        self._works: list[_Work] = []
        self._idle: Child | None = None
        self._no_child_until = 0.0

    def ask(self, number: int) -> None:
        """Ask the rule of this relay; if it is being asked, then once more."""
        if number not in self._queue:
            self._queue.append(number)

    def forget(self, number: int) -> None:
        """That rule is no more, or another one."""
        with suppress(ValueError):
            self._queue.remove(number)
        for work in [work for work in self._works if work.number == number]:
            self._works.remove(work)
            work.child.close()

    def files(self) -> tuple[Child, ...]:
        """What to wait for."""
        return tuple(work.child for work in self._works)

    def seconds_to_wait(self) -> float:
        """Until somebody has to be told that he is late, or another child is due."""
        now = self._clock.monotonic()
        ends = [work.told_at + _TELLING_SECONDS if work.told_at is not None else work.since + self._seconds for work in self._works]
        if self._queue:
            ends += [work.since + _MOMENT_SECONDS for work in self._works if now < work.since + _MOMENT_SECONDS]
            if self._no_child_until > now:
                ends.append(self._no_child_until)
        return max(0.0, min(ends, default=now + 1e6) - now)

    def attend(self) -> list[Outcome]:
        """What has come; and ask who is next."""
        found = [outcome for work in list(self._works) if (outcome := self._look(work))]
        self._ask_next()
        return found

    def _look(self, work: _Work) -> Outcome | None:
        now = self._clock.monotonic()
        try:
            reply = work.child.reply()
        except EOFError:
            return self._end(work, "")
        if reply is not None:
            self._works.remove(work)
            if self._idle is not None or reply.is_spent or (reply.lost and reply.lost.kind == _OUT_OF_MEMORY):
                work.child.close()
            else:
                self._idle = work.child
            return Outcome(work.number, reply)
        if work.told_at is not None and now >= work.told_at + _TELLING_SECONDS:
            return self._end(work, f"it takes longer than {duration(self._seconds)}")
        if work.told_at is None and now >= work.since + self._seconds:
            work.child.tell_where()
            work.told_at = now
        return None

    def _end(self, work: _Work, late: str) -> Outcome:
        self._works.remove(work)
        lost: Lost = work.child.ending(work.path, late)
        work.child.close()
        return Outcome(work.number, Reply(None, lost), has_cost_its_child=True)

    def _ask_next(self) -> None:
        for number in list(self._queue):
            now = self._clock.monotonic()
            if any(work.number == number for work in self._works):
                continue
            child = self._idle or self._another(now)
            if child is None:
                return
            self._idle = None
            self._queue.remove(number)
            request, path = self._request_of(number, child.seen)
            try:
                child.ask(request)
            except OSError:  # it ended between two rules
                child.close()
                self._queue.insert(0, number)
                continue
            self._works.append(_Work(child, number, str(path), now))

    def _another(self, now: float) -> Child | None:
        """A new child, if there is no other that will be free in a moment."""
        if now < self._no_child_until or len(self._works) >= _CHILDREN_MAX:
            return None
        if any(now < work.since + _MOMENT_SECONDS for work in self._works):
            return None
        try:
            return self._new_child()
        except OSError as error:
            self._complain(f"no process can be started for rules: {error.strerror}")
            self._no_child_until = now + _NO_CHILD_SECONDS
            return None

    def close(self) -> None:
        """End all children."""
        for work in self._works:
            work.child.close()
        if self._idle is not None:
            self._idle.close()
        self._works, self._idle = [], None
