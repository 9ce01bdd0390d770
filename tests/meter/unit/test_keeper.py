"""A meter's own readings: meter/own_journal.py."""

from pathlib import Path

import pytest

from pimains.core.clock import FakeClock
from pimains.core.service import Instance, make_directories
from pimains.meter.own_journal import Keeper


class SlowClock(FakeClock):
    """On a machine that stands still for a while between two looks at the clock."""

    stands_still_seconds = 0.0

    def wall(self) -> float:
        """Seconds since 1970."""
        wall = super().wall()
        self.advance(self.stands_still_seconds)
        return wall


def test_two_clocks_that_were_not_read_together_move_no_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIMAINS_ROOT", str(tmp_path))
    clock = SlowClock()
    me = Instance("meter", tmp_path, clock)
    make_directories(me, None)
    keeper = Keeper(me, "house")
    keeper.keep(clock.monotonic(), 1)
    known = keeper.boot
    assert known.offset is not None
    clock.stands_still_seconds = 3.0
    keeper.keep(clock.monotonic(), 2)
    assert keeper.boot == known
    clock.stands_still_seconds = 0.0
    clock.jump(100)
    keeper.keep(clock.monotonic(), 3)
    assert keeper.boot.offset == known.offset + 100
