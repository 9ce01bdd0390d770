"""The page Power: a halt that is asked for twice, followed and cancelled; plugs. HALT_COMMAND is the recorder."""

import os

import pytest
from playwright.sync_api import expect

from pimains.core.machine import own_name
from tests.halt.halting import add_step, ask, let_go, new_halt, pause_at, ran
from tests.kit import House
from tests.plug.house.test_plug import add_plug
from tests.plug.plugs import house_plug
from tests.web.page import PASSWORD, Pages, axe, web_house

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains-web: needs root")
XSS = "<img src=x onerror=alert(1)>"


def test_a_halt_is_asked_for_twice_followed_step_by_step_and_cancelled(house: House, pages: Pages) -> None:
    go = pause_at(house, "20-clients")
    add_step(house, "70-secret", "").chmod(0o700)
    new_halt(house)
    page = pages.logged_in(web_house(house, PASSWORD=PASSWORD).url, "/power", width=390, dark=True)
    page.locator("#plan tr", has_text="70-secret").get_by_text("Not known here: only root may look at it").wait_for()
    page.get_by_role("button", name="Shut down").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Go on").click()
    dialog.get_by_role("textbox").fill("another machine")
    dialog.get_by_role("button", name="Shut down").click()
    dialog.get_by_text("so nothing is done").wait_for()
    assert ran(house) == []
    dialog.get_by_role("textbox").fill(own_name())
    dialog.get_by_role("button", name="Shut down").click()
    page.locator("#halting-steps li.runs", has_text="20-clients").wait_for()
    expect(page.locator("#stages [aria-current=step]")).to_have_text("Step by step")
    expect(page.locator("#halting-why")).to_contain_text("asked by web, 127.0.0.1")
    assert axe(page) == []
    page.get_by_role("button", name="Keep it on").click()
    dialog.get_by_role("button", name="Go on").click()
    dialog.get_by_role("checkbox").check()
    dialog.get_by_role("button", name="Keep it on").click()
    page.locator("#said", has_text="Cancelled: this machine stays on").wait_for()
    let_go(go)
    page.locator("#acts-status", has_text="cancelled by web, 127.0.0.1").wait_for()
    assert house.halts() == []


def test_a_halt_that_others_asked_for_is_told_until_it_is_too_late_and_its_reason_is_text(house: House, pages: Pages) -> None:
    go = pause_at(house, "80-plug")
    halt = new_halt(house)
    page = pages.logged_in(web_house(house, PASSWORD=PASSWORD).url, "/power")
    page.get_by_role("button", name="Shut down").wait_for()
    ask(halt, f"{XSS}\n{XSS}\n")
    page.locator("#stages [aria-current=step]", has_text="No way back").wait_for()
    expect(page.locator("#halting-why")).to_have_text(f"{XSS} \N{EN DASH} asked by {XSS}")
    assert page.get_by_role("button", name="Keep it on").is_disabled()
    expect(page.locator("#halting-cancel", has_text="too late")).to_be_visible()
    let_go(go)
    page.locator("#stages [aria-current=step]", has_text="Goes off").wait_for()
    house.until(house.halts)


def test_a_plug_of_another_machine_is_switched_and_shown_so_when_it_has_said_it(house: House, pages: Pages) -> None:
    with house_plug() as device:
        tv = add_plug(house, device.port, name="tv", svscan=False, FEEDS="another")
        own = add_plug(house, device.port, name="own", svscan=False)
        web = web_house(house, PASSWORD=PASSWORD)
        house.until(lambda: tv.read("relay") == "on" and own.read("relay") == "on", what=tv.story)
        page = pages.logged_in(web.url, "/power", width=1440)
        page.locator("#plugs .card", has_text="own").get_by_text("own plug: it goes off when").wait_for()
        card = page.locator("#plugs .card", has=page.get_by_role("heading", name="tv"))
        assert axe(page) == []
        card.get_by_role("button", name="Off").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name="Go on").click()
        dialog.get_by_role("checkbox").check()
        dialog.get_by_role("button", name="Off", exact=True).click()
        card.get_by_text("the machine behind it shuts down first").wait_for()
        expect(card.get_by_text("Power on", exact=True)).to_be_visible()
        device.tell("press press")  # the machine behind it is down, and its plug cuts
        card.get_by_text("Power off", exact=True).wait_for()
        card.get_by_role("button", name="On").click()
        dialog.get_by_role("button", name="On", exact=True).click()
        card.get_by_text("Power on", exact=True).wait_for()
        assert "asked for on the page (web, 127.0.0.1)" in tv.log
