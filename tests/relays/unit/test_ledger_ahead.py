"""What the ledger is to say of a switching is on the disk before the contact moves, and in the ledger once: relays/ledger_ahead.py."""

from pathlib import Path

import pytest

from pimains.core.instance import Instance
from pimains.relays.ledger_ahead import LedgerAhead


@pytest.fixture
def me(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    monkeypatch.setenv("PIMAINS_ROOT", str(tmp_path))
    me = Instance("relays", tmp_path)
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
