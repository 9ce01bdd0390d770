"""What a collector shows: the page, numbers as JSON, CSV and metrics, graphs."""

import sqlite3
from collections.abc import Iterator

from aiohttp import web

from pimains.core.clock import Clock
from pimains.core.figures import Figures, figures
from pimains.core.series import Series
from pimains.devices import energy_page, export
from pimains.devices import web as http
from pimains.devices.books import Books
from pimains.devices.hold import Hold
from pimains.devices.rrd import FORMS, RANGES, THEMES, CannotDraw
from pimains.plan.energy import Meter


class Showing:
    """To everybody, or with `password` to who knows it; costs are `price` for a unit."""

    def __init__(self, books: Books, hold: Hold, clock: Clock, password: str | None, price: float | None, currency: str) -> None:
        self._books = books
        self._hold = hold
        self._clock = clock
        self._password = http.digest_of(password) if password else None
        self._price = price
        self._currency = currency

    def add_to(self, app: web.Application) -> None:
        """Its paths."""
        app.router.add_get("/", self.show_page)
        app.router.add_get("/v1/sources", self.show_sources)
        app.router.add_get("/v1/export", self.show_readings)
        app.router.add_get("/graphs/{source}/{name}.{form}", self.show_graph)
        app.router.add_get("/metrics", self.show_metrics)

    def _admit(self, request: web.Request) -> None:
        if self._password is None:
            return
        given = http.basic_password(request)
        if given is None or not http.same(given, self._password):
            raise http.refusal(401, "this needs the password", WWW_Authenticate='Basic realm="pimains", charset="UTF-8"')

    async def figures(self) -> list[Figures]:
        """All the sources' numbers."""
        now = self._clock.wall()

        def look(series: Series) -> list[Figures]:
            return [found for meter in series.meters().values() if (found := figures(series, meter, now)) is not None]

        return await self._books.ask(look)

    async def show_page(self, request: web.Request) -> web.Response:
        """GET /."""
        self._admit(request)
        await self._hold.let_go()
        text = energy_page.page(await self.figures(), self._clock.wall(), self._price, self._currency)
        headers = {"Content-Security-Policy": energy_page.POLICY, "Cache-Control": "no-store"}
        return web.Response(text=text, content_type="text/html", headers=headers)

    async def show_sources(self, request: web.Request) -> web.Response:
        """GET /v1/sources."""
        self._admit(request)
        return web.json_response(
            [
                {
                    "source": each.meter.source,
                    "unit": each.meter.unit,
                    "impulses_per_unit": each.meter.impulses_per_unit,
                    "last_reading": each.last.time,
                    "total": each.total,
                    "flow": each.flow and {"value": each.flow.value, "unit": each.meter.flow_unit, "is_upper_bound": each.flow.is_bound},
                    "amounts": {amount.name.replace(" ", "_"): amount.amount for amount in each.amounts},
                }
                for each in await self.figures()
            ]
        )

    async def show_metrics(self, request: web.Request) -> web.Response:
        """GET /metrics."""
        self._admit(request)
        text = energy_page.metrics(await self.figures())
        return web.Response(body=text.encode(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    async def show_graph(self, request: web.Request) -> web.Response:
        """GET /graphs/..."""
        self._admit(request)
        name, form, theme = request.match_info["name"], request.match_info["form"], request.query.get("theme", "light")
        if name not in RANGES or form not in FORMS or theme not in THEMES:
            raise http.refusal(404, f"{' or '.join(RANGES)}; {' or '.join(FORMS)}; theme {' or '.join(THEMES)}")
        try:
            picture = await self._books.draw(request.match_info["source"], (name, theme, form), self._clock.wall())
        except (CannotDraw, sqlite3.Error) as why:
            raise http.refusal(503, str(why)) from None
        if picture is None:
            raise http.refusal(404, "source: not one of those in /v1/sources")
        kind = "image/svg+xml" if form == "svg" else "image/png"
        return web.Response(body=picture, headers={"Content-Type": kind, "Cache-Control": "private, max-age=60"})

    async def show_readings(self, request: web.Request) -> web.StreamResponse:
        """GET /v1/export."""
        self._admit(request)
        asked = request.query
        meter = (await self._books.ask(lambda series: series.meters())).get(asked.get("source", ""))
        if meter is None:
            raise http.refusal(404, "source: not one of those in /v1/sources")
        try:
            wanted = export.asked(asked.get("from"), asked.get("to"), asked.get("every"), self._clock.wall())
        except ValueError as wrong:
            raise http.refusal(400, str(wrong)) from None
        form = asked.get("format", "csv")
        if form not in ("csv", "json"):
            raise http.refusal(400, "format: not csv or json")
        return await self._stream(request, meter, wanted, form)

    async def _stream(self, request: web.Request, meter: Meter, wanted: export.Range, form: str) -> web.StreamResponse:
        kind = "text/csv; charset=utf-8" if form == "csv" else "application/json"
        answer = web.StreamResponse(headers={"Content-Type": kind, "X-Content-Type-Options": "nosniff"})
        write = export.csv if form == "csv" else export.as_json

        def begin(series: Series) -> Iterator[str]:
            return write(meter, export.rows(series, meter, wanted))

        chunks = await self._books.ask(begin)
        await answer.prepare(request)
        while (chunk := await self._books.ask(lambda _: next(chunks, None))) is not None:
            await answer.write(chunk.encode())
        await answer.write_eof()
        return answer
