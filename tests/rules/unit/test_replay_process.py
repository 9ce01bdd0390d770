"""A replay in a process of its own."""

import time
from collections.abc import Callable

import pytest

from pimains.core.errors import Refused
from pimains.rules import replay_process
from pimains.rules.plan.replay import Asks, Lost, Played, RunOfRelay
from pimains.rules.replay_process import Watch

PLAYED = Played([RunOfRelay(1.5, 2.5, "sun", "clouds"), RunOfRelay(3, None, "sun", "")], [Lost("no value", 7, 3, 1.0)], {"2": 1}, ["bmv/P"])


def apart(begin: Callable[[], Callable[[Watch], Played]], seconds: float = 60.0) -> Played:
    return replay_process.apart(begin, "/rules/3.py", seconds, lambda _: None)


def test_what_it_returns_is_handed_on() -> None:
    assert apart(lambda: lambda _: PLAYED) == PLAYED


def test_a_card_that_is_slow_to_open_a_journal_is_no_slow_rule() -> None:
    def begin() -> Callable[[Watch], Played]:
        time.sleep(0.5)  # it takes as long as it takes
        return lambda _: PLAYED

    assert apart(begin, 0.05) == PLAYED


def test_what_it_asks_for_and_what_it_refuses_comes_out_of_it() -> None:
    def asks(_: Watch) -> Played:
        raise Asks(frozenset(("a/P", "b/P")))

    def refuses(_: Watch) -> Played:
        raise Refused("/rules/3.py:2: SyntaxError: invalid syntax")

    with pytest.raises(Asks) as asked:
        apart(lambda: asks)
    assert asked.value.names == {"a/P", "b/P"}
    with pytest.raises(Refused, match=r"/rules/3\.py:2: SyntaxError"):
        apart(lambda: refuses)
