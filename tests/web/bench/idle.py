#!/usr/bin/env python3
"""What the page costs while nobody looks at it, and after somebody has: memory, processor time and wake-ups.

    tests/web/bench/idle.py [SECONDS]

Root. A house with halt, relays and the page, all at rest: as it begins; then after ten logins and a look at all its pages and files by
a browser, which is gone. SECONDS (30) is how long wake-ups are counted, of all its threads.
"""

import re
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parents[3] / "lib")]

from tests.core.bench.footprint import Memory, compile_all, memory, processor_seconds, wake_ups  # noqa: E402  # only findable now
from tests.kit import House, new_house, until  # noqa: E402  # only findable now
from tests.relays.relays import Relays  # noqa: E402  # only findable now
from tests.web.page import PASSWORD, Session, Web, web_house  # noqa: E402  # only findable now

_SECONDS = 30.0
_LOGINS = 10


class Costs(NamedTuple):
    """Memory; percent of a core; wake-ups a second of all threads."""

    memory: Memory
    percent: float
    wake_ups: float


def begin(house: House) -> Web:
    """The page in a house at rest, started from a library that is compiled, as it is once installed."""
    compile_all()
    halt = house.add("halt", svscan=False, HALT_COMMAND=house.recorder)
    relays = Relays(house, {"NAME": "boiler"}, {"NAME": "pump"})
    web = web_house(house, PASSWORD=PASSWORD)
    until(lambda: halt.status == "ready", what=halt.story)
    relays.until(2, "state", "off")
    return web


def costs(web: Web, seconds: float = _SECONDS) -> Costs:
    """While nothing happens."""
    threads = [int(path.name) for path in Path(f"/proc/{web.pid}/task").iterdir()]
    began, used, woken = time.monotonic(), sum(map(processor_seconds, threads)), sum(map(wake_ups, threads))
    time.sleep(seconds)
    took = time.monotonic() - began
    percent = (sum(map(processor_seconds, threads)) - used) / took * 100
    return Costs(memory(web.pid), percent, (sum(map(wake_ups, threads)) - woken) / took)


def use(web: Web) -> None:
    """Somebody logs in, again and again, and looks at everything."""
    for _ in range(_LOGINS):
        session = Session(web.url)
    first = session.show("/").text
    pages = set(re.findall(r'<a href="(/[a-z]*)"', first))
    for page in sorted(pages):
        text = session.show(page).text
        for asset in re.findall(r'"(/static/[^"]+)"', text):
            assert session.show(asset).ok, asset
    for path in session.show("/v1/openapi.json").json()["paths"]:
        if "{" not in path and path != "/v1/live":
            session.show(path)
    session.close()


def main() -> None:
    """Measure, and print what it was."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else _SECONDS
    with tempfile.TemporaryDirectory(prefix="pimains-bench-") as root:
        for house in new_house(Path(root)):
            web = begin(house)
            print("as it begins:", costs(web, seconds), flush=True)
            use(web)
            print("after use:   ", costs(web, seconds))


if __name__ == "__main__":
    main()
