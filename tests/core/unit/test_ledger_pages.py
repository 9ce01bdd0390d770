"""The ledger page by page: of a subject, with words, of a time, and older ones, whatever the clocks did meanwhile."""

import os
from pathlib import Path

import pytest

from pimains.core import ledger_search
from pimains.core.clock import FakeClock
from pimains.core.ledger import Ledger, Page, Reading
from pimains.core.ledger_search import NEWEST, Asked, Place


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(monotonic=100, wall=1_790_000_000)


@pytest.fixture
def ledger(tmp_path: Path, clock: FakeClock) -> Ledger:
    return Ledger(tmp_path / "ledger.sqlite", clock)


def actions(page: Page) -> list[str]:
    return [entry.action for _, entry in page.entries]


def all_pages(ledger: Ledger, asked: Asked, limit: int) -> list[list[str]]:
    found, place = [], NEWEST
    while True:
        page = ledger.page(asked, limit, place)
        found.append(actions(page))
        if page.end is None:
            return found
        place = ledger_search.place(str(page.end))


def test_older_ones_follow_page_by_page_and_each_entry_comes_once_though_the_clock_was_set_back(ledger: Ledger, clock: FakeClock) -> None:
    for number in range(7):
        ledger.record("plug", str(number), "a test")
        clock.jump(-3600)
    assert all_pages(ledger, Asked(), 3) == [["6", "5", "4"], ["3", "2", "1"], ["0"]]
    assert all_pages(ledger, Asked(), 7) == [["6", "5", "4", "3", "2", "1", "0"]]


def test_what_is_written_meanwhile_moves_no_page(ledger: Ledger) -> None:
    for number in range(4):
        ledger.record("plug", str(number), "a test")
    first = ledger.page(Asked(), 2)
    ledger.record("plug", "new", "a test")
    assert first.end is not None
    assert actions(ledger.page(Asked(), 2, first.end)) == ["1", "0"]


def test_an_entry_keeps_its_name_while_newer_ones_come(ledger: Ledger) -> None:
    ledger.record("plug", "first", "a test")
    ((name, _),) = ledger.page(Asked(), 5).entries
    ledger.record("plug", "second", "a test")
    assert ledger.page(Asked(), 5).entries[1][0] == name


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can write both")
def test_both_ledgers_are_turned_over_together(tmp_path: Path) -> None:
    clock = FakeClock(monotonic=100, wall=1_790_000_000)
    services = tmp_path / "ledger"
    services.mkdir()
    both = Ledger(tmp_path / "ledger.sqlite", clock)
    for number in range(6):
        (both if number % 3 else Ledger(services / "ledger.sqlite", clock)).record("plug", str(number), "a test")
        clock.advance(1)
    assert all_pages(both, Asked(), 4) == [["5", "4", "3", "2"], ["1", "0"]]
    assert all_pages(both, Asked("plug"), 1) == [[str(number)] for number in range(5, -1, -1)]


def test_words_are_found_in_what_is_told_of_an_entry_whatever_their_case(ledger: Ledger) -> None:
    ledger.record("relay.3", "on", "Überschuss 900 W", {"grid power": Reading("-900 W", 1.0)})
    ledger.record("relay.4", "off", "100 % of it_all")
    for words in (["ÜBERSCHUSS"], ["900", "on"], ["grid", "relay"], ["-900 w"]):
        assert actions(ledger.page(Asked(words=tuple(words)), 5)) == ["on"], words
    assert actions(ledger.page(Asked(words=("100 % of it_",)), 5)) == ["off"]
    for words in (["nothing"], ["overschuss"], ["900", "off"], ['"'], ["%%"]):
        assert actions(ledger.page(Asked(words=tuple(words)), 5)) == [], words


def test_a_time_is_that_which_is_told_of_an_entry_also_where_it_was_made_before_the_clock_was_set(tmp_path: Path) -> None:
    clock = FakeClock(monotonic=100, wall=50)
    ledger = Ledger(tmp_path / "ledger.sqlite", clock)
    ledger.record("plug", "before the clock was set", "a test")
    clock.advance(3600)
    clock.jump(1_790_000_000 - clock.wall())
    ledger.record("plug", "now", "a test")
    told_at = 1_790_000_000 - 3600
    assert actions(ledger.page(Asked(since=told_at - 1, until=told_at + 1), 5)) == ["before the clock was set"]
    assert actions(ledger.page(Asked(since=told_at + 1), 5)) == ["now"]
    assert actions(ledger.page(Asked(until=told_at - 1), 5)) == []


def test_a_subject_is_that_one_alone(ledger: Ledger) -> None:
    for subject in ("relay.1", "relay.10", "relay.1' or 1=1 --"):
        ledger.record(subject, subject, "a test")
    for subject in ("relay.1", "relay.1' or 1=1 --"):
        assert actions(ledger.page(Asked(subject), 5)) == [subject]


@pytest.mark.parametrize("text", ["", "1", "-", "1-", "a-b", "1-2-3", "-1-2", "1.5-2", "\u0663-\u0661", "9" * 60 + "-1"])
def test_a_place_that_nobody_has_told_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        ledger_search.place(text)


def test_a_place_may_be_higher_than_any_row() -> None:
    assert ledger_search.place(str(NEWEST)) == NEWEST
    assert ledger_search.place(f"{9 * 10**30}-7") == Place(NEWEST.root, 7)
