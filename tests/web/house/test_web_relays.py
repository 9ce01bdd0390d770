"""The page of relays in a real browser: a click that reaches a pin, a guard that holds, keys, and who may only look."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.kit import House
from tests.relays.relays import Relays
from tests.web.page import PASSWORD, Pages, Web, axe, web_house

NASTY = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def relays(house_of_module: House) -> Relays:
    return Relays(
        house_of_module, {"NAME": NASTY, "WATTS": "2000", "GROUP": "heaters"}, {"NAME": "pump", "MIN_OFF": "1h"}, {"NAME": "lamp"}
    )


@pytest.fixture(scope="module")
def web(relays: Relays) -> Web:
    return web_house(relays.house, PASSWORD=PASSWORD, PUBLIC="1")


def card(page: Page, number: int) -> Locator:
    return page.locator(f'.relay[data-number="{number}"]')


def test_a_click_reaches_the_pin_and_is_shown_when_that_is_told(relays: Relays, web: Web, pages: Pages) -> None:
    page = pages.logged_in(web.url, "/relays")
    boiler, pump = card(page, 1), card(page, 2)
    expect(boiler.get_by_role("heading")).to_have_text(NASTY)
    expect(boiler.locator(".state")).to_have_text("off")
    boiler.get_by_role("combobox").select_option("900")
    boiler.get_by_role("radio", name="On").click()
    expect(boiler.locator(".state")).to_have_text("on")
    expect(boiler.get_by_role("radio", name="On")).to_be_checked()
    expect(boiler.get_by_role("status")).to_have_text(f"{NASTY} is on.")
    expect(boiler.locator(".reason")).to_have_text("a person wants it on for 15 min")
    expect(boiler.locator(".facts")).to_contain_text("15 min more")
    assert (relays.instance.lib / "1.mode").read_text() == "on for 15min\n"
    assert relays.levels(2) == ["low", "high"]
    # what others do is shown, too
    relays.mode(1, "auto")
    expect(boiler.get_by_role("radio", name="Auto")).to_be_checked()
    relays.wish(1, f"off {NASTY}")
    expect(boiler.locator(".state")).to_have_text("off")
    expect(boiler.locator(".reason")).to_have_text(NASTY)
    # a guard holds the other one: it does not turn to on, and says why, and until when
    for name, state in (("On", "on"), ("Off", "off")):
        pump.get_by_role("radio", name=name).click()
        expect(pump.locator(".state")).to_have_text(state)
    pump.get_by_role("radio", name="On").click()
    expect(pump.get_by_role("status")).to_have_text(
        re.compile(r"pump waits: a person wants it on; waits for MIN_OFF 60 min\. May change: .*in (59|60) min")
    )
    expect(pump.locator(".state")).to_have_text("off")
    expect(pump.locator("[data-asked]")).to_have_text("On")
    relays.set(2, "MIN_OFF", "0")
    expect(pump.locator(".state")).to_have_text("on")
    expect(pump.get_by_role("status")).to_have_text("pump is on.")
    assert axe(page) == []


def test_while_nobody_is_there_to_do_it_nothing_is_shown_as_done(relays: Relays, web: Web, pages: Pages) -> None:
    relays.mode(2, "auto")
    relays.mode(3, "auto")
    page = pages.logged_in(web.url, "/relays")
    pump = card(page, 2)
    before = pump.locator(".state").text_content() or ""
    wanted = {"on": "Off", "off": "On"}[before]
    relays.instance.svc("-d")
    page.get_by_text("The service relays does not run").wait_for()
    boiler, mode = card(page, 1), relays.instance.lib / "1.mode"
    boiler.get_by_role("radio", name="On").click()
    relays.house.until(lambda: mode.read_text() == "on\n")
    relays.mode(1, "off for 5min")
    pump.get_by_role("radio", name=wanted).click()
    lamp = card(page, 3)
    lamp.get_by_role("radio", name="Auto").click()  # as it was told last
    expect(boiler.get_by_role("status")).to_have_text(f"{NASTY}: somebody else has said off for 5min meanwhile.")
    for each in (pump, lamp):
        expect(each.get_by_role("status")).to_contain_text("has not taken it up yet")
    expect(pump.locator(".state")).to_have_text(before)
    relays.instance.svc("-u")
    expect(pump.get_by_role("radio", name=wanted)).to_be_checked()
    expect(page.locator("#down")).to_be_hidden()


def test_keys_switch_and_the_focus_alone_switches_nothing(relays: Relays, pages: Pages) -> None:
    web = web_house(relays.house, "web.de", PASSWORD=PASSWORD, LANGUAGE="de")
    page = pages.logged_in(web.url, "/relays", width=390, dark=True)
    lamp = card(page, 3)
    auto = lamp.get_by_role("radio", name="Auto")
    expect(auto).to_be_checked()
    auto.focus()
    page.keyboard.press("ArrowLeft")
    expect(lamp.get_by_role("radio", name="Aus")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(lamp.get_by_role("radio", name="Ein")).to_be_focused()
    expect(auto).to_be_checked()
    assert (relays.instance.lib / "3.mode").read_text() == "auto\n"
    page.keyboard.press("Space")
    expect(lamp.locator(".state")).to_have_text("ein")
    expect(lamp.get_by_role("status")).to_have_text("lamp ist ein.")
    page.keyboard.press("Tab")
    expect(lamp.get_by_role("combobox")).to_be_focused()
    assert relays.levels(4)[-1] == "high"
    assert axe(page) == []


@pytest.mark.parametrize("has_password", [True, False])
def test_who_may_only_look_sees_them_and_cannot_switch(relays: Relays, web: Web, pages: Pages, has_password: bool) -> None:
    page = pages.open(web.url if has_password else web_house(relays.house, "web.look").url, "/relays")
    expect(card(page, 3).locator(".state")).to_have_text(re.compile("on|off"))
    for button in card(page, 3).get_by_role("radio").all():
        expect(button).to_be_disabled()
    expect(page.locator("#hint")).to_contain_text("log in" if has_password else "--password=@password.txt")
