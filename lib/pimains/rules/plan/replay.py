"""What a rule and its relay's guards would have done with what was known, step by step over some time that is past.

Times are seconds since 1970, and go on evenly. Between two steps guards act when it is their time, and other relays as they did then.
The board is asked only where something can be another than before; `is_thorough` asks it at every step.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import tzinfo
from itertools import islice
from typing import NamedTuple

from pimains.rules.plan.given import OFF, ON, Given, Rule
from pimains.shared.relays.plan import guards
from pimains.shared.relays.plan.board import Board, Switch
from pimains.shared.relays.plan.guards import Now
from pimains.shared.relays.plan.relay import KEEP as LEFT_ALONE
from pimains.shared.relays.plan.relay import Limits, Wish

NEVER = float("inf")
_CHARGER_STATE = "/CS"
_KEPT_WHY = "its rule keeps it as it is"
_WAS_ON = "it was on already"
_KINDS_MAX = 50  # of troubles that are told apart
_AT_ONCE_MAX = 200  # switchings at one instant
_LEAST_SECONDS = 0.001  # from one look at the guards to the next
LOST = "lost"
Known = tuple[float | None, float]  # a value, and since when nobody has said another one


class Span(NamedTuple):
    """Of so many steps, `every` so many seconds from `start` on."""

    start: float
    every: float
    steps: int

    @property
    def end(self) -> float:
        """When it is over."""
        return self.start + self.steps * self.every


class Change(NamedTuple):
    """A relay was switched then."""

    time: float
    number: str
    is_on: bool


class RunOfRelay(NamedTuple):
    """It would have been on from `begin` to `end`, None if it were on still, and why."""

    begin: float
    end: float | None
    why: str
    why_it_ended: str


class Lost(NamedTuple):
    """At so many steps the rule gave no answer, because of this; the `first` time that was so, and the line of its file, 0 for none."""

    why: str
    line: int
    steps: int
    first: float


class Played(NamedTuple):
    """What would have been.

    `gave_way` is how often another relay, by number, would have gone off for it.

    `missing` are the values, by name, that the rule asked for and that were not there.
    """

    runs: list[RunOfRelay]
    lost: list[Lost]
    gave_way: dict[str, int]
    missing: list[str]


class Asks(Exception):
    """The rule asks for values, by name, that it is not given yet: `names`. It is to be asked from the beginning."""

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__()
        self.names = names


def needed(asked: Iterable[str], there: Iterable[str]) -> frozenset[str]:
    """The values there are of those that are asked for: by name, or as those of all instances."""
    ends = tuple(name[1:] for name in asked if name.startswith("*/"))
    wanted = frozenset(asked)
    return frozenset(name for name in there if name in wanted or name.endswith(ends))


def order(names: Iterable[str]) -> tuple[str, ...]:
    """The states of chargers (CS) come last."""
    return tuple(sorted(names, key=lambda name: (name.endswith(_CHARGER_STATE), name)))


def as_it_was(limits: Limits) -> Limits:
    """The limits of a relay that is switched by what is recorded, and by nobody else."""
    return limits._replace(on_lost=LEFT_ALONE, max_on_per_day=None, forced_for=None)


class Replay:
    """`board` has the relay with this number, as it was at the begin, and the others; `changes` is what became of all of them.

    `given` is the rule's. `explain` tells of what a rule has raised: why that is no answer, the line of its file, and what kind it is.
    """

    def __init__(
        self,
        board: Board,
        number: int,
        given: Given,
        rule: Rule,
        explain: Callable[[BaseException], tuple[str, int, str]],
        changes: Iterable[Change] = (),
        zone: tzinfo | None = None,
        *,
        is_thorough: bool = False,
    ) -> None:
        self.step = -1  # which it is at
        self._board, self._relay, self._given, self._rule, self._number = board, board.relays[str(number)], given, rule, number
        self._explain = explain
        self._changes = iter(changes)
        self._change = next(self._changes, None)
        self._zone = zone
        self._is_thorough = is_thorough
        self._due = -NEVER
        self._says: bool | None = None  # what the rule says; None: it is lost
        self._why = ""
        self._why_lost = ""
        self._lost: dict[str, Lost] = {}
        self._gave_way: dict[str, int] = {}
        self._runs: list[RunOfRelay] = []
        if self._relay.is_on:
            self._runs.append(RunOfRelay(self._relay.runs.closed_at, None, _WAS_ON, ""))

    def play(self, span: Span, names: Sequence[str], rows: Iterable[tuple[Known, ...]], there: Iterable[str]) -> Played:
        """`rows` has the values that were known at each step, of `names`, which are in `order`, of those that are `there`. Raises Asks."""
        given, rule, number = self._given, self._rule, self._number
        at, ask, start, every = given.at, given.ask, span.start, span.every
        plain = tuple(name for name in names if not name.endswith(_CHARGER_STATE))
        chargers = names[len(plain) :]
        put_known, asked = given.data.put_known, given.data.asked
        count = len(asked)
        for step, row in enumerate(islice(rows, span.steps)):  # a year has half a million
            self.step = step
            time = start + step * every
            put_known(zip(plain, row))  # noqa: B905  # those of chargers come behind
            if chargers:
                for name, known in zip(chargers, row[len(plain) :], strict=True):
                    given.data.put(name, *known)
            if time >= self._due:
                self._catch_up(time)
            at(time, time)
            try:
                word, why = ask(rule, number)
            except BaseException as error:  # a rule may raise what it likes
                word, why = LOST, ""
                self._count_lost(error, time)
            if len(asked) != count:
                count = len(asked)
                if new := needed(asked, there) - frozenset(names):
                    raise Asks(new)
            if word == OFF:
                says, self._why = False, why
            elif word == ON:
                says, self._why = True, why
            elif word == LOST:
                says = None
            elif self._says is None:
                says, self._why = self._relay.is_on, why or _KEPT_WHY
            else:
                says = self._says
            if says is not self._says or self._is_thorough:
                is_held = says is not None and self._says is not None and self._is_held(says, time)
                self._says = says
                if not is_held or self._is_thorough:
                    self._decide(time)
        self.step = span.steps
        self._catch_up(span.end)
        missing = sorted(name for name in asked if not needed((name,), there))
        return Played(self._runs, sorted(self._lost.values(), key=lambda lost: lost.first), self._gave_way, missing)

    def _count_lost(self, error: BaseException, time: float) -> None:
        why, line, kind = self._explain(error)
        key = f"{kind} {line}"
        self._why_lost = why
        if (before := self._lost.get(key)) is not None:
            self._lost[key] = before._replace(steps=before.steps + 1)
        elif len(self._lost) < _KINDS_MAX:
            self._lost[key] = Lost(why, line, 1, time)

    def _catch_up(self, time: float) -> None:
        """Do what is due until then, at its time."""
        while self._due <= time:
            at = self._due if self._due > -NEVER else time
            while self._change is not None and self._change.time <= at:
                self._switch_other(self._change)
                self._change = next(self._changes, None)
            self._decide(at)

    def _switch_other(self, change: Change) -> None:
        if change.number == self._relay.number:
            self._given.relays[self._number].was_on = change.is_on
            return
        other = self._board.relays.get(change.number)
        if other is not None and other.is_on != change.is_on:
            (other.runs.close if change.is_on else other.runs.open)(change.time)

    def _is_held(self, is_on: bool, time: float) -> bool:
        """Whether nothing comes of it now that the rule wants it so: it is so, or was switched a moment ago; that is looked at in time."""
        runs, limits = self._relay.runs, self._relay.limits
        if runs.is_on == is_on:
            return True
        ends = runs.opened_at + limits.min_off if is_on else runs.closed_at + limits.min_on
        if ends <= time:
            return False
        self._due = min(self._due, ends)
        return True

    def _decide(self, time: float) -> None:
        """What the guards make of it."""
        if self._says is None:
            self._relay.ask(None, time, self._why_lost)
        else:
            self._relay.ask(Wish(self._says, self._why, NEVER), time)  # it is said anew until something else is
        look_at = self._carried_out(time)
        self._due = min(look_at if look_at > time else time + _LEAST_SECONDS, self._change.time if self._change is not None else NEVER)

    def _carried_out(self, time: float) -> float:
        """Switch whatever is to be switched now; when to look again."""
        for _ in range(_AT_ONCE_MAX):
            decision = self._board.decide(Now(time, time, self._zone))
            if not decision.switches:
                break
            for switch in decision.switches:
                self._board.switched(switch, time)
                self._note(switch, time)
            if self._relay.is_on == self._says and not self._is_thorough:  # who was switched last, and as its rule wants it
                left = guards.seconds_left(self._relay, time) if self._says else NEVER
                if left > 0:
                    return time + left
        return decision.look_at

    def _note(self, switch: Switch, time: float) -> None:
        if switch.number != self._relay.number:
            self._gave_way[switch.number] = self._gave_way.get(switch.number, 0) + 1
        elif switch.is_on:
            self._runs.append(RunOfRelay(time, None, switch.why, ""))
        else:
            self._runs[-1] = self._runs[-1]._replace(end=time, why_it_ended=switch.why)
