"""What a plug service knows of earlier halts."""

from pathlib import Path

import pytest

from pimains.core.instance import Instance
from pimains.plug.halt_times import HaltTimes
from pimains.shared import halt_length
from pimains.shared.halt_length import HaltLength


def said(line: str) -> None:
    raise AssertionError(line)


@pytest.fixture
def me(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    monkeypatch.setenv("PIMAINS_ROOT", str(tmp_path))
    me = Instance("plug", tmp_path / "etc/service/plug")
    me.run.mkdir(parents=True)
    return me


def test_a_halt_takes_what_the_halt_service_says_and_the_countdown(me: Instance) -> None:
    me.ledger.took("plug: halt", 100.0)
    me.ledger.took("another: halt", 300.0)
    (me.lib.parent / "halt").mkdir(parents=True)
    halt_length.leave(HaltLength(measured=60, longest=135.5, upgrade=600))
    times = HaltTimes(me, 240, said)
    me.with_ledger(times.remember)
    assert times.countdown_seconds() == 280
    assert times.measured_seconds() == 280 + 60
    assert times.longest_seconds() == 280 + 135.5
    assert times.upgrade_seconds() == 600


def test_what_the_halt_service_says_later_counts_from_then_on(me: Instance) -> None:
    times = HaltTimes(me, 240, said)
    assert (times.measured_seconds(), times.longest_seconds()) == (240 + 30, 240 + 3600)  # generous, until there is one
    (me.lib.parent / "halt").mkdir(parents=True)
    halt_length.leave(HaltLength(measured=24, longest=615, upgrade=600))
    assert (times.measured_seconds(), times.longest_seconds()) == (240 + 24, 240 + 615)
