"""The pages of events and settings in a real browser, and what their service may read as its own user."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from pimains.core.ledger import Ledger, Reading
from tests.kit import House
from tests.web.page import PASSWORD, Pages, Session, Web, axe, web_house

NASTY = "<img src=x onerror=alert(1)>"
SECRET = "precious-and-secret"


@pytest.fixture(scope="module")
def web(house_of_module: House) -> Web:
    """With a ledger of root's, one of user pimains's services, and a service that has secrets."""
    house = house_of_module
    lib = house.root / "var/lib/pimains"
    (lib / "ledger").mkdir()
    ups = house.add("ups", UPS="eaton", PASSWORD=SECRET, svscan=False).directory / "variables"
    (ups / "POLL_SECONDS").write_text(f"7\n{NASTY}\n")
    (ups / "down").touch()
    web = web_house(house, PASSWORD=PASSWORD)
    ledger(web).record("halt", "shut down", f"the button {NASTY}")
    Ledger(lib / "ledger/ledger.sqlite").record("relay.3", "on", "900 W of surplus", {NASTY: Reading(NASTY, 1.0)})
    return web


def ledger(web: Web) -> Ledger:
    return Ledger(web.house.root / "var/lib/pimains/ledger.sqlite")


@pytest.mark.parametrize(("width", "dark"), [(390, True), (1440, False)])
def test_events_are_told_filtered_and_come_by_themselves(web: Web, pages: Pages, width: int, dark: bool) -> None:
    page = pages.logged_in(web.url, "/events", width=width, dark=dark)
    events = page.locator(".event")
    first = events.filter(has_text="relay.3").last
    expect(first).to_contain_text(f"on, because 900 W of surplus. Based on: {NASTY} {NASTY} (1 s old).")
    expect(events.last).to_contain_text(f"shut down, because the button {NASTY}.")
    ledger(web).record("plug", "power on", f"news {width}")
    expect(events.first).to_contain_text(f"power on, because news {width}.")
    page.get_by_label("With the words").fill("SURPLUS 900")
    expect(events).to_have_count(1)
    expect(page).to_have_url(re.compile(r"/events\?words=SURPLUS\+900$"))
    page.reload()
    expect(events).to_have_count(1)
    page.get_by_role("button", name="Show all").click()
    expect(events.first).to_contain_text("plug")
    page.get_by_label("About").select_option("halt")
    expect(events.filter(has_text="plug")).to_have_count(0)
    expect(events.last).to_contain_text("shut down")
    ledger(web).record("plug", "power off", "not looked for")
    ledger(web).record("halt", "cancelled", f"looked for {width}")
    expect(events.first).to_contain_text(f"looked for {width}")
    expect(events.filter(has_text="plug")).to_have_count(0)
    page.get_by_text("Of a time").click()
    page.get_by_label("Until").fill("2020-01-01T00:00")
    expect(page.locator("#count")).to_have_text("There is no such event.")
    assert axe(page) == []


def test_older_ones_come_when_asked_for(web: Web, pages: Pages) -> None:
    one = ledger(web)
    one.write_down([one.row("pump", f"number {number}", "") for number in range(120)])
    page = pages.open(web.url, "/events?subject=pump", context=pages.logged_in(web.url, "/events").context)
    events = page.locator(".event")
    for count in (50, 100, 120):
        expect(events).to_have_count(count)
        expect(events.last).to_contain_text(f"number {120 - count}.")
        if count < 120:
            page.get_by_role("button", name="Older ones").click()
    expect(page.get_by_role("button", name="Older ones")).to_be_hidden()
    one.record("pump", "number 120", "")
    expect(events).to_have_count(121)


@pytest.mark.skipif(os.geteuid() != 0, reason="the page has to be another user, who may not read all")
def test_that_the_ledger_cannot_be_read_is_said_until_it_can_be(web: Web, pages: Pages) -> None:
    one = ledger(web)
    page = pages.logged_in(web.url, "/events")
    one.path.chmod(0o600)
    try:
        one.record("pump", "unseen", "")
        expect(page.get_by_role("alert")).to_contain_text(str(one.path))
    finally:
        one.path.chmod(0o644)
    one.record("pump", "seen", "")
    expect(page.locator(".event").first).to_contain_text("seen")
    expect(page.get_by_role("alert")).to_be_empty()
    assert all("409" in each for each in pages.errors)
    pages.errors.clear()


@pytest.mark.parametrize(("width", "dark"), [(390, True), (1440, False)])
def test_settings_are_shown_and_of_a_secret_that_it_is_set(web: Web, pages: Pages, width: int, dark: bool) -> None:
    page = pages.logged_in(web.url, "/settings", width=width, dark=dark)
    page.get_by_role("searchbox").fill("eaton")
    upses = page.locator(".setting:visible")
    expect(upses).to_have_count(1)
    expect(upses).to_contain_text("eaton")
    page.get_by_role("searchbox").fill("ups poll_seconds")
    expect(upses).to_contain_text(NASTY)
    upses.get_by_text("How to change it").click()
    command = f"sudo create_service --service_name=ups --servicedir={web.house.scan} --poll_seconds=... --add-service --apply"
    expect(upses.locator("code").filter(has_text="create_service")).to_have_text(command)
    page.get_by_role("searchbox").fill("ups password")
    expect(upses.filter(has_text=re.compile("^PASSWORD")).locator(".value")).to_have_text("set")
    expect(upses.filter(has_text=re.compile("^CCU_PASSWORD")).locator(".value")).to_have_text("not set")
    assert SECRET not in page.content()
    assert axe(page) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_its_user_reads_both_ledgers_and_no_secret_and_says_what_it_cannot_read(web: Web) -> None:
    assert Path(f"/proc/{web.pid}").stat().st_uid != 0
    session = Session(web.url)
    subjects = session.show("/v1/events").json()["subjects"]
    assert {"halt", "relay.3"} <= {*subjects}
    assert SECRET not in session.show("/v1/settings").text
    path = ledger(web).path
    kept = path.read_bytes()
    path.write_text("no database" * 100)
    try:
        answer = session.show("/v1/events")
        assert answer.status_code == 409
        assert answer.json()["error"].startswith(f"{path}: ")
        assert path.read_text().startswith("no database"), "what root may repair, it leaves alone"
    finally:
        path.write_bytes(kept)
    path.chmod(0o600)
    try:
        assert session.show("/v1/events").status_code == 409
    finally:
        path.chmod(0o644)
    assert session.show("/v1/events").status_code == 200
