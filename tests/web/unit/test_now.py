"""What /v1/now tells of each service."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pimains.web.plan.now import Facts, ordered, row, state
from tests.kit import TOP
from tests.web.asking import Asked, answering
from tests.web.said import Said, said, solar_house

WELL = Facts("ups", "ups", True, 50.0, True, "", "on mains", 20.0, "", "", None)


def test_a_service_is_up_stopped_down_or_not_known() -> None:
    assert state(WELL) == "up"
    assert state(WELL._replace(is_up=None)) == "unknown", "started by a version that did not show it"
    assert state(WELL._replace(is_up=False)) == "down"
    assert state(WELL._replace(is_up=False, status="stopped")) == "stopped"
    assert state(WELL._replace(is_up=False, status="", is_wanted=False)) == "stopped", "it has a file down and was never started"
    assert state(WELL._replace(is_up=False, status="", is_wanted=True)) == "down"


def test_unwell_is_who_says_so_cannot_be_started_or_is_down_though_nobody_stopped_it() -> None:
    assert row(WELL)["well"]
    assert row(WELL._replace(error="it was once"))["well"], "an error that is over"
    assert row(WELL._replace(is_up=False, status="stopped"))["well"]
    assert row(WELL._replace(is_up=None))["well"]
    assert not row(WELL._replace(is_up=False))["well"]
    assert row(WELL._replace(unwell="cannot reach upsd", unreadable="variables/UPS: is a directory"))["troubles"] == [
        "variables/UPS: is a directory",
        "cannot reach upsd",
    ]


def test_what_is_unwell_stands_first_what_is_down_before_that_and_what_was_stopped_last() -> None:
    rows = [
        row(WELL._replace(instance="a", is_up=False, status="stopped")),
        row(WELL._replace(instance="b")),
        row(WELL._replace(instance="c", unwell="x")),
        row(WELL._replace(instance="d", is_up=False)),
        row(WELL._replace(instance="e", is_up=None)),
    ]
    assert [each["instance"] for each in ordered(rows)] == ["d", "c", "b", "e", "a"]


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Said]:
    with said(tmp_path, monkeypatch) as house:
        yield house


@pytest.fixture
def web(house: Said) -> Iterator[Asked]:
    with answering(house.scan) as web:
        yield web


def told(web: Asked) -> dict[str, Any]:
    answer = web.get("/v1/now")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_machine_without_services_has_none(web: Asked) -> None:
    assert told(web) == {"services": [], "relays": {}}


def test_each_service_is_told_with_its_last_words_and_their_ages(house: Said, web: Asked) -> None:
    solar_house(house)
    house.say("meter/unwell", "no pulse for an hour <img src=x onerror=alert(1)>")
    house.say("meter/error", "no pulse for an hour <img src=x onerror=alert(1)>")
    house.dies("plug")
    found = told(web)
    assert [each["instance"] for each in found["services"]][:3] == ["plug", "meter", "halt"]
    plug, meter, halt = found["services"][:3]
    assert (plug["state"], plug["well"], plug["troubles"], plug["since_seconds"]) == ("down", False, [], None)
    assert meter["troubles"] == [meter["last_error"]] == ["no pulse for an hour <img src=x onerror=alert(1)>"]
    assert 0 <= meter["last_error_age_seconds"] < 60
    assert (halt["state"], halt["well"], halt["status"], halt["service"]) == ("up", True, "ready", "halt")
    assert 0 <= halt["since_seconds"] < 60 and 0 <= halt["status_age_seconds"] < 60
    assert found["relays"] == {"1": "Boiler", "2": "Pump", "3": "Freezer"}


def test_a_setting_that_keeps_a_service_from_starting_is_told(house: Said, web: Asked) -> None:
    house.add("ups", "ups", is_up=False)
    (house.scan / "ups/variables/UPS").mkdir()
    (row,) = told(web)["services"]
    assert not row["well"]
    assert row["troubles"] == [f"{house.scan}/ups/variables/UPS: is a directory; a setting is a plain file, its value in line 1"]


_FULL = """
mount -t tmpfs -o size=64k none "$1"
exec "$2" -c 'import sys
from pathlib import Path
from pimains.web.api.now import no_room
run = Path(sys.argv[1])
print(no_room(run))
try:
    (run / "log").write_bytes(bytes(1 << 20))
except OSError:
    print(no_room(run))' "$1"
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small /run of its own: needs root")
def test_a_full_run_is_told_for_what_it_is(tmp_path: Path) -> None:
    command = ["unshare", "--mount", "sh", "-ec", _FULL, "sh", str(tmp_path), sys.executable]
    told = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(TOP / "lib")}, capture_output=True, text=True, check=True)
    hint = f"(df -h {tmp_path}; df -i {tmp_path})"
    assert told.stdout.splitlines() == ["", f"{tmp_path} has no room left: what services say now is not to be seen here {hint}"]


def test_settings_of_relays_that_nobody_can_read_keep_no_page_from_its_services(house: Said, web: Asked) -> None:
    solar_house(house)
    house.say("relays/settings", "/dev/null/relays")
    assert told(web)["relays"] == {}
    assert len(told(web)["services"]) == 9
