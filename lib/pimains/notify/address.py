"""An address that messages are delivered to, one at a time, and left alone for a while when that fails."""

from collections.abc import Callable
from typing import NamedTuple

from pimains.core.process.errand import DONE, REFUSED, SETTING, Errand, Outcome
from pimains.notify.plan import retry_seconds

_AFTER_AN_EDIT_SECONDS = 86400.0  # a wrong password tried every hour gets an account locked; svc -t tries at once


class Words(NamedTuple):
    """A message as people get it; `wall` is when it was posted, in seconds since 1970."""

    id: str
    host: str
    subject: str
    body: str
    wall: float


class Address:
    """Somewhere to deliver to: `id` for files, `name` for people. `deliver` raises WrongSetting, Refused or Away.

    `trouble` is why the last delivery failed, '' if it did not. Only one of the `heavy` ones is served at a time.
    """

    def __init__(self, id_: str, name: str, deliver: Callable[[Words], None], *, heavy: bool = False) -> None:
        self.id = id_
        self.name = name
        self.heavy = heavy
        self.errand: Errand | None = None
        self.trouble = ""
        self.message = ""
        self.next_at = 0.0
        self.tries: dict[str, int] = {}
        self._deliver = deliver
        self._failures = 0  # in a row

    def start(self, words: Words, seconds_max: float) -> None:
        """Begin to deliver, in a process of its own."""
        self.message = words.id
        self.tries[words.id] = self.tries.get(words.id, 0) + 1
        self.errand = Errand(lambda: self._deliver(words), seconds_max)

    def ended(self, now: float) -> Outcome | None:
        """How the delivery ended at `now` on the monotonic clock; None while it is under way."""
        outcome = self.errand.outcome() if self.errand else None
        if outcome is None:
            return None
        self.errand = None
        self.trouble = "" if outcome.kind == DONE else outcome.words
        self.next_at = now
        if outcome.kind in (DONE, REFUSED):
            self._failures = 0
        else:
            self._failures += 1
            self.next_at += _AFTER_AN_EDIT_SECONDS if outcome.kind == SETTING else retry_seconds(self._failures)
        return outcome

    def close(self) -> None:
        """End a delivery that is under way."""
        if self.errand:
            self.errand.end()
            self.errand = None
