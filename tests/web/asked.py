"""The application of a web service, asked by its real protocol, for what a page shows and does in all the states a house may be in.

asked = Asked(tmp_path, monkeypatch)          its house is below tmp_path
asked.get("/v1/relays")                       what is answered, as JSON
asked.post("/v1/relays/3/mode", mode="on")    after a login
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aiohttp import ClientSession, CookieJar

from pimains.core import templates
from pimains.core.instance import Instance
from pimains.create_service import making
from pimains.shared import http_server as http
from pimains.web.service import LIMITS, House
from pimains.web.settings import WebSettings
from tests.kit import TOP
from tests.web.page import PASSWORD


class Answered(NamedTuple):
    """What came back."""

    status: int
    json: Any
    headers: Mapping[str, str]


class Asked:
    """A house below `root` with a web service in this process."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PIMAINS_ROOT", str(root))
        monkeypatch.setenv("PYTHONPATH", str(TOP / "lib"))  # for what it starts
        self.root = root
        self.scan = root / "etc/service"
        for directory in (self.scan, root / "run/pimains", root / "var/lib/pimains", root / "var/log/pimains"):
            directory.mkdir(parents=True, exist_ok=True)

    def add(self, service: str, name: str | None = None, **variables: str) -> Path:
        """An instance, which nobody starts; returns its directory."""
        values = {"PIMAINS_ROOT": str(self.root), **variables}
        return making.create(templates.all_of_them()[service], self.scan, name or service, values).path

    def leave(self, name: str, text: str) -> None:
        """What a service tells: /run/pimains/NAME."""
        path = self.root / "run/pimains" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")

    def get(self, path: str, **query: str) -> Answered:
        """GET, by somebody who has not logged in."""
        return asyncio.run(self._ask("GET", path, query, {}, password=None))

    def post(self, path: str, **body: Any) -> Answered:
        """POST, after a login."""
        return asyncio.run(self._ask("POST", path, {}, body, password=PASSWORD))

    async def _ask(self, method: str, path: str, query: dict[str, str], body: dict[str, Any], password: str | None) -> Answered:
        variables = {name: each.default for name, each in templates.all_of_them()["web"].variables().items()}
        settings = WebSettings({**variables, "PASSWORD": password or ""}, self.scan / "web/variables")
        house = House(Instance("web", self.scan / "web"), settings)
        await house.door.opens()
        async with http.listening(house.app(), "127.0.0.1", 0, None, LIMITS) as port:
            url = f"http://127.0.0.1:{port}"
            async with ClientSession(url, headers={"Origin": url}, cookie_jar=CookieJar(unsafe=True)) as client:
                headers = {}
                if password:
                    answer = await client.post("/v1/login", json={"password": password})
                    headers["X-CSRF-Token"] = (await answer.json())["csrf"]
                sent = {"json": body} if method == "POST" else {"params": query}
                answer = await client.request(method, path, headers=headers, **sent)
                return Answered(answer.status, await answer.json(), answer.headers)
