"""Pages in a real browser, and a web service for them.

def test_it(house, pages):                               # both are fixtures, from tests/conftest.py
    web = web_house(house, PASSWORD=PASSWORD)
    page = pages.logged_in(web.url, "/relays", width=390, dark=True)
    page.get_by_role("button", name="On").click()
    assert axe(page) == []

A test fails when a page logs an error or a warning, raises one, or does what its content policy forbids.
"""

import functools
import shutil
from collections.abc import Iterator
from importlib import resources
from typing import Any

import requests
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.kit import House, TestInstance, free_port, until

PROGRAM = shutil.which("chromium")
_WORDS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"
)
_MILLISECONDS = 30_000  # what is awaited comes in moments where nobody else is at work
expect.set_options(timeout=_MILLISECONDS)
PASSWORD = "correct horse battery"
# what a page's own policy forbade is told as a console error, too; this has it with the place in the page
_REPORTS = "addEventListener('securitypolicyviolation', each => console.error('CSP', each.violatedDirective, each.blockedURI, each.sample))"


class Web(TestInstance):
    """A web service in a house."""

    url = ""


def web_house(house: House, name: str = "web", **variables: str) -> Web:
    """A web service of the house, at a free port, when it can be asked."""
    port = free_port()
    made = house.add("web", name, LISTEN=f"127.0.0.1:{port}", **variables)
    web = Web(house, made.name)
    until((web.run / "url").is_file, what=web.story)
    web.url = f"{'https' if variables.get('TLS_CERTIFICATE') else 'http'}://127.0.0.1:{port}"
    return web


class Session(requests.Session):
    """A program that has logged in: `act` posts with what an order needs."""

    def __init__(self, url: str, password: str | None = PASSWORD) -> None:
        super().__init__()
        self.url = url
        self.headers["Origin"] = url
        if password is not None:
            answer = self.post(f"{url}/v1/login", json={"password": password}, timeout=60)
            assert answer.status_code == 200, answer.text
            self.headers["X-CSRF-Token"] = answer.json()["csrf"]

    def show(self, path: str, **query: str) -> requests.Response:
        return self.get(self.url + path, params=query, timeout=60)

    def act(self, path: str, **body: Any) -> requests.Response:
        return self.post(self.url + path, json=body, timeout=60)


class Pages:
    """One browser; each page is opened in a context of its own unless it follows a login."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.errors: list[str] = []
        self.requests: list[str] = []

    def open(self, url: str, path: str = "/", *, width: int = 1440, dark: bool = False, context: BrowserContext | None = None) -> Page:
        """The page at `path`, when its scripts have run as far as they come without an answer."""
        if context is None:
            context = self._browser.new_context(
                viewport={"width": width, "height": 900},
                color_scheme="dark" if dark else "light",
                has_touch=width < 800,
                ignore_https_errors=True,
                reduced_motion="reduce",
            )
            context.add_init_script(_REPORTS)
            self._contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(_MILLISECONDS)
        page.on("console", lambda said: self.errors.append(f"{said.type}: {said.text}") if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(url + path)
        return page

    def logged_in(self, url: str, path: str = "/", password: str = PASSWORD, *, width: int = 1440, dark: bool = False) -> Page:
        """The page after a login by its form."""
        page = self.open(url, f"/login?to={path}", width=width, dark=dark)
        page.locator("#password").fill(password)
        page.locator("main form button").click()
        page.wait_for_url(url + path)
        return page

    def close(self) -> None:
        """What the test has opened."""
        for each in self._contexts:
            each.close()


@functools.cache
def _axe() -> str:
    return resources.files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")


def axe(page: Page, leave_out: str = "") -> list[str]:
    """What axe-core finds serious or critical, one line each, but for what lies in `leave_out`, a selector."""
    page.evaluate(_axe())
    context = {"exclude": [[leave_out]]} if leave_out else {"include": [["html"]]}
    found = page.evaluate("context => axe.run(context)", context)["violations"]
    return [
        f"{each['id']}: {each['help']}: {node['html'][:200]} {node.get('failureSummary', '')}"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


def new_browser() -> Iterator[Browser]:
    """For the fixture `browser`."""
    assert PROGRAM
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=PROGRAM, args=[*_WORDS.split(), "--host-resolver-rules=MAP *.example 127.0.0.1"]
        )
        yield browser
        browser.close()


def new_pages(browser: Browser) -> Iterator[Pages]:
    """For the fixture `pages`."""
    pages = Pages(browser)
    yield pages
    pages.close()
    assert pages.errors == [], pages.errors
