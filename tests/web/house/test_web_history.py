"""The History page in a real browser, and a journal that its collector writes while user pimains-web looks into it."""

import os
import re
import signal
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.collector.collecting import Collector, batch, steady
from tests.kit import House
from tests.web import recorded
from tests.web.page import Pages, Session, Web, axe, web_house
from tests.web.recorded import ATTACK, DAY


@pytest.fixture
def recorded_house(house: House) -> House:
    """With a collector that has three days and is not running."""
    data = recorded.a_collector(house.scan, house.root, PRICE="0.5", CURRENCY="EUR")
    (house.scan / "collector/down").touch()
    recorded.a_house(data, time.time(), days=3)
    return house


@pytest.fixture
def looking(recorded_house: House) -> Web:
    """A page beside it."""
    return web_house(recorded_house)


def span(page: Page) -> float:
    """How many seconds the page shows, by its address."""
    seconds = {"day": DAY, "week": 7 * DAY, "month": 30 * DAY, "year": 365 * DAY}
    found = re.search(r"(?:range=(\w+)|span=(\d+))", page.url)
    assert found
    return seconds[found[1]] if found[1] else float(found[2])


def drawn(page: Page) -> None:
    """When all that was asked for is."""
    page.locator("#history[aria-busy=false]").wait_for()


def test_somebody_looks_back_by_mouse_and_by_keyboard(looking: Web, pages: Pages) -> None:
    page = pages.open(looking.url, "/history")
    plots = page.locator("#charts .plot")
    expect(plots).to_have_count(2)  # W and %
    drawn(page)
    expect(page.locator("#sources label")).to_have_text([ATTACK, "house", "ups/battery.charge"])
    expect(page.locator("#energy strong").first).to_have_text(ATTACK)
    page.get_by_role("button", name="Week").click()
    expect(page.get_by_role("button", name="Week")).to_have_attribute("aria-pressed", "true")
    drawn(page)
    over = plots.first.locator(".u-over")
    box = over.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 60, steps=4)
    page.mouse.up()
    page.wait_for_url(re.compile("span="))
    assert span(page) == pytest.approx(7 * DAY * 0.2, rel=0.05)
    drawn(page)
    before = span(page)
    plots.first.focus()
    page.keyboard.press("+")
    page.wait_for_url(re.compile(f"span={round(before / 2)}"))
    drawn(page)
    expect(plots.first).to_be_focused()
    page.keyboard.press("ArrowLeft")
    drawn(page)
    page.keyboard.press("0")
    page.wait_for_url(re.compile("range=day(?!.*to=)"))
    with page.expect_download() as downloaded:
        page.get_by_role("link", name="house: each day (CSV)").click()
    assert downloaded.value.path().read_text().startswith("day,amount_kWh,cost_EUR")


def test_the_numbers_of_a_picture_are_in_a_table_and_a_source_is_left_out(looking: Web, pages: Pages) -> None:
    page = pages.open(looking.url, "/history?range=day&source=house&source=ups/battery.charge")
    drawn(page)
    page.get_by_text("The same as numbers").click()
    heads = page.locator("#curves-table th[scope=col]")
    expect(heads).to_have_text(["Time", "house (W)", "ups/battery.charge (%)"])
    expect(page.locator("#energy-table th[scope=col]")).to_have_text(["Period", "house (kWh)", "house: Cost"])
    page.locator("#sources input").nth(1).uncheck()
    expect(heads).to_have_text(["Time", "ups/battery.charge (%)"])
    expect(page.locator("#energy-part")).to_be_hidden()


@pytest.mark.parametrize(("width", "dark", "language"), [(390, True, "de"), (1440, False, "fr")])
def test_axe_finds_nothing_serious_in_the_history(recorded_house: House, pages: Pages, width: int, dark: bool, language: str) -> None:
    web = web_house(recorded_house, LANGUAGE=language)
    page = pages.open(web.url, "/history", width=width, dark=dark)
    drawn(page)
    page.locator("#tables summary").click()
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert all(each.startswith(web.url) for each in pages.requests)


def test_a_journal_is_read_while_it_is_written_and_when_its_collector_is_down_or_was_killed(house: House) -> None:
    collector = Collector(house)
    web = web_house(house)
    assert Path(f"/proc/{web.pid}").stat().st_uid == house_user("pimains-web")
    asked, now = Session(web.url, password=None), time.time()

    def last() -> float:
        told = asked.show("/v1/history/sources").json()
        assert told["trouble"] == ""
        return float(told["sources"][0]["last"]) - now

    assert asked.show("/v1/history/sources").json()["trouble"] == ""
    collector.send(steady(200, now))
    assert last() == pytest.approx(0, abs=0.1)
    for seconds in (10, 20):  # the page has it open, and the collector goes on
        collector.send(batch((200 + seconds, 1000.0 + seconds, 200 + seconds), offset=now - 1000))
        assert last() == pytest.approx(seconds, abs=0.1)
    collector.instance.svc("-o")
    collector.instance.kill(signal.SIGKILL)
    house.until(lambda: not collector.instance.pid, what="the collector to be gone")
    assert last() == pytest.approx(20, abs=0.1)
    (collector.instance.run / "url").unlink(missing_ok=True)
    collector.instance.svc("-u")
    house.until((collector.instance.run / "url").is_file, what=collector.instance.story)
    collector.send(batch((240, 1030.0, 240), offset=now - 1000))
    assert last() == pytest.approx(30, abs=0.1)
    collector.instance.svc("-d")
    house.until(lambda: not collector.instance.pid, what="the collector to be down")
    assert last() == pytest.approx(30, abs=0.1)
    assert len(asked.show("/v1/history", source="house").json()["values"]) == 600


def house_user(name: str) -> int:
    import pwd

    return pwd.getpwnam(name).pw_uid if os.geteuid() == 0 else os.geteuid()


def test_without_uplot_the_page_says_what_to_type_and_shows_the_rest(looking: Web, pages: Pages, chromium: Browser) -> None:
    context = chromium.new_context()
    context.route("**/vendor/**", lambda route: route.abort())
    page = pages.open(looking.url, "/history", context=context)
    drawn(page)
    expect(page.get_by_role("alert").locator("code")).to_have_text("debian/npm/fetch")
    expect(page.locator("#energy svg").first).to_be_visible()
    context.close()
    assert pages.errors
    assert [each for each in pages.errors if "ERR_FAILED" not in each] == []
    pages.errors.clear()


def test_the_collectors_own_page_is_linked_where_it_is(house: House, pages: Pages) -> None:
    collector = Collector(house)
    collector.send(steady(200))
    page = pages.open(web_house(house).url, "/history")
    drawn(page)
    expect(page.get_by_role("link", name=re.compile("own page"))).to_have_attribute("href", f"{collector.url}/")
