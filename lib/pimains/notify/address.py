"""An address that messages are delivered to, one at a time, and left alone for a while when that fails."""

from collections.abc import Callable
from typing import NamedTuple

from pimains.core.errors import Away, Refused, WrongSetting
from pimains.core.failure import LONGEST
from pimains.core.plan.text import one_line, shortened
from pimains.core.process.function import Forked, or_away
from pimains.notify.plan import retry_seconds

DONE, REFUSED, SETTING, AWAY = "done", "refused", "setting", "away"
_AFTER_AN_EDIT_SECONDS = 86400.0  # a wrong password tried every hour gets an account locked; svc -t tries at once


class Words(NamedTuple):
    """A message as people get it; `wall` is when it was posted, in seconds since 1970."""

    id: str
    host: str
    subject: str
    body: str
    wall: float


class Outcome(NamedTuple):
    """How a delivery ended: `kind` is DONE, REFUSED (never again), SETTING (a person has to edit something) or AWAY (try later)."""

    kind: str
    words: str


class Address:
    """Somewhere to deliver to: `id` for files, `name` for people. `deliver` raises WrongSetting, Refused or Away.

    `trouble` is why the last delivery failed, '' if it did not. Only one of the `heavy` ones is served at a time.
    """

    def __init__(self, id_: str, name: str, deliver: Callable[[Words], None], *, heavy: bool = False) -> None:
        self.id = id_
        self.name = name
        self.heavy = heavy
        self.delivery: Forked | None = None
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
        self.delivery = Forked(or_away(lambda: self._deliver(words)), seconds_max)

    def ended(self, now: float) -> Outcome | None:
        """How the delivery ended at `now` on the monotonic clock; None while it is under way."""
        if self.delivery is None or not self.delivery.has_ended():
            return None
        outcome = _outcome(self.delivery)
        self.delivery = None
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
        if self.delivery:
            self.delivery.close()
            self.delivery = None


def _outcome(delivery: Forked) -> Outcome:
    try:
        delivery.answer()
    except WrongSetting as wrong:
        return Outcome(SETTING, str(wrong))
    except Refused as refused:
        return Outcome(REFUSED, str(refused))
    except Away as away:
        return Outcome(AWAY, str(away))
    except OSError as error:
        return Outcome(AWAY, shortened(one_line(error.strerror or str(error)), LONGEST))
    return Outcome(DONE, "")
