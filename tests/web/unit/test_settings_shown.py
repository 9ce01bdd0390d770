"""/v1/settings: what each service was told, and nothing of what is secret."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.relays.relays import make_relay
from tests.web.standing_house import StandingHouse

NASTY = "<img src=x onerror=alert(1)>"
SECRET = "precious-and-secret"


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandingHouse:
    return StandingHouse(tmp_path, monkeypatch)


def shown(house: StandingHouse) -> dict[str, dict[str, Any]]:
    answer = house.get("/v1/settings")
    assert answer.status == 200, answer.json
    return {each["instance"]: each for each in answer.json["instances"]}


def setting(of: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in of["settings"] if each["name"] == name)


def test_each_setting_comes_with_its_value_its_words_and_what_to_type(house: StandingHouse) -> None:
    cellar = house.add("ups", "ups.cellar", UPS="eaton", POLL_SECONDS="7")
    (cellar / "variables/POLL_SECONDS").write_text(f"7\nHow often we look.\n{NASTY}\n")
    (cellar / "variables/NOTE").write_text(f"{NASTY}\n")
    of = shown(house)["ups.cellar"]
    assert (of["service"], of["directory"], of["apply"]) == ("ups", str(cellar), f"sudo svc -t {cellar}")
    change = (
        f"sudo create_service --service_name=ups --instance=ups.cellar --servicedir={house.scan} --poll_seconds=... --add-service --apply"
    )
    found = setting(of, "POLL_SECONDS")
    assert found["default"] != "7"
    assert found == {
        "name": "POLL_SECONDS",
        "value": "7",
        "is_set": True,
        "default": found["default"],
        "edited": True,
        "secret": False,
        "allowed": found["allowed"],
        "meaning": f"How often we look.\n{NASTY}",
        "file": f"{cellar}/variables/POLL_SECONDS",
        "change": change,
    }
    assert {"name": "NOTE", "value": NASTY, "secret": False} in of["others"]


def test_of_a_secret_no_more_is_told_than_whether_it_is_set(house: StandingHouse) -> None:
    ups = house.add("ups", PASSWORD=SECRET, CCU_PASSWORD="")
    (ups / "variables/OLD_PASSWORD").write_text(f"{SECRET}\n")
    (ups / "variables/OLD_PASSWORD").chmod(0o600)
    (ups / "variables/USERNAME").write_text(f"{SECRET}\nonly for me\n")
    (ups / "variables/USERNAME").chmod(0o640)
    of = shown(house)["ups"]
    assert SECRET not in json.dumps(of)
    assert [(each["secret"], each["value"], each["is_set"]) for each in (setting(of, "PASSWORD"), setting(of, "CCU_PASSWORD"))] == [
        (True, None, True),
        (True, None, False),
    ]
    assert setting(of, "PASSWORD")["change"].count("--password=@FILE") == 1
    assert (setting(of, "USERNAME")["secret"], setting(of, "USERNAME")["is_set"]) == (True, True)
    assert {"name": "OLD_PASSWORD", "value": None, "secret": True} in of["others"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_who_may_not_read_a_secret_sees_by_its_length_whether_it_is_set(house: StandingHouse) -> None:
    from pimains.web.settings_seen import _looks_set

    ups = house.add("ups", PASSWORD=SECRET, CCU_PASSWORD="") / "variables"
    meaning = (ups / "PASSWORD").read_text().partition("\n")[2].strip()
    assert _looks_set(ups / "PASSWORD", meaning) is True
    (ups / "PASSWORD").write_text(f"\n{meaning}\n")
    assert _looks_set(ups / "PASSWORD", meaning) is False
    (ups / "PASSWORD").write_text("\nshort\n")
    assert _looks_set(ups / "PASSWORD", meaning) is None
    (ups / "PASSWORD").write_text("")
    assert _looks_set(ups / "PASSWORD", meaning) is False
    assert _looks_set(ups / "NOTHING", meaning) is None


def test_a_setting_that_is_missing_or_no_file_keeps_none_from_being_shown(house: StandingHouse) -> None:
    ups = house.add("ups") / "variables"
    house.add("plug", HOST="plug.lan")
    (ups / "POLL_SECONDS").unlink()
    (ups / "UPS").unlink()
    (ups / "UPS").mkdir()
    found = shown(house)
    assert setting(found["ups"], "POLL_SECONDS")["value"] == ""
    assert setting(found["plug"], "HOST")["value"] == "plug.lan"


def test_the_settings_of_each_relay_are_shown_after_those_of_relays(house: StandingHouse) -> None:
    relays = house.root / "etc/pimains/relays"
    house.add("relays", RELAYS=str(relays))
    make_relay(relays / "3", PIN="17", NAME=NASTY, MIN_ON="10min")
    (relays / "3/GROUP").unlink()
    (relays / "3/GROUP").mkdir()
    found = shown(house)
    assert [*found] == ["relays", "relay 3"]
    of = found["relay 3"]
    assert (of["purpose"], of["directory"], of["apply"]) == (NASTY, str(relays / "3"), None)
    least = setting(of, "MIN_ON")
    assert (least["value"], least["edited"], least["change"]) == ("10min", True, f"echo ... | sudo tee {relays}/3/MIN_ON")
    assert "min" in least["meaning"]
    assert (setting(of, "GROUP")["value"], setting(of, "GROUP")["is_set"]) == (None, None)


def test_relays_whose_directory_is_gone_keep_no_service_from_being_shown(house: StandingHouse) -> None:
    house.add("relays", RELAYS=str(house.root / "nowhere"))
    house.add("plug", HOST="plug.lan")
    assert [*shown(house)] == ["plug", "relays"]


def test_without_services_there_is_nothing_to_show(house: StandingHouse) -> None:
    assert house.get("/v1/settings").json == {"instances": []}
