"""A meter's own readings: meter/own_journal.py."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pimains.core import state
from pimains.core.clock import FakeClock
from pimains.core.service import Instance, make_directories
from pimains.meter.measure import Measure
from pimains.meter.own_journal import OwnJournal


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
    own_journal = OwnJournal(me, "house")
    own_journal.keep(clock.monotonic(), 1)
    known = own_journal.boot
    assert known.offset is not None
    clock.stands_still_seconds = 3.0
    own_journal.keep(clock.monotonic(), 2)
    assert own_journal.boot == known
    clock.stands_still_seconds = 0.0
    clock.jump(100)
    own_journal.keep(clock.monotonic(), 3)
    assert own_journal.boot.offset == known.offset + 100


@pytest.fixture
def me(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    monkeypatch.setenv("PIMAINS_ROOT", str(tmp_path))
    instance = Instance("meter", tmp_path, FakeClock())
    make_directories(instance, None)
    (tmp_path / "var/lib/pimains/notify/queue").mkdir(parents=True)
    return instance


@contextmanager
def opened(me: Instance) -> Iterator[OwnJournal]:
    """As one start of the service has it."""
    own_journal = OwnJournal(me, "house")
    yield own_journal
    if own_journal.journal:
        own_journal.journal.close()


def posted(me: Instance) -> list[str]:
    queue = me.lib.parent / "notify/queue"
    return [path.read_text().splitlines()[1] for path in sorted(queue.iterdir())]


def test_two_broken_journals_one_after_the_other_are_both_kept_and_people_are_told_of_each(me: Instance) -> None:
    path = me.lib / "journal.sqlite"
    for number in (1, 2):
        path.write_bytes(f"no journal {number}".encode() * 1000)
        with opened(me) as own_journal:
            own_journal.keep(me.clock.monotonic(), number)
            assert own_journal.trouble == ""
    for number in (1, 2):
        aside = path.with_name(f"journal.sqlite.corrupt-{number}")
        assert aside.read_bytes() == f"no journal {number}".encode() * 1000
    assert posted(me) == ["house: its journal of readings was broken, a new one is begun"] * 2
    assert state.read(me.run / "error") == f"{path}: file is not a database: put aside as journal.sqlite.corrupt-2, a new one is begun"


def test_a_fourth_broken_journal_stays_where_it_is_and_the_readings_are_held_in_memory(me: Instance) -> None:
    path = me.lib / "journal.sqlite"
    for number in (1, 2, 3, 4):
        path.write_bytes(f"no journal {number}".encode() * 1000)
        with opened(me) as own_journal:
            own_journal.keep(me.clock.monotonic(), number)
    assert path.read_bytes() == b"no journal 4" * 1000
    assert own_journal.journal is None
    assert own_journal.trouble == (
        f"{path}: file is not a database; 3 broken ones lie beside it already, so it is not set aside: "
        "look at the disk, then move them away"
    )
    path.with_name("journal.sqlite.corrupt-2").unlink()
    own_journal.keep(me.clock.monotonic(), 5)
    assert (own_journal.trouble, own_journal.journal is not None) == ("", True)
    kept = own_journal.journal.unsent(10).readings  # type: ignore[union-attr]
    assert sorted(reading.pulses for reading in kept) == [1, 2, 3, 4, 5]


def test_what_stays_with_another_source_stays_there_when_the_journal_is_mended_amid_the_counting(me: Instance) -> None:
    water = OwnJournal(me, "water", Measure("m3", 10))
    water.keep(me.clock.monotonic(), 1)
    assert water.journal
    water.save(1e9)
    water.journal.close()
    house = OwnJournal(me, "house", Measure("kWh", 1000))
    house.keep(me.clock.monotonic(), 2)
    house.save(1e9)
    (me.run / "recent.sqlite").write_bytes(b"no journal" * 1000)
    malformed = sqlite3.DatabaseError("malformed")
    malformed.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    assert house.fails(malformed)
    house.keep(me.clock.monotonic(), 3)
    assert posted(me) == ["house: its journal of readings was broken, a new one is begun"]
    assert house.journal
    assert 1 not in {reading.pulses for reading in house.journal.unsent(10).readings}
    house.journal.close()
