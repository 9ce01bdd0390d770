"""The frame of the page in a real browser: login, logout, what is said, what is asked before something is done."""

import re

import pytest
from playwright.sync_api import expect

from tests.kit import House
from tests.web.page import PASSWORD, Pages, axe, web_house


def test_somebody_logs_in_sees_the_page_and_logs_out(house: House, pages: Pages) -> None:
    web = web_house(house, PASSWORD=PASSWORD, TITLE="<b>Haus & Hof</b>")
    page = pages.open(web.url, "/about")
    assert page.url == f"{web.url}/login?to=/about"
    page.locator("#password").fill("not the password")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert").filter(has_text="That is not the password")).to_be_visible()
    pages.errors.clear()  # the browser tells of each answer that is 401
    page.locator("#password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{web.url}/about")
    page.get_by_text("You are logged in").wait_for()
    assert page.title() == "About · <b>Haus & Hof</b>"
    assert page.locator("#services li").all_text_contents() == ["web"]
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url(re.compile(f"{web.url}/login"))


@pytest.mark.parametrize(("width", "dark"), [(390, True), (1440, False)])
def test_axe_finds_nothing_serious_in_the_frame(house: House, pages: Pages, width: int, dark: bool) -> None:
    web = web_house(house, PASSWORD=PASSWORD, LANGUAGE="de")
    login = pages.open(web.url, "/login", width=width, dark=dark)
    assert axe(login) == []
    page = pages.logged_in(web.url, "/about", width=width, dark=dark)
    page.get_by_text("Sie sind auf diesem Gerät angemeldet").wait_for()
    assert axe(page) == []
    assert all(each.startswith(web.url) for each in pages.requests)
