"""A surplus rule over what is past: the meter of then has in it what the load really drew, not what it would have drawn."""

from pathlib import Path

import pytest

from pimains.rules.plan.replay import Change
from pimains.shared.relays.plan.relay import Limits
from tests.rules.solar_world import rule_of
from tests.rules.unit.test_replay import NOON, minutes, replay

SURPLUS = [0.0] * 10 + [1200.0] * 40 + [0.0] * 30  # W that the house would sell, minute by minute, without relay 3


@pytest.mark.parametrize("really", [(), ((0, 80),), ((20, 30), (60, 70))], ids=str)
def test_it_says_the_same_whenever_the_relay_really_was_on(tmp_path: Path, really: tuple[tuple[int, int], ...]) -> None:
    heater = rule_of(tmp_path, "surplus", VALUE="grid/P", START_WATTS="1000")
    metered = [watts - 1000.0 * any(begin <= minute < end for begin, end in really) for minute, watts in enumerate(SURPLUS)]
    changes = [Change(NOON + 60 * minute, "3", is_on) for begin, end in really for minute, is_on in ((begin, True), (end, False))]
    played = replay(heater, {"grid/P": [*metered]}, limits=Limits(watts=1000), changes=[Change(NOON, "3", False), *changes])
    assert minutes(played) == [(15, 55)]
