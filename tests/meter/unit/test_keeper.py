"""A meter's own readings: meter/own_journal.py."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pimains.core import state
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


@pytest.fixture
def me(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    monkeypatch.setenv("PIMAINS_ROOT", str(tmp_path))
    instance = Instance("meter", tmp_path, FakeClock())
    make_directories(instance, None)
    (tmp_path / "var/lib/pimains/notify/queue").mkdir(parents=True)
    return instance


@contextmanager
def own_journal(me: Instance) -> Iterator[Keeper]:
    """As one start of the service has it."""
    keeper = Keeper(me, "house")
    yield keeper
    if keeper.journal:
        keeper.journal.close()


def posted(me: Instance) -> list[str]:
    queue = me.lib.parent / "notify/queue"
    return [path.read_text().splitlines()[1] for path in sorted(queue.iterdir())]


def test_two_broken_journals_one_after_the_other_are_both_kept_and_people_are_told_of_each(me: Instance) -> None:
    path = me.lib / "journal.sqlite"
    for number in (1, 2):
        path.write_bytes(f"no journal {number}".encode() * 1000)
        with own_journal(me) as keeper:
            keeper.keep(me.clock.monotonic(), number)
            assert keeper.trouble == ""
    for number in (1, 2):
        aside = path.with_name(f"journal.sqlite.corrupt-{number}")
        assert aside.read_bytes() == f"no journal {number}".encode() * 1000
    assert posted(me) == ["house: its journal of readings was broken, a new one is begun"] * 2
    assert state.read(me.run / "error") == f"{path}: file is not a database: put aside as journal.sqlite.corrupt-2, a new one is begun"


def test_a_fourth_broken_journal_stays_where_it_is_and_the_readings_are_held_in_memory(me: Instance) -> None:
    path = me.lib / "journal.sqlite"
    for number in (1, 2, 3, 4):
        path.write_bytes(f"no journal {number}".encode() * 1000)
        with own_journal(me) as keeper:
            keeper.keep(me.clock.monotonic(), number)
    assert path.read_bytes() == b"no journal 4" * 1000
    assert keeper.journal is None
    assert keeper.trouble == (
        f"{path}: file is not a database; 3 broken ones lie beside it already, so it is not set aside: "
        "look at the disk, then move them away"
    )
    path.with_name("journal.sqlite.corrupt-2").unlink()
    keeper.keep(me.clock.monotonic(), 5)
    assert (keeper.trouble, keeper.journal is not None) == ("", True)
    _, kept = keeper.journal.unsent(10)  # type: ignore[union-attr]
    assert sorted(reading.pulses for reading in kept) == [1, 2, 3, 4, 5]
