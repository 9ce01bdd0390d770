"""The collector's page in a real browser: at a desk and on a phone, light and dark."""

import os
import time
from collections.abc import Iterator
from importlib import resources

import pytest

from pimains.shared.plan.delivery import Batch
from tests.collector.browser import PROGRAM, Browser
from tests.collector.collecting import Collector
from tests.collector.house.test_counters import run
from tests.collector.screenshots import furnished
from tests.kit import House, until

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root"),
    pytest.mark.skipif(PROGRAM is None, reason="there is no chromium: apt install chromium"),
]
_VIEWS = ("", "?range=year&in=cost&table=1")
_BACKGROUND = "getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number)"
_CONTRASTS = """
(() => {
  const light = colour => { const [r, g, b] = colour.match(/[0-9.]+/g).map(Number).map(each => each / 255)
    .map(each => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b };
  const paper = node => { for (; node; node = node.parentElement) { const colour = getComputedStyle(node).backgroundColor;
    if (!colour.endsWith(', 0)')) return colour } return 'rgb(255, 255, 255)' };
  return [...document.querySelectorAll('body *')].filter(node => [...node.childNodes].some(each => each.nodeType == 3 && each.data.trim()))
    .map(node => { const [a, b] = [light(getComputedStyle(node).color), light(paper(node))].sort((x, y) => y - x);
      return [(a + 0.05) / (b + 0.05), node.outerHTML.slice(0, 80)] }).filter(each => each[0] < 4.5);
})()
"""


@pytest.fixture
def browser() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


def test_it_fits_is_dark_where_it_should_be_is_readable_and_asks_nobody_else(house: House, browser: Browser) -> None:
    url = furnished(house).url
    browser.open(url)
    for view in _VIEWS:
        for width in (360, 1280):
            for dark in (False, True):
                page = browser.open(f"{url}/{view}", width=width, dark=dark)
                assert page.errors == []
                assert [request for request in page.requests if not request.startswith((url, "data:"))] == []
                assert page.evaluate("document.documentElement.scrollWidth") <= width
                assert (sum(page.evaluate(_BACKGROUND)) < 3 * 40) == dark
                assert page.evaluate(_CONTRASTS) == []  # WCAG 2.1, 1.4.3
                pictures = page.evaluate("[...document.images].map(each => [each.naturalWidth, each.currentSrc, each.alt])")
                assert len(pictures) == 6
                for natural_width, source, alt in pictures:
                    assert natural_width > 0
                    assert ("size=narrow" in source) == (width == 360)
                    assert ("theme=dark" in source) == dark
                    assert "kWh" in alt or "m³" in alt


def test_nobody_is_sent_away_from_what_he_reads_landmarks_have_names_of_their_own_and_a_thumb_finds_every_link(
    house: House, browser: Browser
) -> None:
    url = furnished(house).url
    for view in _VIEWS:
        page = browser.open(f"{url}/{view}", width=360)
        assert page.evaluate("document.querySelectorAll('meta[http-equiv=refresh]').length") == 0  # WCAG 2.1, 2.2.1
        names = page.evaluate("[...document.querySelectorAll('nav')].map(each => each.getAttribute('aria-label'))")
        assert names == ["sources", *(f"range of {name}" for name in ("house", "house, gas", "shed"))]
        sections = page.evaluate("[...document.querySelectorAll('section')].map(each => each.getAttribute('aria-labelledby'))")
        assert sections == [f"source-{number}-name" for number in (1, 2, 3)]
        small = "[...document.links].filter(a => Math.min(a.getBoundingClientRect().width, a.getBoundingClientRect().height) < 44)"
        assert page.evaluate(f"{small}.map(a => a.innerText)") == []


def test_several_sources_are_told_in_one_line_each_a_link_to_the_rest_of_it(house: House, browser: Browser) -> None:
    page = browser.open(furnished(house).url)
    words = page.evaluate("[...document.querySelectorAll('nav.overview a')].map(a => a.innerText)")
    assert len(words) == 3
    assert words[0].startswith("house ")
    assert words[0].endswith(" W")
    assert words[1].endswith(" m³/h")
    assert words[2] == "shed offline"
    assert (
        page.evaluate("[...document.querySelectorAll('nav.overview a')].map(a => document.querySelector(a.hash).tagName)")
        == ["SECTION"] * 3
    )


def test_a_page_without_readings_fits_a_phone_too(house: House, browser: Browser) -> None:
    page = browser.open(Collector(house).url, width=360)
    assert page.errors == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert "sudo create_service --service_name=meter" in page.evaluate("document.body.innerText")
    assert "No readings yet" in page.evaluate("document.querySelector('h2').innerText")


def test_links_lead_to_the_source_they_are_at(house: House, browser: Browser) -> None:
    url = furnished(house).url
    page = browser.open(url)
    page = browser.open(page.evaluate("[...document.querySelectorAll('#source-2 nav a')][3].href"), height=600)
    assert page.evaluate("location.search") == "?range=year"
    until(lambda: abs(page.evaluate("document.getElementById('source-2').getBoundingClientRect().top")) < 5)
    assert page.evaluate("document.querySelector('nav a[aria-current]').innerText") == "Year"


_AXE = resources.files("axe_core_python").joinpath("axe.min.js")
_GRAVE = """
axe.run().then(found => found.violations.filter(each => ['serious', 'critical'].includes(each.impact))
  .map(each => [each.id, each.help, ...each.nodes.map(node => node.html.slice(0, 120))]))
"""


def test_axe_finds_nothing_serious_or_critical_in_six_views(house: House, browser: Browser) -> None:
    url = furnished(house).url
    views = (("", 1280, False), ("", 360, True), ("?range=week", 1280, True), ("?range=month&table=1", 360, False))
    for view, width, dark in (*views, ("?range=year&in=cost&table=1", 1280, False), ("?range=decade", 360, True)):
        page = browser.open(f"{url}/{view}", width=width, dark=dark)
        page.evaluate(_AXE.read_text(encoding="utf-8") + "; 0")
        assert page.evaluate("axe.run().then(found => found.passes.length)") > 10
        assert page.evaluate(_GRAVE) == [], (view, width, dark)


def test_axe_finds_nothing_serious_or_critical_where_there_is_no_reading_and_where_two_meters_have_one_source(
    house: House, browser: Browser
) -> None:
    collector = Collector(house)
    now = time.time()
    for batches in (
        (),
        (heard("first", now - 3000, 100, 300), heard("clone", now - 1400, 400, 60), heard("first", now - 3000, 400, 99, 301)),
    ):
        for batch in batches:
            collector.send(batch)
        page = browser.open(collector.url)
        assert page.evaluate("document.querySelectorAll('[role=status]').length") == (1 if batches else 0)
        page.evaluate(_AXE.read_text(encoding="utf-8") + "; 0")
        assert page.evaluate(_GRAVE) == []


def heard(name: str, began: float, first: int, count: int, sequence: int = 1) -> Batch:
    return run(name, began, *range(first, first + count), first=sequence)
