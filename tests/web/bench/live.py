#!/usr/bin/env python3
"""What it costs that people look: listeners at /v1/live while values change, the page Now in a browser, and web with nobody there.

    tests/web/bench/live.py [SECONDS]

Root and chromium. SECONDS (30) is how long 50 listeners hear of 100 values a second, which this process writes. The relay is a state
file that this process writes, too: from that moment until the page's text has changed, 50 times at random moments.
"""

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "lib"))

import pytest  # only findable now

from pimains.core import state, templates  # only findable now
from pimains.create_service import making  # only findable now
from tests.core.bench.footprint import compile_all, memory, processor_seconds  # only findable now
from tests.kit import TOP, free_port, until  # only findable now
from tests.web.page import new_browser  # only findable now
from tests.web.said import Said, solar_house  # only findable now
from tests.web.said import said as house_said  # only findable now

LISTENERS = 50
VALUES = 100
IDLE_SECONDS = 20.0
CLICKS = 50

# each in a process of its own would be 50 more on two cores; what they hear is counted and thrown away
_LISTEN = """
import selectors, socket, sys, time
port, count = int(sys.argv[1]), int(sys.argv[2])
wait = selectors.DefaultSelector()
for _ in range(count):
    each = socket.create_connection(("127.0.0.1", port))
    each.sendall(b"GET /v1/live HTTP/1.1\\r\\nHost: 127.0.0.1:%d\\r\\n\\r\\n" % port)
    wait.register(each, selectors.EVENT_READ)
print(flush=True)
received = messages = 0
while True:
    for key, _ in wait.select():
        data = key.fileobj.recv(65536)
        if not data:
            sys.exit("a stream ended")
        received += len(data)
        messages += data.count(b"data: {")
        if data.count(b"the last word"):
            wait.unregister(key.fileobj)
            count -= 1
            if not count:
                sys.exit(f"{received} {messages}")
"""


class Web(NamedTuple):
    """A web service that runs."""

    pid: int
    url: str


def listened(web: Web, said: Said, seconds: float) -> None:
    """The processor time and memory of web while all listen."""
    directory = said.run / "vedirect.mppt"
    words = [sys.executable, "-c", _LISTEN, web.url.rsplit(":", 1)[1], str(LISTENERS)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as listeners:
        assert listeners.stdout is not None
        listeners.stdout.readline()
        time.sleep(2)
        began, busy, most, number = time.monotonic(), processor_seconds(web.pid), 0.0, 0
        while time.monotonic() < began + seconds:
            state.write(directory / f"value{number % VALUES}", f"{number * 7919 % 100_000 / 10:.1f}")
            number += 1
            if number % (5 * VALUES) == 0:
                most = max(most, memory(web.pid).pss)
            time.sleep(max(0.0, began + number / VALUES - time.monotonic()))
        took, used = time.monotonic() - began, processor_seconds(web.pid) - busy
        state.write(directory / "value0", "the last word")
        received, messages = map(int, listeners.communicate()[1].split())
    print(
        f"{LISTENERS} listeners, {number / took:.0f} values a second for {took:.0f} s: {100 * used / took:.2f} % of a core, "
        f"{most:.1f} MB (PSS) at most; each heard {messages / LISTENERS / took:.2f} messages a second, "
        f"{received / LISTENERS / took / 1000:.1f} kB/s; load {os.getloadavg()[0]:.1f}"
    )


def looked_at(web: Web, said: Said) -> None:
    """The page in a browser: its weight, its largest paint, and how long a relay's change takes until it is seen."""
    for browser in new_browser():
        weights, paints = [], []
        for _ in range(5):
            context = browser.new_context(viewport={"width": 390, "height": 844})
            page = context.new_page()
            wire = context.new_cdp_session(page)
            wire.send("Network.enable")
            sizes: list[float] = []
            wire.on("Network.loadingFinished", lambda told, sizes=sizes: sizes.append(told["encodedDataLength"]))
            page.goto(web.url)
            page.wait_for_selector("#flow-rows tr")
            page.wait_for_timeout(500)
            paints.append(page.evaluate(_LARGEST_PAINT))
            weights.append(sum(sizes))
            context.close()
        print(f"Now on the wire: {max(weights) / 1000:.1f} kB; largest contentful paint {_spread(paints)}; load {os.getloadavg()[0]:.1f}")
        page = browser.new_page()
        page.goto(web.url)
        page.wait_for_selector("#flow-rows tr")
        page.evaluate(_NOTE_CHANGES)
        took = []
        for number in range(CLICKS):
            time.sleep(0.3 + random.random() * 0.7)
            is_on = number % 2 == 0
            written = time.time()
            said.say("relays/3.state", "on" if is_on else "off")
            seen = page.evaluate("text => window.seen(text)", "3 of 3 on" if is_on else "2 of 3 on")
            took.append(seen - 1000 * written)
        print(f"from a relay's state file to the page, {CLICKS} times: {_spread(took)}; load {os.getloadavg()[0]:.1f}")


_LARGEST_PAINT = """() => new Promise(resolve => new PerformanceObserver(list => resolve(list.getEntries().at(-1).startTime))
    .observe({ type: "largest-contentful-paint", buffered: true }))"""
_NOTE_CHANGES = """() => {
    const place = document.getElementById("flow-rows");
    window.seen = text => new Promise(resolve => {
        const look = () => place.textContent.includes(text) && resolve(performance.timeOrigin + performance.now());
        new MutationObserver(look).observe(place, { childList: true, subtree: true, characterData: true });
        look();
    });
}"""


def _spread(milliseconds: list[float]) -> str:
    ordered = sorted(milliseconds)
    at_95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return f"half within {statistics.median(ordered):.0f} ms, p95 {at_95:.0f} ms, at most {ordered[-1]:.0f} ms"


def idle(web: Web, when: str) -> None:
    """With nobody there."""
    switches = _switches(web.pid)
    busy, began = processor_seconds(web.pid), time.monotonic()
    time.sleep(IDLE_SECONDS)
    took = time.monotonic() - began
    found = memory(web.pid)
    percent, woken = 100 * (processor_seconds(web.pid) - busy) / took, (_switches(web.pid) - switches) / took
    print(
        f"idle {when}: {found.pss:.1f} MB (PSS) beside others, {found.alone:.1f} as the only Python; {percent:.2f} % of a core, "
        f"{woken:.2f} wake-ups a second"
    )


def _switches(pid: int) -> int:
    found = 0
    for path in Path(f"/proc/{pid}/task").iterdir():
        found += int((path / "status").read_text().split("\nvoluntary_ctxt_switches:")[1].split()[0])
    return found


@contextmanager
def served(said: Said) -> Iterator[Web]:
    """A web service beside services that only seem to be there, which no svscan must start."""
    port = free_port()
    variables = {"PIMAINS_ROOT": str(said.root), "PYTHONPATH": str(TOP / "lib"), "LISTEN": f"127.0.0.1:{port}"}
    making.create(templates.all_of_them()["web"], said.scan, "web", variables)
    with (said.root / "log").open("w") as log, subprocess.Popen(["./run"], cwd=said.scan / "web", stdout=log) as process:
        try:
            until((said.run / "web/url").is_file, what=lambda: (said.root / "log").read_text())
            yield Web(process.pid, f"http://127.0.0.1:{port}")
        finally:
            process.terminate()


def main(seconds: float) -> None:
    """All of it."""
    compile_all()
    patch = pytest.MonkeyPatch()
    with tempfile.TemporaryDirectory(prefix="pimains-web-") as top:
        Path(top).chmod(0o755)
        with house_said(Path(top), patch) as said:
            solar_house(said, with_web=False)
            with served(said) as web:
                idle(web, "after its start")
                listened(web, said, seconds)
                looked_at(web, said)
                idle(web, "after all that")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 30.0)
