"""Answers with something changed: no exception but ours. A million of them: tests/ups/bench/nut_fuzz.py."""

import pytest

from tests.ups.bench.nut_fuzz import fuzz


def _all_ends_are_met(count: int, seed: int) -> None:
    ends = fuzz(count, seed)
    assert ends.keys() == {"answered", "Away", "ErrorReply", "WrongSetting"}
    assert ends.total() == count


def test_what_was_changed_on_its_way_is_answered_rightly_or_away() -> None:
    _all_ends_are_met(3000, 2)


@pytest.mark.long
def test_many_that_were_changed_too() -> None:
    _all_ends_are_met(60_000, 3)
