"""The page about this page: who it is, how to log in and out, what a program may ask; and an example for the others."""

import socket

from aiohttp import web

from pimains.shared import http_server as http
from pimains.web.login import Door
from pimains.web.plan import hosts
from pimains.web.routes import Answer, Operation, Routes, asked
from pimains.web.seen import Seen


class About:
    """Login and logout for programs, and what the page is."""

    def __init__(self, seen: Seen, door: Door) -> None:
        self._seen = seen
        self._door = door

    def add_to(self, routes: Routes) -> None:
        """Its page and paths."""
        routes.page("about")
        routes.shows("/v1/about", self.show, Operation("This machine's names, its services, and what the page may do"))
        routes.open("/v1/login", self.log_in, Operation("Begin a session", body={"password": "PASSWORD, as text"}))
        routes.does("/v1/logout", self.log_out, Operation("End the session"))

    async def show(self, request: web.Request) -> Answer:
        """GET /v1/about."""
        return {
            "names": hosts.told(socket.gethostname()),
            "services": [{"instance": each.name, "service": each.service} for each in self._seen.instances()],
            "directory": str(self._seen.me.directory),
            "has_password": self._door.has_password,
            "logged_in": self._door.csrf(request) is not None,
        }

    async def log_in(self, request: web.Request) -> Answer:
        """POST /v1/login."""
        password = (await asked(request, 4096)).get("password")
        if not isinstance(password, str):
            raise http.refusal(400, "password: not a text")
        answer = web.json_response({}, headers={"Cache-Control": "no-store"})
        csrf = await self._door.log_in(request, password, answer)
        answer.text = f'{{"csrf": "{csrf}"}}'
        return answer

    async def log_out(self, request: web.Request) -> Answer:
        """POST /v1/logout."""
        await asked(request)
        answer = web.json_response({"logged_in": False}, headers={"Cache-Control": "no-store"})
        self._door.log_out(request, answer)
        return answer
