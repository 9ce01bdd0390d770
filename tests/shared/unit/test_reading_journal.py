"""The journal of readings: shared/readings/journal.py."""

import contextlib
import itertools
import resource
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pimains.shared.plan.delivery import Boot, Reading
from pimains.shared.readings.journal import UNBOOKED, Broken, Journal


def readings(boot: str, first: int, last: int) -> list[Reading]:
    return [Reading(boot, number, None, number * 5.0, number * 10) for number in range(first, last + 1)]


@pytest.fixture
def meters(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.sqlite", tmp_path / "recent.sqlite")


def note(journal: Journal, boot: str, first: int, last: int, offset: float | None = None) -> int:
    id_ = journal.boot("house", boot, Boot(offset))
    for reading in readings(boot, first, last):
        journal.note(id_, reading)
    return id_


def test_what_is_sent_twice_in_any_order_is_stored_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    rows = readings("b", 1, 20)
    assert journal.store("house", {}, rows[10:]) == 10
    assert journal.store("house", {}, rows[::-1]) == 10
    assert journal.store("house", {}, rows) == 0
    assert journal.store("garage", {}, rows) == 20


def test_notes_survive_a_kill_and_are_saved_once(tmp_path: Path, meters: Journal) -> None:
    id_ = note(meters, "b", 1, 10, offset=100.0)
    meters.save()
    note(meters, "b", 11, 15)
    meters.close()
    again = Journal(tmp_path / "journal.sqlite", tmp_path / "recent.sqlite")
    assert again.last_sequence(id_) == 15
    assert again.pulses() == 150
    again.save()
    again.save()
    boots, found = again.unsent(100)
    assert [reading.sequence for reading in found] == list(range(1, 16))
    assert boots == {"b": Boot(100.0)}
    assert found[0].wall == 105.0


@contextlib.contextmanager
def no_file_grows_beyond(size: int) -> Iterator[None]:
    """As on a full disk (setrlimit(2), RLIMIT_FSIZE)."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_readings_of_a_boot_that_a_full_disk_does_not_take_wait_until_it_does(tmp_path: Path, meters: Journal) -> None:
    note(meters, "b", 1, 3000)
    meters.save()
    with no_file_grows_beyond((tmp_path / "journal.sqlite-wal").stat().st_size):
        with pytest.raises(sqlite3.Error):
            meters.boot("house", "next", Boot(None))
        for reading in readings("next", 1, 10):
            meters.note(UNBOOKED, reading)
        assert meters.last_sequence(UNBOOKED) == 10
    meters.save()
    id_ = meters.boot("house", "next", Boot(50.0))
    assert meters.last_sequence(id_) == 10
    waiting = [(reading.sequence, reading.wall) for reading in meters.unsent(10_000)[1] if reading.boot == "next"]
    assert waiting == [(number, 50.0 + number * 5) for number in range(1, 11)]


def test_what_was_not_saved_is_lost_with_the_power_and_no_more(tmp_path: Path, meters: Journal) -> None:
    note(meters, "b", 1, 10)
    meters.save()
    note(meters, "b", 11, 15)
    meters.close()
    (tmp_path / "recent.sqlite").unlink()
    assert Journal(tmp_path / "journal.sqlite", tmp_path / "recent.sqlite").pulses() == 100


def test_what_is_acknowledged_is_not_sent_again_before_and_after_it_is_saved(meters: Journal) -> None:
    note(meters, "b", 1, 10)
    boots, found = meters.unsent(4)
    assert [reading.sequence for reading in found] == [1, 2, 3, 4]
    meters.acknowledge(boots, {"b": 4})
    for _ in range(2):
        assert [reading.sequence for reading in meters.unsent(100)[1]] == [5, 6, 7, 8, 9, 10]
        assert meters.waiting() == 6
        meters.save()


def test_an_older_acknowledgement_takes_nothing_back(meters: Journal) -> None:
    note(meters, "b", 1, 10)
    meters.acknowledge({}, {"b": 8})
    meters.acknowledge({}, {"b": 3})
    assert meters.waiting() == 2


def test_an_offset_is_told_until_it_is_acknowledged_and_again_when_it_changes(meters: Journal) -> None:
    note(meters, "b", 1, 3)
    boots, _ = meters.unsent(100)
    meters.acknowledge(boots, {"b": 3})
    for offset in (1000.0, 2000.0):
        for _ in range(2):
            meters.boot("house", "b", Boot(offset))
            assert meters.unsent(100) == ({"b": Boot(offset)}, [])
            meters.save()
        meters.acknowledge({"b": Boot(offset)}, {})
        for _ in range(2):
            assert meters.unsent(100) == ({}, [])
            meters.save()


def test_an_offset_that_changed_on_its_way_is_told_again(meters: Journal) -> None:
    note(meters, "b", 1, 3)
    boots, _ = meters.unsent(100)
    meters.boot("house", "b", Boot(1000.0))
    meters.acknowledge(boots, {"b": 3})
    assert meters.unsent(100)[0] == {"b": Boot(1000.0)}


def test_boots_are_sent_oldest_first(meters: Journal) -> None:
    for boot in ("c", "a", "b"):
        note(meters, boot, 1, 3)
    assert [reading.boot for reading in meters.unsent(100)[1]] == ["c"] * 3 + ["a"] * 3 + ["b"] * 3


@given(st.integers(1, 400), st.integers(0, 3))
def test_thinning_keeps_the_ends_of_each_boot_and_the_newest_half(tmp_path_factory: pytest.TempPathFactory, rows: int, boots: int) -> None:
    directory = tmp_path_factory.mktemp("thin")
    journal = Journal(directory / "journal.sqlite", directory / "recent.sqlite")
    for number in range(boots):
        note(journal, f"b{number}", 1, rows)
    journal.save()
    all_ = list(journal.unsent(10_000)[1])
    gone = journal.thin(0)
    kept = journal.unsent(10_000)[1]
    assert len(kept) == len(all_) - gone
    for number in range(boots):
        mine = [reading.sequence for reading in kept if reading.boot == f"b{number}"]
        assert (mine[0], mine[-1]) == (1, rows)
    journal.close()


def test_thinning_goes_on_only_until_it_is_small_enough(meters: Journal) -> None:
    note(meters, "b", 1, 4000)
    meters.save()
    size = meters.bytes()
    assert meters.thin(size) == 0
    assert meters.thin(size * 4 // 5) > 0
    assert size * 7 // 10 < meters.bytes() <= size * 4 // 5
    newest = [reading.sequence for reading in meters.unsent(10_000)[1]][-2000:]
    assert newest == list(range(2001, 4001))


def test_thinning_does_a_little_each_time_and_goes_on_where_it_stopped(tmp_path: Path, meters: Journal) -> None:
    note(meters, "b", 1, 1000)
    meters.save()
    for _ in range(3):
        assert 45 <= meters.thin(0, 100) <= 50
        meters.close()
        meters = Journal(tmp_path / "journal.sqlite", tmp_path / "recent.sqlite")
    sequences = [reading.sequence for reading in meters.unsent(10_000)[1]]
    steps = [after - before for before, after in itertools.pairwise(sequences)]
    assert set(steps[:140]) == {2, 1}
    assert steps[:140].count(1) <= 3
    assert set(steps[155:]) == {1}
    assert (sequences[0], sequences[-1]) == (1, 1000)


def test_a_file_that_is_no_journal_is_said(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(Broken, match=r"journal\.sqlite"):
        Journal(tmp_path / "journal.sqlite")
