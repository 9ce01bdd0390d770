"""What answers at which path: pages for people, what is shown and done below /v1, and who is let in to each.

    routes.page("relays")                                               GET /relays
    routes.shows("/v1/relays", self.show, Operation("All relays"))      GET, for who may look
    routes.does("/v1/relays/{number}/mode", self.set_mode,              POST of JSON, with a session, its token and the right Origin
                Operation("Say what is wanted of a relay", body={"mode": "off, auto or on"}))

A handler returns what json.dumps takes, or a response; it raises `http.refusal(status, line)`. A PimainsError is 409 with its line;
anything else is 500, and stands with its traceback in the log alone.
"""

import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

from aiohttp import web

from pimains.core.errors import PimainsError
from pimains.shared import http_server as http
from pimains.web.assets import Assets
from pimains.web.login import Door
from pimains.web.pages import Pages

BODY_BYTES_MAX = 16 * 1024
BODY_SECONDS = 20.0
_OPERATION = "pimains_operation"

Answer: TypeAlias = "web.StreamResponse | dict[str, Any] | list[Any] | str | int | float | bool | None"
Handler: TypeAlias = Callable[[web.Request], Awaitable[Answer]]


class Operation(NamedTuple):
    """One path of /v1 in words: what it does, and what each part of its path, its query and its body means.

    `kind` is the type of its answer, where that is not JSON.
    """

    summary: str
    query: Mapping[str, str] = {}
    body: Mapping[str, str] = {}
    path: Mapping[str, str] = {}
    kind: str = "application/json"


class Described(NamedTuple):
    """An operation where it is."""

    method: str
    path: str
    operation: Operation
    needs_session: bool


class Module(Protocol):
    """A part of the page, with paths of its own."""

    def add_to(self, routes: "Routes") -> None:
        """Name them."""


class Routes:
    """Of one application."""

    def __init__(self, app: web.Application, door: Door, pages: Pages, assets: Assets) -> None:
        self._app = app
        self._door = door
        self._pages = pages
        self.operations: list[Described] = []
        app.middlewares.append(self._guarded)
        app.router.add_get("/login", self._show_login)
        app.router.add_post("/login", self._log_in)
        assets.add_to(app)

    def page(self, name: str, style_hashes: Sequence[str] = ()) -> None:
        """GET /NAME, of "now" GET /: pages/NAME.html in the frame, with NAME.js and NAME.css where there are such.

        `style_hashes` are allowed as style elements ('sha256-...'), for what a library puts into the page.
        """
        page = self._pages.add(name, style_hashes)

        async def show(request: web.Request) -> web.StreamResponse:
            if not self._door.may_look(request):
                return _to(f"/login?to={page.path}")
            return self._pages.answer(page, self._door.csrf(request))

        self._app.router.add_get(page.path, show)

    def shows(self, path: str, handler: Handler, operation: Operation) -> None:
        """GET, for who may look."""

        async def show(request: web.Request) -> web.StreamResponse:
            self._door.check_not_from_elsewhere(request)
            self._door.check_may_look(request)
            _known(request.query, operation.query, "query")
            return _answered(await handler(request))

        is_whole = operation.kind == "application/json"  # a stream is written as it comes: behind its HEAD that were the next answer
        self._app.router.add_get(path, show, allow_head=is_whole)
        self.operations.append(Described("get", path, operation, needs_session=False))

    def does(self, path: str, handler: Handler, operation: Operation) -> None:
        """POST, for who is logged in."""

        async def do(request: web.Request) -> web.StreamResponse:
            self._door.check_may_act(request)
            _known(request.query, operation.query, "query")
            request[_OPERATION] = operation
            return _answered(await handler(request))

        self._app.router.add_post(path, do)
        self.operations.append(Described("post", path, operation, needs_session=True))

    def open(self, path: str, handler: Handler, operation: Operation) -> None:
        """POST, for everybody: the login. The handler sees to it itself who may."""

        async def do(request: web.Request) -> web.StreamResponse:
            request[_OPERATION] = operation
            return _answered(await handler(request))

        self._app.router.add_post(path, do)
        self.operations.append(Described("post", path, operation, needs_session=False))

    def all_are_there(self) -> None:
        """Each module has added its own: where none is at /, that leads to the first page."""
        if self._pages.first != "/":
            first = self._pages.first

            async def show(_: web.Request) -> web.StreamResponse:
                return _to(first)

            self._app.router.add_get("/", show)

    async def _show_login(self, request: web.Request) -> web.StreamResponse:
        to = self._pages.path_of(request.query.get("to", ""))
        if not self._door.has_password or self._door.csrf(request) is not None:
            return _to(to)
        return self._pages.login(to)

    async def _log_in(self, request: web.Request) -> web.StreamResponse:
        """A form of a browser, which works without scripts and with what keeps passwords for people."""
        password, wanted = await self._door.given(request)
        to = self._pages.path_of(wanted)
        answer = _to(to)
        try:
            await self._door.log_in(request, password, answer)
        except http.Refusal as no:
            return self._pages.login(to, no)
        return answer

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
        try:
            self._door.check_name(request)
            return await handler(request)
        except (http.Refusal, web.HTTPException) as no:
            if not _is_for_people(request):
                raise
            return self._pages.refused(no)
        except PimainsError as error:
            raise http.refusal(409, str(error)) from None
        except ConnectionError:  # whoever asked is gone
            raise
        except Exception as error:
            print(f"{request.method} {request.path!r} failed:")
            sys.excepthook(type(error), error, error.__traceback__)
            refusal = http.refusal(500, "this met what nobody has foreseen; the log of this service has the traceback")
            if _is_for_people(request):
                return self._pages.refused(refusal)
            raise refusal from None


async def asked(request: web.Request, bytes_max: int = BODY_BYTES_MAX) -> dict[str, Any]:
    """The JSON object that was posted, with no other names than those in the operation's `body`; raises 400, 408, 413, 415."""
    if request.content_type != "application/json":
        raise http.refusal(415, "Content-Type: not application/json")
    sent = await http.body(request, bytes_max, BODY_SECONDS)
    try:
        found = json.loads(sent.decode("utf-8"), parse_constant=_no_number)
        json.dumps(found, ensure_ascii=False).encode("utf-8")  # half a character (\ud800) is none
    except (ValueError, RecursionError):
        raise http.refusal(400, "the body is no JSON") from None
    if not isinstance(found, dict):
        raise http.refusal(400, "the body is no JSON object")
    operation: Operation = request[_OPERATION]
    _known(found, operation.body, "body")
    return found


def _no_number(name: str) -> float:
    raise ValueError(name)


def _known(given: Mapping[str, Any], known: Mapping[str, str], where: str) -> None:
    for name in given:
        if name not in known:
            allowed = ", ".join(known) or "none at all"
            raise http.refusal(400, f"{name[:60]!r} is not known in the {where} (known: {allowed})")


def _answered(answer: Answer) -> web.StreamResponse:
    if isinstance(answer, web.StreamResponse):
        return answer
    headers = {"Cache-Control": "no-store", "Cross-Origin-Resource-Policy": "same-origin"}
    return web.json_response(answer, headers=headers)


def _to(path: str) -> web.StreamResponse:
    return web.Response(status=303, headers={"Location": path, "Cache-Control": "no-store"})


def _is_for_people(request: web.Request) -> bool:
    return not request.path.startswith(("/v1/", "/static/")) and "text/html" in request.headers.get("Accept", "")
