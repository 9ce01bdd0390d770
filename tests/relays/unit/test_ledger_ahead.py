"""What the ledger is to say of a switching is on the disk before the contact moves, and in the ledger once: relays/ledger_ahead.py."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from pimains.core.clock import FakeClock
from pimains.core.instance import Instance
from pimains.relays.ledger_ahead import LedgerAhead


@pytest.fixture
def me(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    monkeypatch.setenv("PIMAINS_ROOT", str(tmp_path))
    me = Instance("relays", tmp_path, FakeClock())
    for each in (me.run, me.lib):
        each.mkdir(parents=True)
    return me


@pytest.fixture
def ahead(me: Instance) -> LedgerAhead:
    ahead = LedgerAhead(me)
    ahead.begin()
    return ahead


def note(ahead: LedgerAhead, me: Instance, *causes: str) -> None:
    for cause in causes:
        assert ahead.note(me.ledger.row("relay.1", "on", cause))


def causes(me: Instance) -> list[str]:
    """What the ledger has, oldest first."""
    return [entry.cause for entry in me.ledger.entries("relay.1", 1000)][::-1]


def begin_again(me: Instance) -> LedgerAhead:
    """As after a kill."""
    ahead = LedgerAhead(me)
    ahead.begin()
    return ahead


def test_what_was_noted_is_in_the_ledger_once_it_is_delivered(ahead: LedgerAhead, me: Instance) -> None:
    note(ahead, me, "sun", "more sun")
    assert causes(me) == []
    ahead.deliver()
    ahead.deliver()
    assert causes(me) == ["sun", "more sun"]
    note(ahead, me, "clouds")
    ahead.deliver()
    begin_again(me)
    assert causes(me) == ["sun", "more sun", "clouds"]


def test_what_a_kill_has_left_the_next_service_gives_to_the_ledger_once(ahead: LedgerAhead, me: Instance) -> None:
    note(ahead, me, "sun", "more sun")
    begin_again(me)
    begin_again(me)
    assert causes(me) == ["sun", "more sun"]


def test_what_a_power_cut_brings_back_is_known(ahead: LedgerAhead, me: Instance) -> None:
    note(ahead, me, "sun", "more sun")
    as_it_was = (me.lib / "ahead").read_bytes()
    ahead.deliver()
    (me.lib / "ahead").write_bytes(as_it_was)
    begin_again(me)
    assert causes(me) == ["sun", "more sun"]


def test_a_line_that_was_just_being_written_costs_itself_alone(ahead: LedgerAhead, me: Instance) -> None:
    note(ahead, me, "sun")
    size = len((me.lib / "ahead").read_bytes().rstrip(b"\0\n"))
    note(ahead, me, "more sun")
    with (me.lib / "ahead").open("r+b") as file:
        file.seek(size + 30)
        file.write(bytes(1000))
    begin_again(me)
    assert causes(me) == ["sun"]


def test_what_has_no_room_any_more_the_ledger_itself_is_asked_for(ahead: LedgerAhead, me: Instance) -> None:
    row = me.ledger.row("relay.1", "on", "x" * 500)
    assert [ahead.note(row) for _ in range(100)].index(False) > 40
    size = (me.lib / "ahead").stat().st_size
    ahead.deliver()
    assert ahead.note(row)
    assert (me.lib / "ahead").stat().st_size == size


def test_where_nothing_can_be_noted_that_is_told(ahead: LedgerAhead, me: Instance) -> None:
    (me.lib / "ahead").unlink()
    assert not ahead.note(me.ledger.row("relay.1", "on", "sun"))


@contextlib.contextmanager
def somebody_writes(me: Instance) -> Iterator[None]:
    """Into the ledger, for longer than anybody waits."""
    with contextlib.closing(sqlite3.connect(me.ledger.path)) as connection:
        connection.execute("begin exclusive")
        yield


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pimains.core.ledger._SECONDS", 0.01)


@pytest.mark.usefixtures("impatient")
def test_what_the_ledger_did_not_take_it_gets_a_minute_later(ahead: LedgerAhead, me: Instance) -> None:
    me.ledger.record("plug", "on", "a test")
    note(ahead, me, "sun")
    with somebody_writes(me):
        ahead.deliver()
    ahead.deliver()
    assert causes(me) == []
    me.clock.advance(60)
    ahead.deliver()
    assert causes(me) == ["sun"]


@pytest.mark.usefixtures("impatient")
def test_what_the_ledger_did_not_take_goes_before_what_it_is_asked_for_itself(ahead: LedgerAhead, me: Instance) -> None:
    me.ledger.record("plug", "on", "a test")
    rows = [me.ledger.row("relay.1", "on", f"{number} {'x' * 500}") for number in range(100)]
    with somebody_writes(me):
        for row in rows:
            me.clock.advance(1)
            if not ahead.note(row):
                break
        ahead.deliver()
        ahead.write_down(row)
    assert causes(me) == []
    ahead.write_down(me.ledger.row("relay.1", "off", "clouds"))
    until = rows.index(row) + 1
    assert causes(me) == [*(each[5] for each in rows[:until]), "clouds"]
    note(ahead, me, "sun")


@pytest.mark.usefixtures("impatient")
def test_what_no_ledger_took_when_the_service_began_it_gets_before_anything_newer(ahead: LedgerAhead, me: Instance) -> None:
    me.ledger.record("plug", "on", "a test")
    note(ahead, me, "sun", "more sun")
    with somebody_writes(me):
        again = begin_again(me)
    me.clock.advance(1)
    note(again, me, "clouds")
    begin_again(me)
    assert causes(me) == ["sun", "more sun", "clouds"]


@pytest.mark.parametrize("text", ["[" * 30_000, "NaN", "Infinity", '"\\ud800"'], ids=["deep", "no number", "endless", "half a letter"])
def test_what_no_ledger_would_take_keeps_nothing_up(ahead: LedgerAhead, me: Instance, text: str) -> None:
    row = [*me.ledger.row("relay.1", "on", "ruined")]
    line = json.dumps(row).replace(json.dumps(row[5] if text.startswith('"') else row[2]), text) if len(text) < 100 else text
    (me.lib / "ahead").write_text(line + "\n" + json.dumps(me.ledger.row("relay.1", "on", "sun")) + "\n")
    again = begin_again(me)
    note(again, me, "clouds")
    again.deliver()
    assert causes(me) == ["sun", "clouds"]


def test_a_file_that_goes_is_made_anew(ahead: LedgerAhead, me: Instance) -> None:
    (me.lib / "ahead").unlink()
    ahead.write_down(me.ledger.row("relay.1", "on", "sun"))
    note(ahead, me, "clouds")
    assert (me.lib / "ahead").stat().st_size == 32 * 1024
