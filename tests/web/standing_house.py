"""A house in which nothing runs but the page: what services were told and tell lies there in files, in every state that it may be in.

house = StandingHouse(tmp_path, monkeypatch)
house.get("/v1/relays").json                  by somebody who has not logged in
house.post("/v1/relays/3/mode", mode="on")    after a login
"""

from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pimains.core import templates
from pimains.create_service import making
from tests.kit import TOP
from tests.web.asking import PASSWORD, answering


class Answered(NamedTuple):
    """What came back."""

    status: int
    json: Any


class StandingHouse:
    """Below `root`."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PIMAINS_ROOT", str(root))
        monkeypatch.setenv("PYTHONPATH", str(TOP / "lib"))  # for what the page starts
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
        with answering(self.scan) as web:
            answer = web.get(path, params=query)
            return Answered(answer.status_code, answer.json())

    def post(self, path: str, **body: Any) -> Answered:
        """POST, after a login."""
        with answering(self.scan, PASSWORD=PASSWORD) as web:
            assert web.log_in().ok
            answer = web.act(path, **body)
            return Answered(answer.status_code, answer.json())
