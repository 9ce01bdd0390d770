"""POST /v1/readings: what meters send, each with its source's token. A few readings wait until they are stored together."""

import sqlite3
from collections.abc import Callable

from aiohttp import web

from pimains.collector.batching import Batching
from pimains.collector.intake.tokens import Tokens
from pimains.collector.store import NotThisSource, Store
from pimains.core.clock import Clock
from pimains.shared import http_server as http
from pimains.shared.plan import delivery

_BODY_SECONDS = 20.0
_FEW_BYTES = 16384  # what a meter measures in 200 s, a reading each second


class Reception:
    """Stores it in `store`, after `seconds` at most; `trouble` hears why that cannot be done, '' when it is."""

    def __init__(
        self, store: Store, batching: Batching, tokens: Tokens, clock: Clock, seconds: float, trouble: Callable[[str], None]
    ) -> None:
        self._store = store
        self._batching = batching
        self._tokens = tokens
        self._clock = clock
        self._seconds = seconds
        self._trouble = trouble
        self._heard: set[str] = set()

    def add_to(self, app: web.Application) -> None:
        """Its path."""
        app.router.add_post(delivery.PATH, self.take)

    async def take(self, request: web.Request) -> web.Response:
        """One request: what it brings is stored when it is answered."""
        sources = self._tokens.sources_of(http.bearer(request))
        if not sources:
            raise http.refusal(401, "this is no token of a source", WWW_Authenticate="Bearer")
        body = await http.body(request, delivery.BODY_BYTES_MAX, _BODY_SECONDS)
        # each commit wears the SD card: its meter sends all that comes meanwhile together, next time. The first are shown at once
        if len(body) < _FEW_BYTES and sources & self._heard:
            await self._batching.wait(self._clock.real_seconds(self._seconds))
        try:
            answer, source, new = await self._store.keep(body, sources)
        except PermissionError as no:
            raise http.refusal(403, str(no)) from None
        except NotThisSource as no:
            raise http.refusal(409, str(no)) from None
        except ValueError as no:
            raise http.refusal(413 if str(no).startswith("rows: not a list") else 400, str(no)) from None
        except sqlite3.Error as error:
            self._trouble(f"readings cannot be stored: {error}; their meters keep them")
            raise http.refusal(503, f"cannot be stored now: {error}") from None
        self._trouble("")
        if len(body) >= _FEW_BYTES:
            self._batching.hurry()
        if source not in self._heard:
            self._heard.add(source)
            print(f"{source}: first readings since the start ({new} new)")
        return web.Response(body=answer, content_type="application/json")
