"""A host that hangs on a plug, in an outage: it goes down by its button, and is given power again when the mains are back."""

import os

import pytest

from tests.kit import House
from tests.plug.house.test_plug import add_plug
from tests.plug.plugs import house_plug
from tests.ups.nut2_library import NUT2
from tests.ups.outages import at
from tests.ups.upsd import Upsd

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")


def test_a_host_on_a_plug_is_switched_off_in_an_outage_and_on_after_it(house: House, upsd: Upsd) -> None:
    with house_plug() as device:
        tv = add_plug(house, device.port, name="tv", svscan=False, FEEDS="another")
        given = {"POWER": "0", "POLL_SECONDS": "0.5", "WAKE_AFTER_SECONDS": "0"}
        ups = house.add("ups", pythonpath=str(NUT2), svscan=False, UPS=at(upsd), **given)
        there = ups.directory / "hosts/tv"
        there.mkdir(parents=True)
        for name, value in {"PLUG": "tv", "SHED_AT": "charge 50", "DOWN_SECONDS_MAX": "60"}.items():
            (there / name).write_text(f"{value}\n")
        house.start()
        house.until(lambda: ups.status.startswith("on line") and "power on" in tv.status, what=ups.story)
        upsd.say("eaton", status="OB", charge="40")
        house.until(lambda: "power on, switched off" in tv.status, what=ups.story)
        assert "host tv: order down: the charge is 40 %" in ups.log
        device.tell("press press")  # the machine behind it is down, and its plug cuts
        house.until(lambda: "down: tv" in ups.status, what=ups.story)
        upsd.say("eaton", status="OL")
        house.until(lambda: "power on" in tv.status and not (ups.lib / "outage").exists(), what=ups.story)
        ups.until_logged("host tv: woken -> up", "waking -> well: the other machines: tv ")
