"""A rule played over what a collector has recorded: its relay begins as it was then, and the other relays are as they were."""

import time
from collections.abc import Callable
from datetime import tzinfo
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import NamedTuple

from pimains.core.errors import Refused
from pimains.rules import replay_process, replay_rows
from pimains.rules.child import Lost, lost
from pimains.rules.plan.calendar import SunOf
from pimains.rules.plan.data import ALL_CS, ALL_P, ALL_PPV, CONSO, PPVT
from pimains.rules.plan.given import Given, NotKnown, Now
from pimains.rules.plan.relay_view import RelayView
from pimains.rules.plan.replay import Asks, Change, Played, Replay, Span, as_it_was, needed, order
from pimains.rules.recorded_values import HELD_SECONDS, Held, RecordedValues
from pimains.rules.replay_process import Watch
from pimains.rules.rule_files import RuleFile
from pimains.rules.rule_function import function_of
from pimains.shared.relays.guard_settings import GuardSettings
from pimains.shared.relays.plan.board import Board
from pimains.shared.relays.plan.relay import Limits, Relay
from pimains.shared.relays.plan.runs import DAY, Run, Runs

NOT_RECORDED = ("answers(", "present(")  # what a rule may ask that nobody records
_ASKED_OF_ALL = {PPVT: (ALL_PPV,), CONSO: (ALL_PPV, ALL_P), "float": (ALL_CS,)}  # by words for it
_ON = 0.5  # of what is recorded as 1 and 0


class Past(NamedTuple):
    """What a rule is played over: `journal` is a collector's, `limits` are those of all relays, `number` the one of the rule."""

    journal: Path
    number: int
    limits: dict[str, Limits]
    guards: GuardSettings
    lost_after: float
    rule: RuleFile
    sun_of: SunOf | None = None
    zone: tzinfo | None = None


def state_of(number: int | str) -> str:
    """The value that says whether a relay is on."""
    return f"relays/{number}.state"


def was_on(values: RecordedValues, number: int | str, start: float, end: float) -> list[tuple[float, float]] | None:
    """From when until when a relay was on, as far as that is known; None where it is not recorded."""
    name = state_of(number)
    if name not in values.units:
        return None
    found: list[tuple[float, float]] = []
    before: Held | None = None
    for each in values.held(name, start, end):
        is_on = each.value >= _ON
        if is_on and before is not None and before.value >= _ON and each.begin - before.end <= HELD_SECONDS:
            found[-1] = found[-1][0], each.end  # the collector was started anew
        elif is_on:
            found.append((each.begin, each.end))
        before = each
    return found


def named(rule: RuleFile, values: RecordedValues) -> frozenset[str]:
    """The values there are that its text names; it may ask for others."""
    by_all = [pattern for word, patterns in _ASKED_OF_ALL.items() if word in rule.text for pattern in patterns]
    return frozenset(name for name in values.units if name in rule.text) | needed(by_all, values.units)


def in_words(path: str, found: Lost) -> str:
    """What is wrong with the rule of this file, and where."""
    return f"{path}:{found.line}: {found.why}" if found.line else f"{path}: {found.why}"


def opened(past: Past, span: Span, names: frozenset[str], now: float) -> Callable[[Watch], Played]:
    """What plays it over these values, once all is open that it needs. Raises sqlite3.Error, OSError."""
    values = RecordedValues(past.journal, now)
    given = Given(past.lost_after, Now(past.zone, past.sun_of))
    board, changes = _as_it_was(past, span, values, given)
    there = frozenset(values.units)
    values.close()
    in_order = order(names)
    rows = replay_rows.rows(past.journal, in_order, span, now) if names else repeat(())

    def play(watch: Watch) -> Played:
        """Raises Asks, and Refused for a rule that is none."""
        path = str(past.rule.path)
        try:
            rule = function_of(path, past.rule.text, given)
        except BaseException as error:  # what stands outside of its function is its author's, too
            raise Refused(in_words(path, lost(error, path))) from None
        replay = Replay(board, past.number, given, rule, lambda error: _explained(error, path), changes, past.zone)
        watch(replay)
        return replay.play(span, in_order, rows, there)

    return play


def played(past: Past, span: Span, names: frozenset[str], seconds: float, tell: Callable[[int], None]) -> Played:
    """What would have been; `names` are those that it is to be given at first, and it begins anew when it asks for others.

    Raises what replay_process.apart raises.
    """
    now = time.time()
    while True:
        try:
            return replay_process.apart(partial(opened, past, span, names, now), str(past.rule.path), seconds, tell)
        except Asks as asks:
            names |= asks.names


def _explained(error: BaseException, path: str) -> Lost:
    found = lost(error, path)
    if isinstance(error, NotKnown) and found.kind.startswith(NOT_RECORDED):
        return found._replace(why=f"{found.kind} is not known: nobody records that")
    return found


def _as_it_was(past: Past, span: Span, values: RecordedValues, given: Given) -> tuple[Board, list[Change]]:
    """All relays as they were when it begins, and what became of them; the rule's own becomes what the rule says."""
    guards, changes = past.guards, []
    board = Board(guards.STAGGER_SECONDS, guards.GROUP_LIMITS, guards.LOST_SECONDS)
    for number, limits in past.limits.items():
        runs = _runs(was_on(values, number, span.start - DAY, span.start) or [], span.start)
        is_its_own = number == str(past.number)
        relay = Relay(number, limits if is_its_own else as_it_was(limits), runs, without_wish_since=span.start)
        board.relays[number] = relay
        given.relays.put(RelayView(relay, given.moment, given.data))
        if is_its_own:
            given.relays[int(number)].was_on = False  # unless it is recorded: who plays a rule may have no relay for it yet
        for begin, end in was_on(values, number, span.start, span.end) or []:
            changes += [Change(begin, number, True), Change(end, number, False)]
    return board, sorted(changes)


def _runs(spans: list[tuple[float, float]], now: float) -> Runs:
    """Of the day before `now`; what was on then is on still."""
    runs = [Run(begin, end if end < now else None) for begin, end in spans]
    opened = runs[-1].end if runs else None
    return Runs(now - DAY if opened is None else opened, runs)
