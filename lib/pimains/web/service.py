"""The service web: services/web/README.md says what it is for, this how it goes about it.

GET  /, /relays, ...     pages: pages/NAME.html in the frame of pages.py, with static/NAME.js
GET  /static/...         scripts and styles (assets.py)
GET  /v1/...             what pages show, as JSON (api/)
POST /v1/...             what they do, with a session (login.py)
GET  /v1/openapi.json    these, for programs

/run/pimains/<instance>/url   where it listens
"""

from __future__ import annotations  # the names of a module that is missing

import asyncio
from typing import TYPE_CHECKING

from pimains.core import service
from pimains.core.library import Needed
from pimains.core.service import Instance, run
from pimains.core.troubles import Troubles
from pimains.web.seen import Seen
from pimains.web.settings import WebSettings

if TYPE_CHECKING:
    import ssl

with Needed("python3-aiohttp") as library:
    from aiohttp import web as aiohttp_web

    from pimains.shared import http_server as http
    from pimains.web.api.about import About
    from pimains.web.api.clients import Clients
    from pimains.web.api.events import Events
    from pimains.web.api.history import History
    from pimains.web.api.now import Now
    from pimains.web.api.outage import OutagePage
    from pimains.web.api.power import Power
    from pimains.web.api.relays import Relays
    from pimains.web.api.rules import Rules
    from pimains.web.api.settings import ShownSettings
    from pimains.web.assets import Assets
    from pimains.web.login import Door
    from pimains.web.openapi import document
    from pimains.web.pages import Pages
    from pimains.web.routes import Module, Operation, Routes

    LIMITS = http.Limits(connections=128, idle_seconds=30.0, answer_seconds=120.0, makes_room=True)

USER = "pimains-web"
LISTEN_AGAIN_SECONDS = 5.0
LARGE_BYTES = 256 * 1024  # a password that is tried takes 16 MB for a moment


async def web(me: Instance, settings: WebSettings) -> None:
    """Listen, and answer."""
    library.must_be_there(me.directory)
    service.share_one_heap(large_bytes=LARGE_BYTES)
    tls = http.tls_of(settings, settings.TLS_CERTIFICATE, settings.TLS_KEY, USER)
    house = House(me, settings)
    await house.door.opens()
    await _listen(me, settings, house, tls)


async def _listen(me: Instance, settings: WebSettings, house: House, tls: ssl.SSLContext | None) -> None:
    """Wherever it can be reached; never returns."""
    troubles = Troubles(me.complain)
    while True:
        try:
            async with http.listening(house.app(), settings.LISTEN.address, settings.LISTEN.port, tls, LIMITS) as port:
                troubles.look("listen", "")
                url = f"{'https' if tls else 'http'}://{settings.LISTEN._replace(port=port)}"
                me.leave("url", url)
                print(f"listening at {url}")
                if not settings.LISTEN.is_loopback and tls is None:
                    print(
                        "PASSWORD goes over the network as it is typed: whoever listens there reads it (TLS_CERTIFICATE keeps it from them)"
                    )
                me.status(url if house.door.has_password else f"{url}, to look at only: there is no PASSWORD yet")
                try:
                    await asyncio.Event().wait()
                finally:
                    house.seen.live.end()
        except OSError as error:
            me.leave("url", None)
            why = http.why_not_listening(settings, settings.LISTEN, error)
            me.status(why, well=False)
            troubles.look("listen", why)
            await asyncio.sleep(LISTEN_AGAIN_SECONDS)


class House:
    """All that is shown and done, by what `seen` knows."""

    def __init__(self, me: Instance, settings: WebSettings) -> None:
        self.seen = Seen(me, settings)
        self.door = Door(settings, me.clock)
        self._assets = Assets()
        # each module of api/ is named here
        self._modules: list[Module] = [
            About(self.seen, self.door),
            self.seen.live,
            Relays(self.seen),
            Events(self.seen),
            ShownSettings(self.seen),
            Now(self.seen),
            OutagePage(self.seen),
            Clients(self.seen),
            Power(self.seen),
            History(self.seen),
            Rules(self.seen),
        ]

    def app(self) -> aiohttp_web.Application:
        """Its paths."""
        app = aiohttp_web.Application()
        pages = Pages(self.seen, self._assets, has_password=self.door.has_password)
        routes = Routes(app, self.door, pages, self._assets)
        for each in self._modules:
            each.add_to(routes)

        async def show_document(_: aiohttp_web.Request) -> dict[str, object]:
            return document(routes.operations, self.door.cookie)

        routes.shows("/v1/openapi.json", show_document, Operation("This document"))
        routes.all_are_there()
        return app


if __name__ == "__main__":
    run(web, WebSettings, user=USER)
