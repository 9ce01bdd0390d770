"""A page's application on loopback, without a service around it: the real protocol, in moments.

with answering(tmp_path, PASSWORD=PASSWORD) as web:
    web.get("/v1/about").json(); web.log_in(); web.act("/v1/logout")
"""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from pimains.core.instance import Instance
from pimains.shared import http_server as http
from pimains.web.routes import Module
from pimains.web.service import LIMITS, House
from pimains.web.settings import WebSettings
from tests.kit import free_port

PASSWORD = "correct horse battery"


class Asked(requests.Session):
    """What answers at `url`, and a browser that asks it."""

    def __init__(self, house: House, url: str) -> None:
        super().__init__()
        self.house = house
        self.url = url
        self.headers["Origin"] = url

    def request(self, method: Any, url: Any, *words: Any, **more: Any) -> requests.Response:
        """Below its own address; never follows to another page, which a test wants to see."""
        return super().request(method, self.url + str(url), *words, **{"timeout": 30, **more, "allow_redirects": False})

    def log_in(self, password: str = PASSWORD) -> requests.Response:
        answer = self.post("/v1/login", json={"password": password})
        if answer.ok:
            self.headers["X-CSRF-Token"] = answer.json()["csrf"]
        return answer

    def act(self, path: str, **body: Any) -> requests.Response:
        return self.post(path, json=body)


@contextmanager
def answering(directory: Path, limits: http.Limits = LIMITS, more: Sequence[Module] = (), **variables: str) -> Iterator[Asked]:
    """The application of a service whose directory is `directory`/web, with `more` modules than it has."""
    port = free_port()
    given = {"LISTEN": f"127.0.0.1:{port}", "TITLE": "pimains", "LANGUAGE": "en", **variables}
    me = Instance("web", directory / "web")
    ready, runner = threading.Event(), asyncio.Runner()
    found: list[House] = []
    over = asyncio.Event()

    async def answer() -> None:
        house = House(me, WebSettings(given))
        house._modules += more
        await house.door.opens()
        async with http.listening(house.app(), "127.0.0.1", port, None, limits):
            found.append(house)
            ready.set()
            await over.wait()
            house.seen.live.end()

    def run() -> None:
        try:
            with runner:
                runner.run(answer())
        finally:
            ready.set()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert ready.wait(30)
        with Asked(found[0], f"http://127.0.0.1:{port}") as asked:
            yield asked
    finally:
        runner.get_loop().call_soon_threadsafe(over.set)
        thread.join()
