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

from pimains.meter.own_readings import ASKED_AT_ONCE, UNBOOKED, OwnReadings, Unsent
from pimains.shared.plan import delivery
from pimains.shared.plan.delivery import Answer, Batch, Boot, Reading, Run
from pimains.shared.readings.journal import Broken, Journal


def readings(boot: str, first: int, last: int) -> list[Reading]:
    return [Reading(boot, number, None, number * 5.0, number * 10) for number in range(first, last + 1)]


@pytest.fixture
def meters(tmp_path: Path) -> OwnReadings:
    return OwnReadings(tmp_path / "journal.sqlite", tmp_path / "recent.sqlite")


def note(journal: OwnReadings, boot: str, first: int, last: int, offset: float | None = None) -> int:
    id_ = journal.enter_run("house", boot, boot, Boot(offset))
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


def test_notes_survive_a_kill_and_are_saved_once(tmp_path: Path, meters: OwnReadings) -> None:
    id_ = note(meters, "b", 1, 10, offset=100.0)
    meters.save()
    note(meters, "b", 11, 15)
    meters.close()
    again = OwnReadings(tmp_path / "journal.sqlite", tmp_path / "recent.sqlite")
    assert again.last_sequence(id_) == 15
    assert again.pulses() == 150
    again.save()
    again.save()
    boots, _, found = again.unsent(100)
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


def test_readings_of_a_boot_that_a_full_disk_does_not_take_wait_until_it_does(tmp_path: Path, meters: OwnReadings) -> None:
    note(meters, "b", 1, 3000)
    meters.save()
    with no_file_grows_beyond((tmp_path / "journal.sqlite-wal").stat().st_size):
        with pytest.raises(sqlite3.Error):
            meters.enter_run("house", "next", "next", Boot(None))
        for reading in readings("next", 1, 10):
            meters.note(UNBOOKED, reading)
        assert meters.last_sequence(UNBOOKED) == 10
    meters.save()
    id_ = meters.enter_run("house", "next", "next", Boot(50.0))
    assert meters.last_sequence(id_) == 10
    waiting = [(reading.sequence, reading.wall) for reading in meters.unsent(10_000).readings if reading.boot == "next"]
    assert waiting == [(number, 50.0 + number * 5) for number in range(1, 11)]


def test_what_was_not_saved_is_lost_with_the_power_and_no_more(tmp_path: Path, meters: OwnReadings) -> None:
    note(meters, "b", 1, 10)
    meters.save()
    note(meters, "b", 11, 15)
    meters.close()
    (tmp_path / "recent.sqlite").unlink()
    assert OwnReadings(tmp_path / "journal.sqlite", tmp_path / "recent.sqlite").pulses() == 100


def test_what_is_acknowledged_is_not_sent_again_before_and_after_it_is_saved(meters: OwnReadings) -> None:
    note(meters, "b", 1, 10)
    asked = meters.unsent(4)
    assert [reading.sequence for reading in asked.readings] == [1, 2, 3, 4]
    meters.acknowledge(asked, Answer({"b": 4}, {}))
    for _ in range(2):
        assert [reading.sequence for reading in meters.unsent(100).readings] == [5, 6, 7, 8, 9, 10]
        assert meters.waiting() == 6
        meters.save()


def test_an_older_acknowledgement_takes_nothing_back(meters: OwnReadings) -> None:
    note(meters, "b", 1, 10)
    eight, three = meters.unsent(8), meters.unsent(3)
    meters.acknowledge(eight, Answer({"b": 8}, {}))
    meters.acknowledge(three, Answer({"b": 3}, {}))
    assert meters.waiting() == 2


def test_an_offset_is_told_until_it_is_acknowledged_and_again_when_it_changes(meters: OwnReadings) -> None:
    note(meters, "b", 1, 3)
    meters.acknowledge(meters.unsent(100), Answer({"b": 3}, {}))
    for offset in (1000.0, 2000.0):
        for _ in range(2):
            meters.enter_run("house", "b", "b", Boot(offset))
            assert meters.unsent(100) == ({"b": Boot(offset)}, {"b": Run("b", 3)}, [])
            meters.save()
        meters.acknowledge(meters.unsent(100), Answer({}, {}))
        for _ in range(2):
            assert meters.unsent(100) == ({}, {}, [])
            meters.save()


def test_an_offset_that_changed_on_its_way_is_told_again(meters: OwnReadings) -> None:
    note(meters, "b", 1, 3)
    asked = meters.unsent(100)
    meters.enter_run("house", "b", "b", Boot(1000.0))
    meters.acknowledge(asked, Answer({"b": 3}, {}))
    assert meters.unsent(100).boots == {"b": Boot(1000.0)}


def test_boots_are_sent_oldest_first(meters: OwnReadings) -> None:
    for boot in ("c", "a", "b"):
        note(meters, boot, 1, 3)
    assert [reading.boot for reading in meters.unsent(100).readings] == ["c"] * 3 + ["a"] * 3 + ["b"] * 3


@given(st.integers(1, 400), st.integers(0, 3))
def test_thinning_keeps_the_ends_of_each_boot_and_the_newest_half(tmp_path_factory: pytest.TempPathFactory, rows: int, boots: int) -> None:
    directory = tmp_path_factory.mktemp("thin")
    journal = OwnReadings(directory / "journal.sqlite", directory / "recent.sqlite")
    for number in range(boots):
        note(journal, f"b{number}", 1, rows)
    journal.save()
    all_ = list(journal.unsent(10_000).readings)
    gone = journal.thin(0)
    kept = journal.unsent(10_000).readings
    assert len(kept) == len(all_) - gone
    for number in range(boots):
        mine = [reading.sequence for reading in kept if reading.boot == f"b{number}"]
        assert (mine[0], mine[-1]) == (1, rows)
    journal.close()


def test_thinning_goes_on_only_until_it_is_small_enough(meters: OwnReadings) -> None:
    note(meters, "b", 1, 4000)
    meters.save()
    size = meters.bytes()
    assert meters.thin(size) == 0
    assert meters.thin(size * 4 // 5) > 0
    assert size * 7 // 10 < meters.bytes() <= size * 4 // 5
    newest = [reading.sequence for reading in meters.unsent(10_000).readings][-2000:]
    assert newest == list(range(2001, 4001))


def test_thinning_does_a_little_each_time_and_goes_on_where_it_stopped(tmp_path: Path, meters: OwnReadings) -> None:
    note(meters, "b", 1, 1000)
    meters.save()
    for _ in range(3):
        assert 45 <= meters.thin(0, 100) <= 50
        meters.close()
        meters = OwnReadings(tmp_path / "journal.sqlite", tmp_path / "recent.sqlite")
    sequences = [reading.sequence for reading in meters.unsent(10_000).readings]
    steps = [after - before for before, after in itertools.pairwise(sequences)]
    assert set(steps[:140]) == {2, 1}
    assert steps[:140].count(1) <= 3
    assert set(steps[155:]) == {1}
    assert (sequences[0], sequences[-1]) == (1, 1000)


def test_a_file_that_is_no_journal_is_said(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(Broken, match=r"journal\.sqlite"):
        Journal(tmp_path / "journal.sqlite")


def said(journal: OwnReadings, source: str = "house", limit: int = 1000) -> tuple[Batch, Unsent]:
    asked = journal.unsent(limit)
    return Batch(source, "kWh", 1000, None, asked.boots, asked.readings, asked.runs), asked


def exchange(journal: OwnReadings, collector: Journal, source: str = "house", limit: int = 1000) -> int:
    """A request, and what becomes of its answer: how many readings were lost."""
    batch, asked = said(journal, source, limit)
    known, _ = collector.store_sent(batch)
    return journal.acknowledge(asked, delivery.read_answer(delivery.acknowledged(batch, known))).lost


def stored(collector: Journal) -> list[tuple[str, str, int, int]]:
    with contextlib.closing(sqlite3.connect(collector.path)) as connection:
        sql = "select source, name, sequence, pulses from readings join boots on boots.id = readings.boot order by 1, 2, 3"
        return list(connection.execute(sql))


@pytest.fixture
def collector(tmp_path: Path) -> Journal:
    (tmp_path / "collector").mkdir()
    return Journal(tmp_path / "collector/journal.sqlite")


def test_what_was_not_accepted_goes_with_the_source_and_nothing_else_does(meters: OwnReadings, collector: Journal) -> None:
    assert meters.belongs_to("pi.meter") is None
    id_ = meters.enter_run("pi.meter", "r1", "boot", Boot(100.0))
    for reading in readings("r1", 1, 4):
        meters.note(id_, reading)
    exchange(meters, collector, "pi.meter")
    for reading in readings("r1", 5, 10):
        meters.note(id_, reading)
    assert meters.belongs_to("house") == ("pi.meter", 6)
    assert meters.waiting() == 6
    exchange(meters, collector)
    assert (meters.waiting(), meters.belongs_to("house")) == (0, None)
    assert [(source, sequence) for source, _, sequence, _ in stored(collector)] == [
        *(("house", number) for number in range(5, 11)),
        *(("pi.meter", number) for number in range(1, 5)),
    ]
    meters.ask_again()
    assert exchange(meters, collector) == 0
    assert meters.unsent(10) == ({}, {}, [])
    assert meters.belongs_to("pi.meter") == ("house", 0)


def test_a_boot_of_the_last_release_gets_a_name_of_its_own_when_it_goes_to_another_source(meters: OwnReadings, collector: Journal) -> None:
    collector.store("house", {}, readings("boot", 1, 3))  # counted under that name before, and other readings
    id_ = meters.enter_run("pi.meter", "boot", "boot", Boot(100.0))
    for reading in readings("boot", 1, 3):
        meters.note(id_, reading._replace(pulses=reading.pulses + 1))
    meters.belongs_to("house")
    exchange(meters, collector)
    assert sorted(row[3] for row in stored(collector)) == [10, 11, 20, 21, 30, 31]


@pytest.mark.parametrize("kept", [0, 4, 9])
def test_a_collector_that_lost_what_it_had_accepted_gets_it_again(
    tmp_path: Path, meters: OwnReadings, collector: Journal, kept: int
) -> None:
    for run in ("r1", "r2"):
        note(meters, run, 1, 9)
    meters.save()
    exchange(meters, collector)
    note(meters, "r2", 10, 12)
    had = stored(collector)
    assert len(had) == 18
    other = Journal(tmp_path / "other.sqlite")
    other.store("house", {}, [reading for run in ("r1", "r2") for reading in readings(run, 1, kept)])
    assert exchange(meters, other) == 9 - kept  # of the run that it hears of; nothing of that is stored before the rest
    assert len(stored(other)) == 2 * kept + (3 if kept == 9 else 0)
    meters.ask_again()
    lost = exchange(meters, other)
    assert lost == 9 - kept
    assert meters.waiting() == (9 - kept if kept < 9 else 0)
    exchange(meters, other)
    meters.save()
    assert exchange(meters, other) == meters.waiting() == 0
    assert stored(other) == [*had, *(("house", "r2", number, number * 10) for number in (10, 11, 12))]


def test_an_answer_that_was_lost_hides_no_reading_that_the_collector_lost(tmp_path: Path, meters: OwnReadings, collector: Journal) -> None:
    note(meters, "r", 1, 9)
    exchange(meters, collector)
    note(meters, "r", 10, 12)
    other = Journal(tmp_path / "other.sqlite")
    batch, _ = said(meters)
    other.store_sent(batch)  # and nobody hears of it
    assert exchange(meters, other) == 9
    exchange(meters, other)
    assert [row[2] for row in stored(other)] == list(range(1, 13))


def test_runs_are_asked_about_a_few_at_a_time(meters: OwnReadings, collector: Journal) -> None:
    for number in range(ASKED_AT_ONCE + 20):
        note(meters, f"r{number}", 1, 1)
    exchange(meters, collector, limit=10_000)
    assert meters.unsent(10) == ({}, {}, [])
    meters.ask_again()
    for asked in (ASKED_AT_ONCE, 20, 0):
        assert len(meters.unsent(10).boots) == asked
        exchange(meters, collector)


def test_readings_that_are_recent_find_their_run_in_a_journal_that_is_another_one(tmp_path: Path, meters: OwnReadings) -> None:
    note(meters, "r1", 1, 3, offset=100.0)
    meters.save()
    note(meters, "r2", 1, 3, offset=100.0)
    meters.close()
    (tmp_path / "journal.sqlite").unlink()
    (tmp_path / "journal.sqlite-wal").unlink(missing_ok=True)
    again = OwnReadings(tmp_path / "journal.sqlite", tmp_path / "recent.sqlite")
    note(again, "r3", 1, 2)
    assert [(reading.boot, reading.sequence) for reading in again.unsent(100).readings] == [
        *(("r2", number) for number in (1, 2, 3)),
        *(("r3", number) for number in (1, 2)),
    ]
    assert again.unsent(100).boots["r2"] == Boot(100.0)


def test_all_runs_of_a_boot_move_when_its_clock_is_set(meters: OwnReadings, collector: Journal) -> None:
    for run in ("r1", "r2"):
        meters.note(meters.enter_run("house", run, "boot", Boot(100.0)), readings(run, 1, 1)[0])
    exchange(meters, collector)
    meters.enter_run("house", "r3", "boot", Boot(500.0))
    asked = meters.unsent(10)
    assert asked.boots == dict.fromkeys(("r1", "r2", "r3"), Boot(500.0))
    # also at a collector that hears of one alone: the meter may have lost its journal
    collector.store_sent(Batch("house", "kWh", 1000, None, {"r3": Boot(500.0)}, [], {"r3": Run("boot", 0)}))
    with contextlib.closing(sqlite3.connect(collector.path)) as connection:
        assert list(connection.execute('select name, "offset" from boots')) == [("r1", 500.0), ("r2", 500.0), ("r3", 500.0)]


def test_what_waits_is_counted_as_rows(meters: OwnReadings) -> None:
    id_ = meters.enter_run("house", "r", "boot", Boot(None))
    for number in (1, 13_679_277):
        meters.note(id_, Reading("r", number, None, number * 5.0, number))
    assert meters.waiting() == 2
    meters.save()
    note(meters, "r2", 1, 4000)
    meters.save()
    gone = meters.thin(0)
    assert gone > 0
    assert meters.waiting() == 4002 - gone


def test_each_source_gets_back_what_it_had_of_a_run_that_both_have_of(tmp_path: Path, meters: OwnReadings, collector: Journal) -> None:
    meters.belongs_to("house")
    id_ = meters.enter_run("house", "r", "boot", Boot(100.0))
    for reading in readings("r", 1, 4):
        meters.note(id_, reading)
    exchange(meters, collector)
    for reading in readings("r", 5, 9):
        meters.note(id_, reading)
    meters.belongs_to("attic")
    exchange(meters, collector, "attic")
    assert meters.belongs_to("attic") is None
    other = Journal(tmp_path / "other.sqlite")
    for source, lost in (("attic", 5), ("house", 4)):
        meters.belongs_to(source)
        meters.ask_again()
        assert exchange(meters, other, source) == lost
        exchange(meters, other, source)
    assert stored(other) == stored(collector) != []
    assert meters.waiting() == 0


def test_readings_that_only_the_collector_has_are_found_once(tmp_path: Path, meters: OwnReadings, collector: Journal) -> None:
    note(meters, "r", 1, 4)
    exchange(meters, collector)
    meters.save()
    note(meters, "r", 5, 9)
    exchange(meters, collector)
    meters.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "recent.sqlite")) as recent:  # the power goes
        recent.execute("delete from readings")
        recent.execute("delete from sent")
        recent.commit()
    again = OwnReadings(tmp_path / "journal.sqlite", tmp_path / "recent.sqlite")
    for ahead in (5, 0):
        again.ask_again()
        batch, asked = said(again)
        known, _ = collector.store_sent(batch)
        assert again.acknowledge(asked, Answer({}, known)) == (0, frozenset(), ahead)
    assert again.waiting() == 0
