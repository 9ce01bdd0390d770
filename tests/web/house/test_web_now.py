"""The page Now in a browser: what flows, how each service is, and how both change under one's eyes."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from pimains.core import state
from pimains.web import live as live_module
from tests.kit import House, until
from tests.web.asking import Asked, answering
from tests.web.page import Pages, Session, axe, web_house
from tests.web.said import Said, said, solar_house

PATIENCE = 20_000  # ms, on a busy machine
XSS = "<img src=x onerror=alert(1)>"


@pytest.fixture
def house_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Said]:
    with said(tmp_path, monkeypatch) as found:
        yield found


@pytest.fixture
def web(house_said: Said) -> Iterator[Asked]:
    solar_house(house_said)
    with answering(house_said.scan) as web:
        yield web


def flows(page: Page) -> dict[str, str]:
    """The rows that a screen reader has in place of the picture."""
    rows = page.locator("#flow-rows tr").all()
    return {each.locator("th").text_content() or "": each.locator("td").text_content() or "" for each in rows}


def flow(page: Page, what: str) -> "expect":
    return expect(page.locator("#flow-rows tr").filter(has=page.get_by_role("rowheader", name=what, exact=True)).locator("td"))


def edge(page: Page, kind: str) -> str:
    return page.locator(f".edge.{kind}").get_attribute("class") or ""


def test_what_flows_is_drawn_and_told_and_changes_without_a_reload(house_said: Said, web: Asked, pages: Pages) -> None:
    page = pages.open(web.url)
    flow(page, "House").to_have_text("takes 489 W", timeout=PATIENCE)
    assert flows(page) == {
        "Sun": "gives 412 W, bulk",
        "Grid": "gives 238 W",
        "Battery": "is charged with 161 W, 87.4 % charged, 13.4 V",
        "Relays": "takes 1.29 kW, 2 of 3 on, Boiler, Pump",
        "Plug": "takes 61 W, on",
        "UPS": "on mains, 100 % charged, load 23 %",
        "House": "takes 489 W",
    }
    ways = {kind: edge(page, kind).split()[2] for kind in ("sun", "grid", "battery", "relays", "plug", "ups")}
    assert ways == {"sun": "in", "grid": "in", "battery": "out", "relays": "out", "plug": "out", "ups": "out"}
    page.evaluate("window.isStillHere = true")
    thick = page.locator(".edge.sun .line").get_attribute("stroke-width")
    house_said.say("vedirect.mppt/PPV", "12")
    house_said.say("vedirect.bmv/P", "-239")
    house_said.say("ups/line", "on battery")
    house_said.say("relays/2.state", "off")
    house_said.say("relays/2.watts", "0")
    house_said.say("plug/power", None)
    flow(page, "Sun").to_have_text("gives 12 W, bulk", timeout=PATIENCE)
    flow(page, "Battery").to_have_text("gives 239 W, 87.4 % charged, 13.4 V")
    flow(page, "UPS").to_have_text("on battery, 100 % charged, load 23 %")
    flow(page, "Relays").to_have_text("takes 1.20 kW, 1 of 3 on, Boiler")
    flow(page, "Plug").to_have_text("on")
    assert float(page.locator(".edge.sun .line").get_attribute("stroke-width") or 0) < float(thick or 0)
    assert edge(page, "battery").split()[2] == edge(page, "ups").split()[2] == "in"
    assert page.evaluate("window.isStillHere")


def test_what_is_old_not_known_or_of_a_dead_service_is_shown_so_and_makes_no_flow(house_said: Said, web: Asked, pages: Pages) -> None:
    os.utime(house_said.run / "meter/power", (0, 0))  # older than the boot
    boot = Path("/proc/uptime").read_text().split()[0]
    assert float(boot) > 200, "a machine that was just started has no old values"
    state.write(house_said.run / "plug/power", "60")
    old = (house_said.run / "plug/power").stat().st_mtime - 180
    os.utime(house_said.run / "plug/power", (old, old))
    house_said.say("vedirect.bmv/P", None)
    house_said.say("vedirect.bmv/I", None)
    page = pages.open(web.url)
    flow(page, "Plug").to_have_text("takes 60 W, on, as of 3 min ago", timeout=PATIENCE)
    flow(page, "Battery").to_have_text("not known, 87.4 % charged, 13.4 V")
    flow(page, "Grid").to_have_text("gives 238 W, nobody knows as of when")
    assert "none" in edge(page, "grid")
    assert "House" not in flows(page), "of a sum with an unknown part nothing is known"
    assert "none" in edge(page, "plug") and "none" in edge(page, "battery")
    house_said.dies("vedirect.mppt")
    flow(page, "Sun").to_have_text("gives 412 W, bulk, its service does not run", timeout=PATIENCE)
    assert "none old" in edge(page, "sun")
    row = page.locator("#unwell .service").filter(has_text="vedirect.mppt")
    expect(row).to_contain_text("It does not run, though nobody stopped it", timeout=PATIENCE)
    house_said.lives("vedirect.mppt")
    flow(page, "Sun").to_have_text("gives 412 W, bulk", timeout=PATIENCE)
    expect(page.locator("#unwell-services")).to_be_hidden(timeout=PATIENCE)


def test_what_is_unwell_comes_first_and_goes_when_it_is_well(house_said: Said, web: Asked, pages: Pages) -> None:
    page = pages.open(web.url)
    summary = page.locator("#summary")
    expect(summary).to_have_text("All 9 services are well.", timeout=PATIENCE)
    house_said.say("ups/status", f"the battery of {XSS} is old")
    house_said.say("ups/unwell", f"the battery of {XSS} is old")
    expect(summary).to_have_text("One service needs somebody: ups", timeout=PATIENCE)
    expect(page.locator("#unwell .service")).to_have_count(1)
    expect(page.locator("#unwell .troubles")).to_have_text(f"the battery of {XSS} is old")
    house_said.say("ups/status", "on line, battery 100 %")
    house_said.say("ups/unwell", None)
    house_said.say("ups/error", XSS)
    expect(summary).to_have_text("All 9 services are well.", timeout=PATIENCE)
    row = page.locator("#well .service").filter(has=page.get_by_text("ups", exact=True))
    expect(row).to_contain_text("on line, battery 100 %")
    expect(row).to_contain_text(re.compile(re.escape(f"Last error: {XSS}") + r" \(\d+ s ago\)"), timeout=PATIENCE)
    assert page.locator("img").count() == 0
    (house_said.run / "notify/alive").unlink()
    expect(summary).to_have_text("Nothing is known to be wrong; whether these run is not known: notify", timeout=PATIENCE)


def test_two_of_a_kind_have_their_names_and_relays_without_watts_are_counted(house_said: Said, web: Asked, pages: Pages) -> None:
    house_said.add("meter.flat", "meter", power="40", power_is="at most")
    house_said.say("ups/cellar.line", "on line")
    house_said.say("ups/cellar.battery.charge", "55")
    house_said.say("relays/3.state", "on")
    page = pages.open(web.url)
    flow(page, "meter.flat").to_have_text("gives at most 40 W", timeout=PATIENCE)
    flow(page, "meter").to_have_text("gives 238 W")
    flow(page, "ups cellar").to_have_text("on mains, 55 % charged")
    flow(page, "Relays").to_have_text("3 of 3 on, Boiler, Pump, Freezer")
    assert "House" not in flows(page), "two meters may measure the same"


@pytest.mark.parametrize(("width", "dark", "language"), [(390, True, "de"), (1440, False, "fr")])
def test_axe_finds_nothing_serious_and_nothing_is_wider_than_the_window(
    house_said: Said, pages: Pages, width: int, dark: bool, language: str
) -> None:
    solar_house(house_said)
    house_said.say("halt/unwell", "x" * 200)
    house_said.say("notify/status", "y" * 300)
    with answering(house_said.scan, LANGUAGE=language) as web:
        page = pages.open(web.url, width=width, dark=dark)
        expect(page.locator("#unwell .service")).to_have_count(1, timeout=PATIENCE)
        expect(page.locator("#picture svg")).to_be_visible()
        assert axe(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert all(each.startswith(web.url) for each in pages.requests)


def test_a_page_that_lost_its_service_says_so_and_goes_on_when_that_is_back(house: House, pages: Pages) -> None:
    web = web_house(house)
    page = pages.open(web.url)
    expect(page.locator("#well .service")).to_contain_text(web.url, timeout=PATIENCE)
    web.svc("-d")
    expect(page.locator("#live-lost")).to_have_text("No connection: what you see is no longer of now.", timeout=PATIENCE)
    assert page.evaluate("document.body.dataset.live") == "lost"
    web.svc("-u")
    expect(page.locator("#live-lost")).to_be_hidden(timeout=PATIENCE)
    state.write(web.run / "status", "something else")
    expect(page.locator("#well .service")).to_contain_text("something else", timeout=PATIENCE)
    assert any("ERR_" in each for each in pages.errors)
    pages.errors.clear()  # the browser tells of each try


_LOOK_AWAY = """is_hidden => {
    Object.defineProperty(document, "hidden", { value: is_hidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_a_page_that_nobody_looks_at_does_not_listen_and_knows_all_when_somebody_does(house_said: Said, web: Asked, pages: Pages) -> None:
    live = web.house.seen.live
    page = pages.open(web.url)
    flow(page, "Plug").to_have_text("takes 61 W, on", timeout=PATIENCE)
    page.evaluate(_LOOK_AWAY, True)
    until(lambda: house_said.say("plug/power", "70") or not live._listeners)  # who is gone is noticed with what he is told
    page.evaluate(_LOOK_AWAY, False)
    flow(page, "Plug").to_have_text("takes 70 W, on", timeout=PATIENCE)
    assert page.evaluate("document.body.dataset.live") == "on"


def test_one_more_than_may_listen_is_told_so_and_comes_in_later(web: Asked, pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as full:
        full.setattr(live_module, "LISTENERS_MAX", 0)
        page = pages.open(web.url)
        expect(page.locator("#live-lost")).to_be_visible(timeout=PATIENCE)
        expect(page.locator("#well .service")).to_have_count(9)
    flow(page, "Plug").to_have_text("takes 61 W, on", timeout=PATIENCE)
    expect(page.locator("#live-lost")).to_be_hidden()
    assert all("503" in each for each in pages.errors)
    pages.errors.clear()


def test_real_services_are_up_stopped_and_killed_as_another_user_sees_them(house: House) -> None:
    halt = house.add("halt", svscan=False, HALT_COMMAND=house.recorder)
    web = web_house(house)
    house.until(lambda: halt.status == "ready")
    program = Session(web.url, password=None)

    def states() -> dict[str, str]:
        return {each["instance"]: each["state"] for each in program.show("/v1/now").json()["services"]}

    house.until(lambda: states() == {"halt": "up", "web": "up"}, what=lambda: str(states()))
    pid = halt.pid
    halt.svc("-d")
    house.until(lambda: states()["halt"] == "stopped", what=lambda: str(states()))
    halt.svc("-u")
    house.until(lambda: states()["halt"] == "up" and halt.pid not in (0, pid), what=lambda: str(states()))
    halt.svc("-o")  # once: supervise does not start it again
    halt.kill()
    house.until(lambda: states()["halt"] == "down", what=lambda: str(states()))
