#!/usr/bin/env python3
"""What the editor of blocks costs: bytes on the wire, its largest paint, a try-out and a replay of a week while somebody edits.

tests/web/bench/rules_page.py [TIMES]
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parents[3] / "lib")]

from tests.kit import new_house  # noqa: E402  # only findable now
from tests.rules.built import compare, turn, value, when, workspace  # noqa: E402  # only findable now
from tests.web.house.test_rules_page import RulesPage  # noqa: E402  # only findable now
from tests.web.page import Session, new_browser, new_pages  # noqa: E402  # only findable now

_PAINT = """() => new Promise(done => new PerformanceObserver(list => done(list.getEntries().at(-1).startTime))
  .observe({ type: "largest-contentful-paint", buffered: true }))"""


def took(ask: Callable[[], object], times: int) -> str:
    """Milliseconds: half within, and at most."""
    found = []
    for _ in range(times):
        began = time.monotonic()
        ask()
        found.append(1000 * (time.monotonic() - began))
    return f"{statistics.median(found):.0f} ms, at most {max(found):.0f}"


def measure(rules: RulesPage, times: int) -> None:
    """Print it."""
    sizes: list[int] = []
    page = rules.open("/rules")
    page.on("requestfinished", lambda request: sizes.append(request.sizes()["responseBodySize"]))
    page.goto("about:blank")
    page.goto(f"{rules.web.url}/rules#1/blocks")
    page.locator(".blocklyBlockCanvas .rule").wait_for()
    print(f"the editor, opened: {sum(sizes) / 1000:.0f} kB on the wire")
    page.goto("about:blank")
    page.goto(f"{rules.web.url}/rules")
    page.locator("#rules .card").first.wait_for()
    print(f"largest paint of the list: {page.evaluate(_PAINT):.0f} ms")
    session = Session(rules.web.url)
    draft = {
        "set": 1,
        "workspace": workspace(when(compare(value("vedirect.bmv/SOC"), "gt", 89), [turn("on", "full")]), turn("off", "not full")),
    }
    print("a try-out:", took(lambda: session.act("/v1/rules/1/check", **draft, pretended={"values": {"vedirect.bmv/SOC": 95}}), times))
    print("a replay of a week:", took(lambda: session.act("/v1/rules/1/replay", **draft, since="7d"), times))


def main() -> None:
    """In a house of its own."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory(prefix="pimains-house-") as root:
        for house in new_house(Path(root)):
            for browser in new_browser():
                for pages in new_pages(browser):
                    measure(RulesPage(house, pages), times)


if __name__ == "__main__":
    main()
