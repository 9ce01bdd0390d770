"""A real browser, headless, by its own protocol (Chrome DevTools): what a page asks for, says and looks like.

with Browser() as browser:
    page = browser.open(url, width=360, dark=True)
    page.evaluate("document.title"); page.requests; page.errors; page.picture()
"""

import asyncio
import base64
import itertools
import json
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Coroutine
from typing import Any, NamedTuple, Self, TypeVar

import aiohttp

PROGRAM = shutil.which("chromium")
_WORDS = "--headless=new --no-sandbox --disable-gpu --remote-debugging-port=0 --no-first-run --disable-extensions --hide-scrollbars"
_LOADED = "Promise.all([...document.images].map(each => each.decode())).then(() => true)"
T = TypeVar("T")


class Page(NamedTuple):
    """What was opened, as it is now."""

    browser: "Browser"
    requests: list[str]
    errors: list[str]

    def evaluate(self, expression: str) -> Any:
        """What a JavaScript expression says in it."""
        words = {"expression": expression, "awaitPromise": True, "returnByValue": True}
        said = self.browser.tell("Runtime.evaluate", **words)
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    def picture(self) -> bytes:
        """A PNG of what is to be seen."""
        return base64.b64decode(self.browser.tell("Page.captureScreenshot", format="png", optimizeForSpeed=False)["data"])


class Browser:
    """One chromium with one tab."""

    def __enter__(self) -> Self:
        assert PROGRAM
        self._home = tempfile.TemporaryDirectory(prefix="pimains-browser-", ignore_cleanup_errors=True)
        words = [PROGRAM, *_WORDS.split(), f"--user-data-dir={self._home.name}", "about:blank"]
        self._process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        assert self._process.stderr
        address = next(line.split()[-1] for line in self._process.stderr if "DevTools listening on" in line)
        threading.Thread(target=self._process.stderr.read, daemon=True).start()  # it would wait for whoever reads the rest
        self._loop = asyncio.new_event_loop()
        self._numbers = itertools.count(1)
        self._events: list[dict[str, Any]] = []
        self._wait(self._connect(address))
        return self

    def __exit__(self, *_: object) -> None:
        self._wait(self._session.close())
        self._loop.close()
        self._process.terminate()
        self._process.wait()
        self._home.cleanup()

    def open(self, url: str, *, width: int = 1280, height: int = 1000, dark: bool = False) -> Page:
        """The page at `url`, when all of its pictures are there."""
        self._go("about:blank")  # what is open now would ask for other pictures
        self.tell("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 800)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.tell("Emulation.setEmulatedMedia", features=[scheme])
        self._go(url)
        page = Page(self, [], [])
        page.evaluate(_LOADED)
        for event in self._events:
            match event["method"], event["params"]:
                case "Network.requestWillBeSent", said:
                    page.requests.append(said["request"]["url"])
                case "Runtime.exceptionThrown" | "Runtime.consoleAPICalled" | "Network.loadingFailed" | "Security.certificateError", said:
                    page.errors.append(json.dumps(said))
                case "Log.entryAdded", said if said["entry"]["level"] in ("error", "warning"):
                    page.errors.append(json.dumps(said))
        return page

    def _go(self, url: str) -> None:
        self._events.clear()
        begun = self.tell("Page.navigate", url=url)
        assert "errorText" not in begun, begun
        self._wait(self._until_loaded(begun["loaderId"]))

    def tell(self, method: str, **words: Any) -> dict[str, Any]:
        """One command of the protocol."""
        return self._wait(self._tell(method, words))

    def _wait(self, what: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(asyncio.wait_for(what, 60))

    async def _connect(self, address: str) -> None:
        self._session = aiohttp.ClientSession()
        port = address.split(":")[2].partition("/")[0]
        tabs: list[dict[str, Any]] = []
        while not tabs:  # it listens before it has one
            async with self._session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                tabs = [each for each in await answer.json(content_type=None) if each["type"] == "page"]
        self._socket = await self._session.ws_connect(tabs[0]["webSocketDebuggerUrl"], max_msg_size=0)
        for domain in ("Page", "Network", "Runtime", "Log"):
            await self._tell(f"{domain}.enable", {})
        await self._tell("Page.setLifecycleEventsEnabled", {"enabled": True})

    async def _tell(self, method: str, words: dict[str, Any]) -> dict[str, Any]:
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": words})
        while (said := json.loads((await self._socket.receive()).data)).get("id") != number:
            self._events.append(said)
        assert "error" not in said, said
        found: dict[str, Any] = said["result"]
        return found

    async def _until_loaded(self, loader: str) -> None:
        """That very page, and not the one before it."""
        while not any(event["method"] == "Page.lifecycleEvent" and _is_loaded(event["params"], loader) for event in self._events):
            self._events.append(json.loads((await self._socket.receive()).data))


def _is_loaded(said: dict[str, Any], loader: str) -> bool:
    return said["loaderId"] == loader and said["name"] == "load"
