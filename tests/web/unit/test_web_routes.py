"""What a module of the page may answer, and what becomes of its mistakes."""

from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web as aiohttp_web

from pimains.core.errors import PimainsError
from pimains.shared import http_server as http
from pimains.web.login import Door
from pimains.web.routes import Answer, Operation, Routes, asked
from tests.web.asking import PASSWORD, Asked, answering


class Example:
    """One of each."""

    def add_to(self, routes: Routes) -> None:
        routes.shows("/v1/example/{name}", self.show, Operation("One", query={"since": "a time"}, path={"name": "whose"}))
        routes.does("/v1/example/{name}", self.do, Operation("Do it", body={"mode": "on or off"}))

    async def show(self, request: aiohttp_web.Request) -> Answer:
        match request.match_info["name"]:
            case "refused":
                raise http.refusal(404, "there is none")
            case "cannot":
                raise PimainsError("relay 3: is kept off by its guard")
            case "broken":
                raise RuntimeError("secret words of the code")
            case name:
                return {"name": name, "since": request.query.get("since")}

    async def do(self, request: aiohttp_web.Request) -> Answer:
        given: dict[str, Any] = await asked(request)
        return [given.get("mode")]


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    with answering(tmp_path_factory.mktemp("routes"), more=[Example()], PASSWORD=PASSWORD) as web:
        web.log_in()
        yield web


def test_an_answer_is_json_that_nobody_keeps(locked: Asked) -> None:
    answer = locked.get("/v1/example/boiler", params={"since": "5"})
    assert answer.json() == {"name": "boiler", "since": "5"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert locked.act("/v1/example/boiler", mode="on").json() == ["on"]


def test_a_mistake_is_said_in_a_line_and_the_traceback_is_for_the_log(locked: Asked, capfd: pytest.CaptureFixture[str]) -> None:
    assert (locked.get("/v1/example/refused").status_code, locked.get("/v1/example/refused").json()) == (404, {"error": "there is none"})
    cannot = locked.get("/v1/example/cannot")
    assert (cannot.status_code, cannot.json()) == (409, {"error": "relay 3: is kept off by its guard"})
    broken = locked.get("/v1/example/broken")
    assert broken.status_code == 500
    assert "secret words" not in broken.text
    said = capfd.readouterr()
    assert "GET '/v1/example/broken' failed" in said.out
    assert "RuntimeError: secret words of the code" in said.err


def test_a_name_that_is_not_known_is_said_with_those_that_are(locked: Asked) -> None:
    assert locked.get("/v1/example/a", params={"sinse": "5"}).json() == {"error": "'sinse' is not known in the query (known: since)"}
    wrong = locked.act("/v1/example/a", mode="on", modus="on")
    assert (wrong.status_code, wrong.json()) == (400, {"error": "'modus' is not known in the body (known: mode)"})


def test_the_document_has_each_path_with_its_words(locked: Asked) -> None:
    document = locked.get("/v1/openapi.json").json()
    example = document["paths"]["/v1/example/{name}"]
    assert [each["name"] for each in example["get"]["parameters"]] == ["name", "since"]
    assert example["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"] == {"mode": {"description": "on or off"}}
    assert example["post"]["security"] == [{"session": [], "token": []}]
    door: Door = locked.house.door
    assert document["components"]["securitySchemes"]["session"]["name"] == door.cookie
