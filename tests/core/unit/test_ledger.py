"""The ledger: what was done, and why, on the disk before it is done."""

import os
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pimains.core.clock import FakeClock, boot_id
from pimains.core.ledger import Ledger, Reading
from tests.kit import TOP

RECORDER = """
import sys
from pathlib import Path
from pimains.core.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    ledger.record("plug", f"power on {number}", sys.argv[3])
    print(number, flush=True)
"""


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.sqlite", FakeClock(monotonic=100, wall=1_790_000_000))


def recorder(ledger: Ledger, count: int, name: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-P", "-c", RECORDER, str(ledger.path), str(count), name]
    return subprocess.Popen(words, env={**os.environ, "PYTHONPATH": str(TOP / "lib")}, stdout=subprocess.PIPE, text=True)


def test_an_entry_keeps_what_it_was_decided_on(ledger: Ledger) -> None:
    inputs = {"power": Reading("2.4 W", 1.5), "off requested": Reading("yes")}
    ledger.record("halt", "shut down", "the plug was switched off", inputs, may_change_in_seconds=60)
    (entry,) = ledger.entries()
    assert entry == (
        boot_id(),
        100,
        1_790_000_000,
        "halt",
        "shut down",
        "the plug was switched off",
        inputs,
        1_790_000_060,
    )


def test_entries_are_told_newest_first_also_after_the_clock_was_set_back(ledger: Ledger) -> None:
    for action in ("first", "second", "third"):
        ledger.record("plug", action, "a test")
        ledger.clock.jump(-3600)  # type: ignore[attr-defined]
    ledger.record("halt", "fourth", "a test")
    assert [entry.action for entry in ledger.entries(limit=3)] == ["fourth", "third", "second"]
    assert [entry.action for entry in ledger.entries("plug")] == ["third", "second", "first"]
    assert ledger.subjects() == ["halt", "plug"]


def test_what_was_recorded_survives_a_kill(ledger: Ledger) -> None:
    process = recorder(ledger, 1_000_000, "a test")
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(20)][-1]
    process.send_signal(signal.SIGKILL)
    rest = process.stdout.read().split()
    process.wait()
    last = int(rest[-1]) if rest and rest[-1].isdecimal() else int(said)
    assert int(ledger.entries()[0].action.removeprefix("power on ")) >= last


def test_two_processes_may_record_at_once_from_the_very_first_entry(ledger: Ledger) -> None:
    processes = [recorder(ledger, 20, name) for name in ("one", "two", "three")]
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    assert len(ledger.entries(limit=1000)) == 60


def test_the_ledger_stays_small(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pimains.core.ledger._ENTRIES_KEPT", 50)
    for number in range(60):
        ledger.record("plug", str(number), "a test")
    assert [entry.action for entry in ledger.entries(limit=1000)] == [str(number) for number in range(59, 9, -1)]


def test_what_is_switched_often_pushes_out_nothing_of_what_is_switched_seldom(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pimains.core.ledger._ENTRIES_KEPT", 50)
    ledger.record("halt", "shut down", "battery low")
    for number in range(60):
        ledger.record("relay.1", "on", f"surplus {number}")
        ledger.record("relay.2", "on", f"surplus {number}")
    assert [len(ledger.entries(subject, limit=1000)) for subject in ("halt", "relay.1", "relay.2")] == [1, 50, 50]
    assert ledger.entries("relay.1", limit=1)[0].cause == "surplus 59"


def test_the_last_hundred_durations_are_kept_for_each_subject(ledger: Ledger) -> None:
    ledger.took("drives", 7.5)
    for number in range(105):
        ledger.took("clients", number)
    assert ledger.durations("clients") == [float(number) for number in range(5, 105)]
    assert ledger.durations("drives") == [7.5]
    assert ledger.durations("usb") == []


def test_only_who_made_the_ledger_may_write_it(tmp_path: Path) -> None:
    Ledger(tmp_path / "ledger.sqlite").record("plug", "power on", "a test")
    assert stat.S_IMODE((tmp_path / "ledger.sqlite").stat().st_mode) == 0o644


def test_on_a_full_disk_recording_raises_and_what_was_there_stays(ledger: Ledger) -> None:
    ledger.record("plug", "power on", "a test")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with pytest.raises(sqlite3.Error):
            ledger.record("plug", "power off", "a test")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert [entry.action for entry in ledger.entries()] == ["power on"]


def test_reading_needs_no_right_to_write_and_makes_no_file(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "deeper/ledger.sqlite")
    assert (ledger.entries(), ledger.subjects(), ledger.durations("plug")) == ([], [], [])
    assert os.listdir(tmp_path) == []
    ledger.path.parent.mkdir()
    ledger.path.touch()
    assert ledger.entries() == [], "made by another process that has not written yet"
    ledger.record("plug", "power on", "a test")
    ledger.path.chmod(0o444)
    ledger.path.parent.chmod(0o555)
    try:
        assert len(ledger.entries()) == 1
    finally:
        ledger.path.parent.chmod(0o755)


def test_recording_takes_a_moment(ledger: Ledger) -> None:
    ledger.record("plug", "power on", "a test")
    took = []
    for _ in range(10):
        started = time.monotonic()
        ledger.record("plug", "power on", "a test")
        took.append(time.monotonic() - started)
    assert min(took) < 0.5, "the quickest: the others tell what else this machine had to do"


def test_no_text_is_too_odd_for_it(ledger: Ledger) -> None:
    odd = "'; drop table entries; -- \x00 \udcff".encode("utf-8", "replace").decode()
    ledger.record(odd, odd, odd, {odd: Reading(odd, None)})
    assert ledger.entries(odd)[0].cause == odd
