"""The page Power: a halt that is asked for twice, followed and cancelled; good night; plugs. HALT_COMMAND is the recorder."""

import socket

import pytest

from tests.halt.halting import add_step, let_go, new_halt, pause_at, ran
from tests.kit import House
from tests.web.page import PASSWORD, Pages, Session, axe, web_house

NAME = socket.gethostname().partition(".")[0]


def test_a_halt_is_asked_for_twice_followed_step_by_step_and_cancelled(house: House, pages: Pages) -> None:
    go = pause_at(house, "20-clients")
    new_halt(house)
    web = web_house(house, PASSWORD=PASSWORD)
    page = pages.logged_in(web.url, "/power", width=390, dark=True)
    page.get_by_role("button", name="Shut down").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Go on").click()
    dialog.get_by_role("textbox").fill("another machine")
    dialog.get_by_role("button", name="Shut down").click()
    dialog.get_by_text("so nothing is done").wait_for()
    assert ran(house) == []
    assert axe(page) == []
    dialog.get_by_role("textbox").fill(NAME)
    dialog.get_by_role("button", name="Shut down").click()
    page.locator("#halting-steps li.runs", has_text="20-clients").wait_for()
    assert page.locator("#stages [aria-current=step]").text_content() == "Step by step"
    assert axe(page) == []
    page.get_by_role("button", name="Keep it on").click()
    dialog.get_by_role("button", name="Go on").click()
    dialog.get_by_role("checkbox").check()
    dialog.get_by_role("button", name="Keep it on").click()
    page.locator("#said", has_text="Cancelled: this machine stays on").wait_for()
    let_go(go)
    page.locator("#acts-status", has_text="cancelled by web").wait_for()
    assert house.halts() == []
