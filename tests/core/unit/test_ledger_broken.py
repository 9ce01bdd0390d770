"""A ledger that the disk has ruined is set aside and said, and a new one is begun; nothing is deleted, and no service stops for it."""

import contextlib
import fcntl
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pimains.core import broken_sqlite
from pimains.core.clock import FakeClock
from pimains.core.instance import Instance
from pimains.core.ledger import Ledger, Reading
from tests.kit import TOP

PAGE = 4096
TABLES = """create table entries (
    id integer primary key, boot text not null, monotonic real not null, wall real not null,
    subject text not null, action text not null, cause text not null, inputs text not null, next_change real
);"""
HALF_WRITER = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("pragma journal_mode = persist")
connection.execute("pragma cache_size = 1")
connection.execute("begin exclusive")
connection.execute("delete from entries")
connection.execute("delete from durations")
connection.execute("insert into durations (subject, wall, seconds) values (zeroblob(300000), 0, 0)")
os.kill(os.getpid(), signal.SIGKILL)
"""


class Told(list[str]):
    """What a ledger said."""


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def ledger(tmp_path: Path, told: Told) -> Ledger:
    return Ledger(tmp_path / "ledger.sqlite", FakeClock(monotonic=100, wall=1_790_000_000), told.append)


def fill(ledger: Ledger) -> None:
    for number in range(40):
        ledger.record("plug", f"power on {number}", "a test" * 40, {"power": Reading("2.4 W", 1.5)})
        ledger.took("clients", number)


def aside(ledger: Ledger) -> list[str]:
    return sorted(path.name for path in ledger.path.parent.glob("*corrupt-?"))


def use(ledger: Ledger) -> None:
    """Everything a service does with it."""
    ledger.durations("clients")
    ledger.record("halt", "shut down", "a test")
    ledger.took("clients", 1.5)
    ledger.entries(limit=1000)
    ledger.subjects()


def no_database(data: bytes) -> bytes:
    return b"no database" * (len(data) // 11)


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def first_page_zeroed(data: bytes) -> bytes:
    return bytes(PAGE) + data[PAGE:]


def only_the_header(data: bytes) -> bytes:
    return data[:100]


@pytest.mark.parametrize("ruin", [no_database, first_page_zeroed, only_the_header])
def test_a_broken_ledger_is_set_aside_as_it_is_and_a_new_one_is_begun(ledger: Ledger, told: Told, ruin: object) -> None:
    fill(ledger)
    broken = ruin(ledger.path.read_bytes())  # type: ignore[operator]
    ledger.path.write_bytes(broken)
    use(ledger)
    assert aside(ledger) == ["ledger.sqlite.corrupt-1"]
    assert ledger.path.with_name("ledger.sqlite.corrupt-1").read_bytes() == broken
    assert [entry.action for entry in ledger.entries()] == ["shut down", "begin anew"]
    assert ledger.durations("clients") == [1.5]
    [line] = told
    assert line.startswith("the ledger was broken (")
    assert line.endswith(f"it is kept as {ledger.path}.corrupt-1, a new one is begun")


def test_a_ledger_that_ends_too_early_goes_on_with_what_can_be_read_of_it(ledger: Ledger, told: Told) -> None:
    for _ in range(5):
        fill(ledger)
    broken = half(ledger.path.read_bytes())
    ledger.path.write_bytes(broken)
    use(ledger)
    assert ledger.path.with_name("ledger.sqlite.corrupt-1").read_bytes() == broken
    last, anew, *before = ledger.entries(limit=1000)
    assert (last.action, before[-1].action) == ("shut down", "power on 0")
    assert anew.action == f"begin anew with {len(before) + 100} rows that could be read of it"
    assert len(before) >= 10
    assert told == [
        f"the ledger was broken (database disk image is malformed): it is kept as {ledger.path}.corrupt-1, "
        f"a new one is begun{anew.action.removeprefix('begin anew')}"
    ]


def test_a_ruined_page_costs_what_stood_on_it_and_no_more(ledger: Ledger, told: Told) -> None:
    for number in range(1000):
        ledger.record("plug", f"power on {number}", "a test" * 40)
    data = ledger.path.read_bytes()
    somewhere = len(data) // 2 // PAGE * PAGE
    ledger.path.write_bytes(data[:somewhere] + b"\xff" * PAGE + data[somewhere + PAGE :])
    assert len(ledger.entries(limit=10_000)) >= 1000 - 40
    ledger.record("halt", "shut down", "a test")
    assert len(aside(ledger)) == len(told) == 1
    with sqlite3.connect(ledger.path) as connection:
        assert connection.execute("pragma quick_check").fetchall() == [("ok",)]


def test_whichever_page_is_zeroed_what_a_service_does_with_its_ledger_succeeds(tmp_path: Path) -> None:
    whole = Ledger(tmp_path / "whole.sqlite")
    fill(whole)
    data = whole.path.read_bytes()
    assert len(data) >= 6 * PAGE
    for start in range(0, len(data), PAGE):
        told: list[str] = []
        ledger = Ledger(tmp_path / f"{start}/ledger.sqlite", tell=told.append)
        ledger.path.parent.mkdir()
        ledger.path.write_bytes(data[:start] + bytes(PAGE) + data[start + PAGE :])
        use(ledger)
        use(ledger)
        assert len(told) == len(aside(ledger)) <= 1


def test_the_first_reader_does_as_well_as_a_writer(ledger: Ledger, told: Told) -> None:
    ledger.path.write_bytes(b"no database" * 1000)
    assert ledger.durations("clients") == []
    assert [entry.action for entry in ledger.entries()] == ["begin anew"]
    assert len(told) == 1


def test_the_old_rollback_journal_goes_with_the_ledger_it_belongs_to(ledger: Ledger) -> None:
    fill(ledger)
    journal = ledger.path.with_name("ledger.sqlite-journal")
    assert journal.exists()
    stale = journal.read_bytes()
    ledger.path.write_bytes(b"no database" * 1000)
    use(ledger)
    assert ledger.path.with_name("ledger.sqlite.corrupt-1-journal").read_bytes() == stale


@pytest.mark.parametrize("suffix", ["-journal", "-wal", "-shm"])
def test_whatever_sqlite_keeps_beside_a_file_goes_with_it(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "readings.sqlite"
    path.write_bytes(b"no database")
    path.with_name(f"readings.sqlite{suffix}").write_bytes(b"of the broken one")
    replaced = broken_sqlite.replace(path, broken_sqlite.inode(path), "a test", "create table readings (pulses integer);")
    assert {each.name for each in tmp_path.iterdir()} == {
        "readings.sqlite",
        "readings.sqlite.corrupt-1",
        f"readings.sqlite.corrupt-1{suffix}",
    }
    assert path.with_name(f"readings.sqlite.corrupt-1{suffix}").read_bytes() == b"of the broken one"
    assert replaced == (path.with_name("readings.sqlite.corrupt-1"), 0)


def test_what_a_killed_writer_left_half_written_is_rolled_back_by_the_first_reader(ledger: Ledger, told: Told) -> None:
    fill(ledger)
    half_written = subprocess.run([sys.executable, "-c", HALF_WRITER, ledger.path], check=False)
    assert half_written.returncode == -signal.SIGKILL
    assert len(ledger.durations("clients")) == 40
    assert len(ledger.entries(limit=1000)) == 40
    assert told == []


def test_three_are_kept_and_the_fourth_is_for_a_person_to_look_at(ledger: Ledger, told: Told) -> None:
    for number in range(3):
        ledger.path.write_bytes(f"no database {number}".encode() * 1000)
        ledger.record("halt", "shut down", "a test")
    ledger.path.write_bytes(b"no database 4" * 1000)
    with pytest.raises(sqlite3.Error, match="3 broken ones lie beside it already"):
        ledger.record("halt", "shut down", "a test")
    assert aside(ledger) == [f"ledger.sqlite.corrupt-{number}" for number in (1, 2, 3)]
    assert ledger.path.read_bytes().startswith(b"no database 4")
    assert len(told) == 3


def test_a_ledger_that_may_not_be_renamed_is_said_as_broken(ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger.path.write_bytes(b"no database" * 1000)

    def denied(self: Path, target: object) -> Path:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "rename", denied)  # root may rename everything, so the kernel is asked to refuse in its place
    with pytest.raises(sqlite3.Error, match="not a database; it cannot be set aside: Operation not permitted"):
        ledger.record("halt", "shut down", "a test")


def test_a_locked_ledger_is_not_a_broken_one(ledger: Ledger, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger.record("halt", "shut down", "a test")
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *words, **more: connect(*words, **{**more, "timeout": 0.01}))
    busy = connect(ledger.path)
    busy.execute("begin exclusive")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        ledger.record("halt", "shut down", "a test")
    busy.close()
    assert (aside(ledger), told) == ([], [])


def test_a_service_says_it_once_in_its_log_its_error_and_to_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIMAINS_ROOT", str(tmp_path))
    queue = tmp_path / "var/lib/pimains/notify/queue"
    queue.mkdir(parents=True)
    me = Instance("halt", tmp_path / "etc/service/halt")
    me.run.mkdir(parents=True)
    me.ledger.path.write_bytes(b"no database" * 1000)
    me.ledger.record("halt", "shut down", "a test")
    me.ledger.record("halt", "shut down", "a test")
    line = f"the ledger was broken (file is not a database): it is kept as {me.ledger.path}.corrupt-1, a new one is begun"
    assert capsys.readouterr().out.splitlines() == [line]
    assert (me.run / "error").read_text().strip() == line
    [post] = queue.iterdir()
    assert post.read_text().splitlines() == ["ledger", "the ledger was broken, a new one is begun", line]


WRITER = """
import sys
from pathlib import Path
from pimains.core.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]))
print("begun", flush=True)
while True:
    ledger.record("plug", "power on", "a test")
"""


def test_killed_on_the_way_to_a_new_ledger_nothing_is_lost_and_the_next_one_finishes_it(tmp_path: Path) -> None:
    luck = random.Random(1)
    for number in range(12):
        ledger = Ledger(tmp_path / f"{number}/ledger.sqlite", tell=[].append)
        ledger.path.parent.mkdir()
        fill(ledger) if number == 0 else ledger.record("plug", "power on", "a test")
        broken = bytes(PAGE) + ledger.path.read_bytes()[PAGE:]
        ledger.path.write_bytes(broken)
        words = [sys.executable, "-P", "-c", WRITER, str(ledger.path)]
        writer = subprocess.Popen(words, env={**os.environ, "PYTHONPATH": str(TOP / "lib")}, stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        assert writer.stdout.readline() == "begun\n"
        time.sleep(luck.uniform(0, 0.02))  # where it is hit is left to chance
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        use(ledger)
        kept = [path for path in ledger.path.parent.iterdir() if path.name.endswith("corrupt-1")]
        assert [path.read_bytes() for path in kept] == [broken]
        assert ledger.entries()[0].action == "shut down"


def test_several_that_find_it_broken_at_once_set_aside_one_file(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(b"no database" * 1000)
    once = WRITER.replace("while True:", "for _ in range(5):")
    words = [sys.executable, "-P", "-c", once, str(path)]
    writers = [
        subprocess.Popen(words, env={**os.environ, "PYTHONPATH": str(TOP / "lib")}, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    said = "".join(writer.communicate()[0] for writer in writers)
    assert [writer.returncode for writer in writers] == [0, 0, 0, 0]
    assert said.count("a new one is begun") == 1
    assert len(aside(Ledger(path))) == 1
    assert len(Ledger(path).entries("plug", limit=100)) == 20


def test_while_a_broken_one_is_replaced_there_is_always_one_in_its_place(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger.path.write_bytes(b"no database" * 1000)
    rename, was_there = Path.rename, []

    def seen(self: Path, target: Path) -> Path:
        was_there.append(ledger.path.exists())
        found = rename(self, target)
        was_there.append(ledger.path.exists())
        return found

    monkeypatch.setattr(Path, "rename", seen)
    use(ledger)
    assert was_there
    assert all(was_there), "who finds none makes one, and what he writes there is lost"


def test_one_that_was_kept_by_somebody_who_was_killed_then_is_kept_once(ledger: Ledger) -> None:
    ledger.path.write_bytes(b"no database" * 1000)
    ledger.path.with_name("ledger.sqlite.corrupt-1").hardlink_to(ledger.path)
    use(ledger)
    assert aside(ledger) == ["ledger.sqlite.corrupt-1"]
    assert ledger.entries()[0].action == "shut down"


def test_what_is_just_being_written_while_it_is_found_broken_is_in_the_new_one(ledger: Ledger) -> None:
    fill(ledger)
    found = broken_sqlite.inode(ledger.path)
    other = threading.Thread(target=broken_sqlite.replace, args=(ledger.path, found, "a test", TABLES))
    with broken_sqlite.in_place(ledger.path, 1), contextlib.closing(sqlite3.connect(ledger.path)) as connection:
        other.start()
        other.join(0.1)
        assert broken_sqlite.inode(ledger.path) == found
        with connection:
            connection.execute("update entries set cause = 'written meanwhile'")
    other.join()
    assert broken_sqlite.inode(ledger.path) != found
    assert {entry.cause for entry in ledger.entries(limit=100)} == {"written meanwhile"}


def test_somebody_who_was_stopped_while_he_wrote_keeps_nobody_for_ever(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pimains.core.broken_sqlite._WRITTEN_SECONDS", 0.02)
    ledger.path.write_bytes(b"no database" * 1000)
    with (
        broken_sqlite.in_place(ledger.path, 1),
        pytest.raises(sqlite3.DatabaseError, match="cannot be set aside: is being written all the time"),
    ):
        ledger.record("plug", "power on", "a test")
    use(ledger)


def test_who_finds_it_being_replaced_for_too_long_is_told(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(ledger)
    monkeypatch.setattr("pimains.core.ledger._SECONDS", 0.02)
    handle = os.open(ledger.path.parent, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(OSError, match="is being replaced"):
            ledger.record("plug", "power on", "a test")
    finally:
        os.close(handle)
    ledger.record("plug", "power off", "a test")
    assert ledger.entries()[0].action == "power off"
