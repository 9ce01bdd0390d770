"""What a service said last is not how it is, once that service is dead: Outage, Clients and Power say so, and come back with it."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.web.asking import PASSWORD, Asked, answering
from tests.web.page import Pages
from tests.web.said import Said, said

NOT_UP = "The service {} does not run: this is how it was last."


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Said]:
    with said(tmp_path, monkeypatch) as house:
        house.add("ups", "ups", words="on line, 100 %", line="on line")
        minute = time.strftime("%Y-%m-%d %H:%M")
        house.add("fserver", "fserver", status="1 client: kitchen", clients=f"kitchen (10.0.0.2) since {minute}: is mounted")
        house.add("tv", "plug", status="connected to tv.lan, power on", relay="on", power="61.4")
        (house.scan / "tv/variables/FEEDS").write_text("another\n")
        (house.run / "tv/orders").mkdir()
        for word in ("on", "off"):
            (house.run / f"tv/orders/word.{word}").touch()
        yield house


@pytest.fixture
def web(house: Said) -> Iterator[Asked]:
    with answering(house.scan, PASSWORD=PASSWORD) as web:
        web.log_in()
        yield web


def test_a_ups_a_file_server_and_a_plug_whose_services_were_killed_are_of_before(house: Said, web: Asked, pages: Pages) -> None:
    page = pages.logged_in(web.url, "/outage")
    expect(page.locator(".card p.good")).to_have_text("on line, 100 %")
    house.dies("ups")
    expect(page.get_by_text(NOT_UP.format("ups"))).to_be_visible()
    expect(page.locator(".card p.good")).to_have_count(0)
    house.lives("ups")
    expect(page.locator(".card p.good")).to_have_text("on line, 100 %")
    page.goto(f"{web.url}/clients")
    expect(page.locator("td", has_text="kitchen")).to_be_visible()
    house.dies("fserver")
    expect(page.get_by_text(NOT_UP.format("fserver"))).to_be_visible()
    page.route("**/v1/power/plan", lambda route: route.fulfill(json={}))  # a house of its own, and a second
    page.goto(f"{web.url}/power")
    plug = page.locator("#plugs .card")
    expect(plug).to_contain_text("Power on, 61.4 W")
    house.say("tv/unwell", "tv.lan does not answer")
    expect(plug).to_contain_text("Last known: Power on")
    house.say("tv/unwell", None)
    expect(plug).not_to_contain_text("Last known")
    house.dies("tv")
    expect(plug).to_contain_text("Last known: Power on")
    expect(plug).to_contain_text(NOT_UP.format("tv"))
    expect(plug.get_by_role("button", name="tv: Off")).to_be_disabled()
    assert web.act("/v1/power/plugs/tv", to="off").json()["error"] == "tv: its service does not run (pimains status)"
