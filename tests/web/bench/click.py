#!/usr/bin/env python3
"""How long a click on the page of relays takes to the pin, and to be seen on the page.

    ~/.cache/pimains/tools/bin/python tests/web/bench/click.py [TIMES]
    sudo chrt -f 20 ...          where others are at work: the processor is ours, only the disk is shared

A real browser, a real web service and a real relays service with the house's pins; /run is in memory, as on any machine. TIMES (50) clicks,
from the browser's own time of the click: to the pin's change, which the pin writes down, and until the card shows what was told.
"""

import os
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parents[3] / "lib")]

from tests.core.bench.latency import house_with_run_in_memory  # noqa: E402  # only findable now
from tests.kit import House, until  # noqa: E402  # only findable now
from tests.relays.relays import Relays  # noqa: E402  # only findable now
from tests.web.page import PASSWORD, Pages, new_browser, web_house  # noqa: E402  # only findable now

_PACE_SECONDS = 0.5
_PIN_SECONDS_MAX, _PAGE_SECONDS_MAX = 0.1, 0.5  # of 95 %
# wall times in ms: of each click, and of each change of what the card of relay 1 shows
_NOTE_TIMES = """() => {
  window.clicks = []; window.shown = [];
  const now = () => performance.timeOrigin + performance.now();
  addEventListener("click", event => window.clicks.push(performance.timeOrigin + event.timeStamp), true);
  const card = document.querySelector('.relay[data-number="1"]');
  new MutationObserver(() => requestAnimationFrame(() => window.shown.push([now(), card.dataset.state])))
    .observe(card, {attributes: true, attributeFilter: ["data-state"]});
}"""


def main() -> int:
    """Measure, and print what it was; 1 where it was too long."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    with house_with_run_in_memory() as house:
        pins, pages = measure(house, times)
    print(f"{times} clicks, load {os.getloadavg()[0]:.0f}")
    is_good = tell("to the pin", pins, _PIN_SECONDS_MAX)
    return 0 if tell("to the page", pages, _PAGE_SECONDS_MAX) and is_good else 1


def measure(house: House, times: int) -> tuple[list[float], list[float]]:
    """Seconds from each click to the pin, and until it is shown."""
    relays = Relays(house, {"NAME": "boiler"}, *({} for _ in range(7)))
    web = web_house(house, PASSWORD=PASSWORD)
    browsers = new_browser()
    page = Pages(next(browsers)).logged_in(web.url, "/relays")
    page.locator('.relay[data-number="8"]').wait_for()
    page.wait_for_function("document.body.dataset.live === 'on'")
    page.evaluate(_NOTE_TIMES)
    for number in range(times):
        name = "Off" if number % 2 else "On"
        page.locator('.relay[data-number="1"]').get_by_role("radio", name=name, exact=True).click()
        page.wait_for_function("times => window.shown.length >= times", arg=number + 1, polling=50)
        time.sleep(_PACE_SECONDS)
    clicks, shown = page.evaluate("[window.clicks, window.shown]")
    until(lambda: len(relays.levels(2)) > times)
    next(browsers, None)
    boot_ahead = time.clock_gettime(time.CLOCK_BOOTTIME) - time.time()
    changes = [float(line.split()[2]) - boot_ahead for line in relays.told.read_text().splitlines() if line.split()[0] == "2"][1:]
    assert [state for _, state in shown] == [("off" if number % 2 else "on") for number in range(times)]
    assert len(clicks) == len(changes) == times
    pins = [at - click / 1000 for at, click in zip(changes, clicks, strict=True)]
    return pins, [(at - click) / 1000 for (at, _), click in zip(shown, clicks, strict=True)]


def tell(what: str, found: list[float], most: float) -> bool:
    """Print half, p95 and the most; whether 95 % took no longer than `most`."""
    ordered = sorted(found)
    half, p95 = ordered[len(ordered) // 2], ordered[int((len(ordered) - 1) * 0.95)]
    milliseconds = [f"{each * 1000:.0f} ms" for each in (half, p95, most, ordered[-1])]
    print("{}: half within {}, p95 {} (at most {} is asked), longest {}".format(what, *milliseconds))
    return p95 <= most


if __name__ == "__main__":
    sys.exit(main())
