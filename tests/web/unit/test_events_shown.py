"""/v1/events: the ledger as pimains why tells it, filtered, page by page."""

import json
from pathlib import Path

import pytest

from pimains.cli.main import main
from pimains.core.ledger import Ledger, Reading
from tests.web.standing_house import StandingHouse

NASTY = "<img src=x onerror=alert(1)>\x1b[2J\nsecond line"


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandingHouse:
    return StandingHouse(tmp_path, monkeypatch)


def actions(house: StandingHouse, **query: str) -> list[str]:
    return [event["action"] for event in house.get("/v1/events", **query).json["events"]]


def test_each_is_told_as_pimains_why_tells_it(house: StandingHouse, capsys: pytest.CaptureFixture[str]) -> None:
    Ledger().record("plug", "power on", NASTY, {"power": Reading("0.4 W", 90.0)}, may_change_in_seconds=300)
    Ledger().record("halt", "shut down", "")
    answer = house.get("/v1/events").json
    assert main(["why"]) == 0
    assert [event["sentence"].replace("just now", "0.9 s ago")[-40:] for event in answer["events"]] == [
        line.replace("just now", "0.9 s ago")[-40:] for line in capsys.readouterr().out.splitlines()
    ]
    assert [event["what"].partition(" May")[0] for event in answer["events"]] == [
        "halt: shut down.",
        "plug: power on, because <img src=x onerror=alert(1)> [2J second line. Based on: power 0.4 W (90 s old).",
    ]
    assert answer["subjects"] == ["halt", "plug"]
    assert main(["why", "--json"]) == 0
    for event, row in zip(answer["events"], json.loads(capsys.readouterr().out), strict=True):
        assert {name: event[name] for name in row.keys() - {"age_seconds", "time"}} == {
            name: pytest.approx(row[name], abs=5) if name == "may_change_again" and row[name] else row[name]
            for name in row.keys() - {"age_seconds", "time"}
        }
        assert event["age_seconds"] == pytest.approx(row["age_seconds"], abs=5)


def test_an_empty_ledger_is_no_error_and_is_not_made_by_asking(house: StandingHouse) -> None:
    answer = house.get("/v1/events").json
    assert (answer["events"], answer["subjects"], answer["end"]) == ([], [], None)
    assert list((house.root / "var/lib/pimains").iterdir()) == []


def test_an_entry_of_a_new_ledger_is_not_taken_for_that_of_the_old_one_with_its_number(house: StandingHouse) -> None:
    def name() -> str:
        [event] = house.get("/v1/events").json["events"]
        return str(event["id"])

    ledger = Ledger()
    ledger.record("plug", "power on", "a test")
    before = name()
    assert name() == before
    ledger.path.rename(ledger.path.with_suffix(".aside"))
    ledger.record("plug", "power off", "a test")
    assert name() != before


def test_older_ones_come_page_by_page(house: StandingHouse) -> None:
    ledger = Ledger()
    ledger.write_down([ledger.row("plug", str(number), "a test") for number in range(120)])
    found, end = [], ""
    while end is not None:
        answer = house.get("/v1/events", limit="50", before=end).json
        found.append([int(event["action"]) for event in answer["events"]])
        end = answer["end"]
    assert [len(page) for page in found] == [50, 50, 20]
    assert [number for page in found for number in page] == [*range(119, -1, -1)]


def test_subject_words_and_time_narrow_it(house: StandingHouse) -> None:
    for number, action in enumerate(("one", "two", "three")):
        Ledger().record(f"relay.{number}", action, f"Überschuss {number}00 W")
    now = house.get("/v1/events").json["at"]
    assert actions(house, subject="relay.1") == ["two"]
    assert actions(house, words="überschuss 200") == ["three"]
    assert actions(house, words="überschuss 900") == []
    assert actions(house, since=str(now - 3600), until=str(now + 60), limit="2") == ["three", "two"]
    assert actions(house, since=str(now + 60)) == []
    assert actions(house, until="5") == []
    assert actions(house, subject="", words=" ", since="", until="") == ["three", "two", "one"]


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("limit", "0", "limit: 1-200"),
        ("limit", "201", "limit: 1-200"),
        ("limit", "x", "limit: 1-200"),
        ("before", "x", "before: the end of a page, such as 120-35"),
        ("before", "1' or 1", "before: the end of a page, such as 120-35"),
        ("since", "yesterday", "since: seconds since 1970"),
        ("since", "nan", "since: seconds since 1970"),
        ("until", "inf", "until: seconds since 1970"),
        ("until", "-1", "until: seconds since 1970"),
        ("words", "x" * 201, "words: at most 200 characters"),
        ("subject", "x" * 201, "subject: at most 200 characters"),
        ("order", "asc", "'order' is not known in the query (known: subject, words, since, until, before, limit)"),
    ],
)
def test_what_is_no_question_is_refused_in_a_line(house: StandingHouse, name: str, text: str, line: str) -> None:
    answer = house.get("/v1/events", **{name: text})
    assert (answer.status, answer.json["error"]) == (400, line)
