"""The page Outage with a real upsd and a real ups service: how it stands, an outage, the last one, and a rehearsal. Nobody is halted."""

import os
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.kit import House
from tests.ups.nut2_library import NUT2
from tests.ups.outages import at
from tests.ups.upsd import Upsd
from tests.web.page import PASSWORD, Pages, axe, web_house

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains-web: needs root")
XSS = "<img src=x onerror=alert(1)>"


def test_an_outage_is_shown_as_it_goes_and_the_next_one_is_rehearsed(house: House, pages: Pages, tmp_path: Path) -> None:
    with Upsd(tmp_path, "eaton", override={"device.model": XSS}) as upsd:
        given = {"POWER": "0", "POLL_SECONDS": "0.5", "WAKE_AFTER_SECONDS": "600"}
        ups = house.add("ups", pythonpath=str(NUT2), svscan=False, UPS=at(upsd), **given)
        nas = ups.directory / "hosts/nas"
        nas.mkdir(parents=True)
        for name, value in {
            "SSH": "root@127.0.0.1:9",
            "SHED_AT": "charge 50",
            "MAC": "00:11:32:00:00:02",
            "DOWN_SECONDS_MAX": "20",
        }.items():
            (nas / name).write_text(f"{value}\n")
        readable = house.root / "nut2"  # as Debian's package is, also for what is started as pimains-web
        shutil.copytree(NUT2, readable)
        readable.chmod(0o755)
        web = web_house(house, PASSWORD=PASSWORD, pythonpath=str(readable))
        house.until(lambda: ups.status.startswith("on line"), what=ups.story)
        page = pages.logged_in(web.url, "/outage", width=1440)
        card = page.locator("#instances .card", has_text="eaton")
        card.get_by_text("on line, 100 %").wait_for()
        expect(card.get_by_text(XSS, exact=True)).to_be_visible()
        page.get_by_text("The ledger has none.").wait_for()
        page.get_by_role("button", name="Rehearse").click()
        page.locator("#rehearsed svg.timeline").wait_for()
        page.locator("#rehearsed td", has_text="nas").first.wait_for()
        assert page.locator("#rehearsed svg.timeline circle").count() == page.locator("#rehearsed tbody tr").count()
        expect(page.locator("#rehearsed li", has_text="the battery of eaton has 100 %")).to_be_visible()
        assert axe(page) == []
        upsd.say("eaton", status="OB", charge="40")
        page.get_by_text("On battery; other machines go down").wait_for()
        page.locator(".hosts li", has_text="nas").wait_for()
        page.locator(".rows li", has_text="order down (the charge is 40 %").wait_for()
        upsd.say("eaton", status="OL")
        page.get_by_text("The mains are back; the batteries are charging").wait_for()
        assert axe(page) == []
        for secret in (house.root / "var/lib/pimains/ledger.sqlite", ups.lib / "outage"):
            secret.write_text("a secret")
            secret.chmod(0o600)
            shutil.chown(secret, "root", "root")
            page.locator("p", has_text=f"Not known here: {secret}").wait_for()
