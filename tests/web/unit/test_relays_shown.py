"""/v1/relays: how each relay is told in every state, and what is written when somebody asks."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pimains.core.clock import boot_id
from pimains.shared.relays.plan import modes
from pimains.web.api.relays import _mode
from tests.relays.relays import make_relay
from tests.web.standing_house import StandingHouse

NASTY = "<img src=x onerror=alert(1)>"


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandingHouse:
    house = StandingHouse(tmp_path, monkeypatch)
    house.add("relays", RELAYS=str(tmp_path / "etc/pimains/relays"))
    return house


def relay(house: StandingHouse, number: int, **settings: str) -> Path:
    """One that has settings; returns the file of its mode."""
    make_relay(house.root / "etc/pimains/relays" / str(number), **{"PIN": str(number), **settings})
    mode = house.root / f"var/lib/pimains/relays/{number}.mode"
    mode.parent.mkdir(parents=True, exist_ok=True)
    mode.write_text("auto\n")
    return mode


def told(house: StandingHouse, number: int, **values: str) -> None:
    for name, text in values.items():
        house.leave(f"relays/{number}.{name}", text)


def only(house: StandingHouse) -> dict[str, Any]:
    (row,) = house.get("/v1/relays").json["relays"]
    return dict(row)


def test_one_that_a_person_has_switched_on_is_told_with_the_time_that_is_left(house: StandingHouse) -> None:
    relay(house, 3, NAME=NASTY, WATTS="2000", GROUP="heaters", FORCED_FOR="2h").write_text("on for 2h\n")
    told(house, 3, state="on", mode="on for 2h", reason="a person wants it on for 2 h", switches="7", watts="2000")
    told(house, 3, next="2026-11-28T12:00:00+00:00")
    history = {"boot": boot_id(), "time": 500.0, "monotonic": time.monotonic() - 100, "mode_ends": 4000.0}
    told(house, 3, history=json.dumps(history))
    row = only(house)
    assert row.pop("mode_seconds_left") == pytest.approx(3400, abs=5)
    assert row == {
        "number": 3,
        "name": NASTY,
        "state": "on",
        "mode": "on for 2h",
        "watts": 2000.0,
        "switches": 7,
        "next": "2026-11-28T12:00:00+00:00",
        "next_at": 1_795_867_200.0,
        "reason": "a person wants it on for 2 h",
        "said": "on for 2h",
        "group": "heaters",
        "load_watts": 2000,
        "forced_for": 7200.0,
        "wrong": None,
    }


def test_one_that_nothing_is_told_of_is_not_known(house: StandingHouse) -> None:
    relay(house, 1)
    row = only(house)
    assert {row[name] for name in ("state", "mode", "watts", "switches", "next", "next_at", "mode_seconds_left")} == {None}
    assert row["reason"] == "the service does not run"


@pytest.mark.parametrize(
    "history", ["", "{", "[]", '{"boot": 1}', json.dumps({"boot": "another", "mode_ends": 5, "time": 1, "monotonic": 1})]
)
def test_a_history_that_says_nothing_of_now_tells_no_end_of_a_mode(house: StandingHouse, history: str) -> None:
    relay(house, 1)
    told(house, 1, state="on", mode="on for 2h", history=history)
    assert only(house)["mode_seconds_left"] is None


def test_wrong_settings_of_one_are_told_and_keep_no_other_from_being_shown(house: StandingHouse) -> None:
    relay(house, 1, PIN="x")
    relay(house, 2)
    first, second = house.get("/v1/relays").json["relays"]
    assert first["wrong"].endswith(
        "/1/PIN: 'x' is no pin (a GPIO number 0-27, or LABEL:LINE of a GPIO chip, as gpiodetect tells its label)"
    )
    assert second["wrong"] is None


def test_without_relays_and_without_the_service_there_is_nothing_to_show(
    house: StandingHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "etc/pimains/relays").mkdir(parents=True)
    answer = house.get("/v1/relays").json
    assert (answer["service"], answer["relays"]) == ("relays", [])
    answer = StandingHouse(tmp_path / "another", monkeypatch).get("/v1/relays").json
    assert (answer["service"], answer["relays"]) == (None, [])


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ({"mode": "on"}, "on"),
        ({"mode": "off", "for": None}, "off"),
        ({"mode": "auto"}, "auto"),
        ({"mode": "on", "for": 900}, "on for 15min"),
        ({"mode": "off", "for": 90.4}, "off for 90s"),
        ({"mode": "on", "for": 366 * 86400}, "on for 366d"),
    ],
)
def test_what_is_asked_is_written_as_pimains_relay_writes_it(house: StandingHouse, body: dict[str, Any], line: str) -> None:
    mode = relay(house, 3)
    answer = house.post("/v1/relays/3/mode", **body)
    assert (answer.status, answer.json) == (200, {"number": 3, "asked": line})
    assert mode.read_text() == f"{line}\n"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"mode": "ON"},
        {"mode": "3"},
        {"mode": ["on"]},
        {"mode": "on for 2h"},
        {"mode": "on", "for": 0},
        {"mode": "on", "for": -5},
        {"mode": "on", "for": 366 * 86400 + 1},
        {"mode": "on", "for": "900"},
        {"mode": "on", "for": True},
        {"mode": "on", "for": [900]},
        {"mode": "auto", "for": 900},
        {"mode": "on", "until": "18:00"},
    ],
)
def test_what_is_no_mode_is_refused_in_a_line_and_nothing_is_written(house: StandingHouse, body: dict[str, Any]) -> None:
    mode = relay(house, 3)
    answer = house.post("/v1/relays/3/mode", **body)
    assert answer.status == 400
    assert len(answer.json["error"].splitlines()) == 1
    assert mode.read_text() == "auto\n"


@pytest.mark.parametrize("number", ["4", "0", "03", "3x", "-3", "%2e%2e", "..%2f3", "3%00", "٣", "9999"])
def test_of_a_relay_that_is_not_there_nothing_is_written(house: StandingHouse, number: str) -> None:
    mode = relay(house, 3)
    assert house.post(f"/v1/relays/{number}/mode", mode="on").status == 404
    assert mode.read_text() == "auto\n"
    assert [path.name for path in mode.parent.iterdir()] == ["3.mode"]


def test_a_link_in_place_of_the_mode_is_not_followed(house: StandingHouse, tmp_path: Path) -> None:
    mode = relay(house, 3)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("precious\n")
    mode.unlink()
    mode.symlink_to(elsewhere)
    answer = house.post("/v1/relays/3/mode", mode="on")
    assert answer.status == 409
    assert answer.json["error"].startswith(f"{mode}: ")
    assert elsewhere.read_text() == "precious\n"


def test_while_the_service_has_never_run_it_is_said_so(house: StandingHouse) -> None:
    mode = relay(house, 3)
    mode.unlink()
    answer = house.post("/v1/relays/3/mode", mode="on")
    assert (answer.status, answer.json["error"]) == (409, f"{mode}: No such file or directory; does the service run? (pimains status)")
    assert not mode.exists()


@given(st.floats(1, 366 * 86400))
def test_whatever_the_time_is_the_service_understands_what_is_written(seconds: float) -> None:
    mode = _mode({"mode": "on", "for": seconds})
    understood = modes.parse(modes.in_words(mode))
    assert understood == mode
    assert understood.seconds == pytest.approx(seconds, abs=31)
