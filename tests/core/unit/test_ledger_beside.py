"""The ledger is written by a child, and whoever writes goes on whatever is wrong with it."""

import sqlite3
from pathlib import Path

import pytest

from pimains.core import state
from pimains.core.instance import Instance
from pimains.core.ledger import Ledger
from pimains.core.ledger_beside import LedgerNote
from tests.kit import to_the_end


@pytest.fixture
def me(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    monkeypatch.setenv("PIMAINS_ROOT", str(tmp_path))
    instance = Instance("update", tmp_path)
    instance.run.mkdir(parents=True)
    return instance


def test_what_is_written_is_in_the_ledger_when_it_has_been_waited_for_and_is_answered(me: Instance) -> None:
    def upgrade(ledger: Ledger) -> str:
        ledger.record("update", "upgrade mpd", "a test")
        return f"after {ledger.durations('mpd')}"

    note = LedgerNote(me, upgrade)
    assert to_the_end(note.written()) == "after []"
    assert note.trouble == ""
    assert [(entry.action, entry.cause) for entry in me.ledger.entries("update")] == [("upgrade mpd", "a test")]


def test_a_ledger_that_others_keep_locked_is_waited_for_so_long_and_no_longer(me: Instance) -> None:
    me.ledger.record("update", "begin", "a test")
    other = sqlite3.connect(me.ledger.path, isolation_level=None)
    other.execute("begin exclusive")
    note = LedgerNote(me, lambda ledger: ledger.record("update", "never", "a test"))
    assert to_the_end(note.written(0.2)) == ""
    assert note.trouble == "the ledger was not written within 0.2 s"
    assert state.read(me.run / "error") == note.trouble
    other.close()
    assert [entry.action for entry in me.ledger.entries("update")] == ["begin"]


def test_a_ledger_that_cannot_be_written_is_said_and_is_the_trouble_of_whoever_needs_it(me: Instance) -> None:
    me.ledger.path.parent.mkdir(parents=True, exist_ok=True)
    me.ledger.path.symlink_to("/nowhere/ledger.sqlite")
    note = LedgerNote(me, lambda ledger: ledger.record("update", "never", "a test"))
    assert to_the_end(note.written()) == ""
    assert note.trouble == "the ledger cannot be written: OperationalError: unable to open database file"
    assert state.read(me.run / "error") == note.trouble
