#!/usr/bin/env python3
"""How long one evaluation takes: four values put, a rule asked, the guards' decision; a year of minutes is half a million of them.

tests/rules/bench/given.py
"""

import sys
import timeit
from datetime import UTC
from itertools import count
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[3] / "lib")]

from pimains.rules.plan.given import KEEP, OFF, ON, Answer, Data, Given, Now, Relays, RelayView  # noqa: E402  # only findable now
from pimains.shared.relays.plan.board import Board  # noqa: E402  # only findable now
from pimains.shared.relays.plan.guards import Now as BoardNow  # noqa: E402  # only findable now
from pimains.shared.relays.plan.relay import Limits, Relay, Wish  # noqa: E402  # only findable now
from pimains.shared.relays.plan.runs import Runs  # noqa: E402  # only findable now

_NOON = 1_790_000_000.0
_NAMES = ("bmv/SOC", "bmv/P", "mppt/PPV", "mppt/CS")


def rule(relay: RelayView, data: Data, relays: Relays, now: Now | None) -> object:
    """A rule with four values."""
    if data["bmv/SOC"] < 90:
        return OFF, "the battery first"
    surplus = data["mppt/PPV"] - data["bmv/P"]
    if surplus > 300 and data["mppt/CS"] >= 3:
        return ON, "surplus"
    return KEEP


def main() -> None:
    """Print both."""
    board = Board(stagger=0, lost=600)
    relay = board.relays["3"] = Relay("3", Limits(min_on=300, min_off=300, watts=2000), Runs(0))
    given = Given(600, Now(UTC))
    given.relays.put(RelayView(relay, given.moment, given.data))
    minutes = count()

    def evaluate() -> tuple[float, Answer]:
        minute = next(minutes)
        time = minute * 60.0
        for name in _NAMES:
            given.data.put(name, 40.0 + minute % 60, time)
        given.at(time, _NOON + time)
        return time, given.ask(rule, 3)

    def with_guards() -> None:
        time, answer = evaluate()
        if answer.word != KEEP:
            relay.ask(Wish(answer.word == ON, answer.reason, time), time)
        for switch in board.decide(BoardNow(time, _NOON + time, UTC)).switches:
            board.switched(switch, time)

    for what, call in (("given, and the rule", evaluate), ("and the guards", with_guards)):
        print(f"{what}: {min(timeit.repeat(call, number=20_000, repeat=5)) / 20_000 * 1e6:.1f} µs")


if __name__ == "__main__":
    main()
