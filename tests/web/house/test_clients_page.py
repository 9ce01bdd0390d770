"""The page Clients, and good night, with a real file server, a real client, and halt; HALT_COMMAND is the recorder."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from pimains.core.machine import own_name
from tests.fclient.one_client import OneHouse, one_house
from tests.web.page import PASSWORD, Pages, axe, web_house

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become other users: needs root")


@pytest.fixture
def house() -> Iterator[OneHouse]:
    with one_house() as house:
        yield house


def test_who_uses_the_file_server_is_shown_and_told_good_night_before_this_machine_goes(house: OneHouse, pages: Pages) -> None:
    halt = house.add("halt", svscan=False, HALT_COMMAND=house.recorder)
    fserver = house.add_fserver(svscan=False)
    house.add_fclient(svscan=False)
    web = web_house(house, PASSWORD=PASSWORD)
    house.until(lambda: fserver.status == "1 client: kitchen" and "is mounted" in fserver.read("clients"), what=fserver.story)
    page = pages.logged_in(web.url, "/clients", width=390, dark=True)
    page.locator("td", has_text="kitchen").wait_for()
    expect(page.locator("td[data-label=Says]", has_text="is mounted")).to_be_visible()
    assert axe(page) == []
    house.until(lambda: halt.status == "ready")
    page.goto(f"{web.url}/power")
    page.get_by_role("button", name="Good night").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("These clients are told to leave: kitchen.")).to_be_visible()
    dialog.get_by_role("button", name="Go on").click()
    dialog.get_by_role("textbox").fill(own_name().upper())
    dialog.get_by_role("button", name="Good night").click()
    house.until(house.halts)
    assert not house.is_mounted()
    assert "good night" in halt.log
