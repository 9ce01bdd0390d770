"""What a rule is given, and what it may answer: `def rule(relay, data, relays, now)` returns (ON, why), (OFF, why) or KEEP.

All times are seconds of a time that never jumps (the one of relays); the wall clock is in `Now` alone. The same given, the same answer:
a rule's memory, its timers, is part of what it is given. A replay asks a rule half a million times, so nothing is worked out before
it is asked for.
"""

from collections.abc import Callable, Mapping

from pimains.rules.plan.answer import KEEP, OFF, ON, Answer, Nonsense, answered, shown
from pimains.rules.plan.calendar import Now, Sun
from pimains.rules.plan.data import Data, Moment, Number, Words
from pimains.rules.plan.not_known import NotKnown
from pimains.rules.plan.relay_view import Relays, RelayView, Timer, Timers

__all__ = [
    "KEEP", "OFF", "ON", "Answer", "Data", "Given", "Moment", "Nonsense", "NotKnown", "Now", "Number", "RelayView", "Relays", "Rule",
    "Sun", "Timer", "Timers", "Words", "answered",
]  # fmt: skip

Rule = Callable[[RelayView, Data, Relays, Now | None], object]


def asked_host(host: str) -> str:
    """How `Data.asked` names that a rule has asked whether this host answers."""
    return f"answers({host})"


class Given:
    """All that rules are given, and the names that their files see; put things into `data` and `relays`, then `at`, then `ask`."""

    def __init__(self, lost_after: float, now: Now | None = None) -> None:
        self.moment = Moment()
        self.data = Data(self.moment, lost_after)
        self.relays = Relays()
        self.hosts: Mapping[str, bool | None] = {}  # whether they answer; None: that is not known
        self.files: frozenset[str] | None = None  # names of those that are there; None: that cannot be told
        self._now = now or Now()
        self._relay: RelayView | None = None

    def at(self, time: float, wall: float | None) -> None:
        """It is so late; `wall` is seconds since 1970, None while the clock was not set."""
        self.moment.time = time
        if wall is None:
            self.moment.now = None
        else:
            self._now.at(wall)
            self.moment.now = self._now

    def ask(self, rule: Rule, number: int) -> Answer:
        """What the rule of this relay says. Raises Nonsense, and whatever the rule raises: NotKnown where it is lost."""
        self._relay = self.relays[number]
        return answered(rule(self._relay, self.data, self.relays, self.moment.now))

    def names(self) -> dict[str, object]:
        """What the file of a rule sees beside Python's own."""
        return {
            "ON": ON,
            "OFF": OFF,
            "KEEP": KEEP,
            "NotKnown": NotKnown,
            "timer": self._timer,
            "held": self._held,
            "answers": self._answers,
            "present": self._present,
        }

    def _of_whom(self) -> RelayView:
        if self._relay is None:
            raise NotKnown("the relay", "timer and held are to be called within the function rule")
        return self._relay

    def _timer(self, name: str) -> Timer:
        """The timer of this name."""
        return self._of_whom().timer(name)

    def _held(self, name: str, condition: object, wake: float = 0.0) -> float:
        """For how many seconds the condition has been true; after `wake` of them the rule is asked again in any case."""
        return self._of_whom().held(name, condition, wake)

    def _answers(self, host: str) -> bool:
        """Whether this host, one of HOSTS, answers a ping."""
        self.data.asks(asked_host(host))
        if host not in self.hosts:
            raise NotKnown(f"answers({shown(host)})", "it is none of HOSTS")
        answer = self.hosts[host]
        if answer is None:
            raise NotKnown(f"answers({shown(host)})", "nothing has come of asking it yet, or this machine has no network")
        return answer

    def _present(self, file: str) -> bool:
        """Whether a file of this name is in RULES_FILES."""
        if self.files is None:
            raise NotKnown(f"present({shown(file)})", "RULES_FILES is not there, or cannot be read")
        return file in self.files
