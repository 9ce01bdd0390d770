"""ups under a real supervise, beside a real upsd with dummy UPSes."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import House, TestInstance
from tests.ups.nut2_library import NUT2
from tests.ups.upsd import PASSWORD, Upsd

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")


@pytest.fixture
def upsd(tmp_path: Path) -> Iterator[Upsd]:
    with Upsd(tmp_path, "eaton", "cellar") as upsd:
        yield upsd


def watching(house: House, upses: str, **settings: str) -> TestInstance:
    given = {"USERNAME": "anna", "PASSWORD": PASSWORD, "POLL_SECONDS": "0.5", **settings}
    return house.add("ups", pythonpath=str(NUT2), UPS=upses, **given)


def test_it_says_how_the_ups_stands_and_whether_somebody_has_to_look(house: House, upsd: Upsd) -> None:
    ups = watching(house, f"eaton@127.0.0.1:{upsd.port}")
    house.until(lambda: ups.status == "on line, 100 %", what=ups.story)
    assert ups.read("unwell") == ""
    upsd.say("eaton", status="OB DISCHRG", charge="41", runtime="600")
    house.until(lambda: ups.status.startswith("on battery for ") and "41 %, shutting down in about 9 min" in ups.status, what=ups.story)
    assert ups.read("unwell") == ups.status
    upsd.say("eaton", status="OL CHRG")
    house.until(lambda: ups.status == "on line, 41 %", what=ups.story)
    assert ups.read("unwell") == ""
