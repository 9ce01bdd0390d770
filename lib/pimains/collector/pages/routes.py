"""What a collector shows: the page, numbers as JSON, CSV and metrics, graphs."""

import asyncio
import sqlite3
from collections.abc import Iterable
from functools import partial

from aiohttp import web

from pimains.collector.batching import Batching
from pimains.collector.graphs.databases import CannotDraw
from pimains.collector.graphs.pictures import COSTS, FORMS, NAMES, RANGES, SIZES, THEMES, Extremes, Graphs, Picture, Wanted
from pimains.collector.pages import energy_page, metrics
from pimains.collector.pages.energy_page import BARS_OF, Shown, View
from pimains.collector.pages.style import POLICY
from pimains.collector.prices import Prices
from pimains.collector.store import Store
from pimains.core.clock import Clock
from pimains.shared import http_server as http
from pimains.shared.plan.attempts import Attempts
from pimains.shared.readings import exported
from pimains.shared.readings.plan.energy import Meter, Period
from pimains.shared.readings.series.costs import Costs
from pimains.shared.readings.series.figures import BARS, Amount, Figures, bars, figures, together_in
from pimains.shared.readings.series.series import Series

_WAIT_SECONDS = 2.0
_BEGUN_SECONDS = 900.0  # then there is a reading, and a pixel of it
_PROGRAM_SECONDS = 60.0  # a program may ask every few seconds, all day, and each commit wears the SD card


class Showing:
    """To everybody, or with `password` to who knows it; costs are by `prices`."""

    def __init__(self, store: Store, batching: Batching, clock: Clock, password: str | None, prices: Prices) -> None:
        self._store = store
        self._batching = batching
        self._clock = clock
        self._password = http.digest_of(password) if password else None
        self._prices = prices
        self._attempts = Attempts()

    def add_to(self, app: web.Application) -> None:
        """Its paths."""
        app.router.add_get("/", self.show_page)
        app.router.add_get("/v1/sources", self.show_sources)
        app.router.add_get("/v1/export", self.show_readings)
        app.router.add_get("/graphs/{source}/{name}.{form}", self.show_graph)
        app.router.add_get("/metrics", self.show_metrics)
        app.router.add_get("/v1/openapi.json", self.show_api)

    def _admit(self, request: web.Request) -> None:
        if self._password is None:
            return
        place, now = request.remote or "", self._clock.monotonic()
        wait = self._attempts.wait_seconds(place, now)
        if wait:
            raise http.refusal(429, f"too many wrong passwords; try again in {wait:.0f} s", Retry_After=f"{wait + 1:.0f}")
        given = http.basic_password(request)
        if given is not None and http.same(given, self._password):
            self._attempts.succeeded(place)
            return
        if given is not None:
            self._attempts.failed(place, now)
        raise http.refusal(401, "this needs the password", WWW_Authenticate='Basic realm="pimains", charset="UTF-8"')

    async def _admit_program(self, request: web.Request) -> None:
        """Nothing it is told is more than a minute behind, on an SD card's account."""
        self._admit(request)
        await self._batching.let_go(self._clock.real_seconds(_PROGRAM_SECONDS))

    async def figures(self) -> list[Figures]:
        """All the sources' numbers; each by itself, because prices by the hour take a while at first, and readings want their turn."""
        now, costs = self._clock.wall(), self._prices.costs
        found = []
        for meter in (await self._store.ask(lambda series: series.meters())).values():
            found.append(await self._store.ask(partial(figures, meter=meter, now=now, costs=costs)))
        return [each for each in found if each is not None]

    async def show_page(self, request: web.Request) -> web.Response:
        """GET /."""
        self._admit(request)
        await self._batching.let_go()
        view, now = View.asked(request.query), self._clock.wall()
        shown = await self._shown(await self.figures(), view, now)
        text = energy_page.page(shown, view, now, f"{request.scheme}://{request.host}", self._store.trouble)
        return web.Response(text=text, content_type="text/html", headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-store"})

    async def _shown(self, found: list[Figures], view: View, now: float) -> list[Shown]:
        """Without what only databases know, while these are made again: that takes a while, and the page does not."""
        costs = self._prices.costs
        drawing = self._store.ask_graphs(lambda series, graphs: [_seen(series, graphs, costs, each, view, now) for each in found])
        try:
            return await asyncio.wait_for(drawing, _WAIT_SECONDS)
        except TimeoutError:
            return await self._store.ask(lambda series: [_seen(series, None, costs, each, view, now) for each in found])

    async def show_sources(self, request: web.Request) -> web.Response:
        """GET /v1/sources."""
        await self._admit_program(request)
        return web.json_response([_told(each) for each in await self.figures()])

    async def show_metrics(self, request: web.Request) -> web.Response:
        """GET /metrics."""
        await self._admit_program(request)
        text = metrics.metrics(await self.figures())
        return web.Response(body=text.encode(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    async def show_api(self, request: web.Request) -> web.Response:
        """GET /v1/openapi.json."""
        from pimains.collector.pages import openapi  # hardly ever asked for

        self._admit(request)
        return web.json_response(openapi.document())

    async def show_graph(self, request: web.Request) -> web.Response:
        """GET /graphs/..."""
        self._admit(request)
        asked = request.query
        wanted = Wanted(request.match_info["name"], asked.get("theme", "light"), asked.get("size", "wide"), request.match_info["form"])
        if not wanted.is_there():
            raise http.refusal(404, f"{_or(NAMES)}; {_or(FORMS)}; theme {_or(THEMES)}; size {_or(SIZES)}")
        name, now, costs = request.match_info["source"], self._clock.wall(), self._prices.costs

        def draw(series: Series, graphs: Graphs) -> Picture | None:
            meter = series.meters().get(name)
            if meter and wanted.name in COSTS and not costs.tariff(meter).has_price:
                raise http.refusal(404, f"{wanted.name}: nobody said what a {meter.unit} costs (PRICE, PRICE_M3, PRICES)")
            return meter and graphs.draw(series, meter, wanted, now)

        picture = self._store.recent.get((name, wanted, costs), now)
        if picture is None:
            state = self._store.recent.state()
            try:
                picture = await self._store.ask_graphs(draw)
            except (CannotDraw, sqlite3.Error) as why:
                raise http.refusal(503, str(why)) from None
            if picture is None:
                raise http.refusal(404, "source: not one of those in /v1/sources")
            self._store.recent.put((name, wanted, costs), state, now, picture)
        headers = {"ETag": f'"{picture.tag}"', "Cache-Control": "private, no-cache"}
        if any(tag.value in (picture.tag, "*") for tag in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        kind = "image/svg+xml" if wanted.form == "svg" else "image/png"
        return web.Response(body=picture.body, headers={"Content-Type": kind, **headers})

    async def show_readings(self, request: web.Request) -> web.StreamResponse:
        """GET /v1/export."""
        await self._admit_program(request)
        asked = request.query
        meter = (await self._store.ask(lambda series: series.meters())).get(asked.get("source", ""))
        if meter is None:
            raise http.refusal(404, "source: not one of those in /v1/sources")
        try:
            wanted = exported.asked(asked, meter, self._clock.wall())
        except ValueError as wrong:
            raise http.refusal(400, str(wrong)) from None
        return await self._stream(request, meter, wanted)

    async def _stream(self, request: web.Request, meter: Meter, wanted: exported.Wanted) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": wanted.content_type, "X-Content-Type-Options": "nosniff"})
        costs, now = self._prices.costs, self._clock.wall()
        chunks = await self._store.ask(lambda series: exported.chunks(series, meter, wanted, costs, now))
        await answer.prepare(request)
        while (chunk := await self._store.ask(lambda _: next(chunks, None))) is not None:
            await answer.write(chunk.encode())
        await answer.write_eof()
        return answer


def _told(each: Figures) -> dict[str, object]:
    """A source for programs."""
    amounts = {amount.name.replace(" ", "_"): amount for amount in each.amounts}
    return {
        "source": each.meter.source,
        "unit": each.meter.unit,
        "impulses_per_unit": each.meter.impulses_per_unit,
        "last_reading": each.last.time,
        "total": None if each.meter.is_gauge or each.meter.parts else each.total,
        "parts": [{"source": part.source, "sign": sign} for sign, part in each.meter.parts],
        "counted": None if each.meter.is_gauge else each.counted,
        "counts_anew_since": each.counts_anew_since,
        "flow": each.flow and {"value": each.flow.value, "unit": each.meter.flow_unit, "is_upper_bound": each.flow.is_bound},
        "amounts": {name: amount.amount for name, amount in amounts.items()},
        "currency": each.currency,
        "price": each.price,
        "costs": {name: _cost(amount) for name, amount in amounts.items() if amount.cost},
        "amounts_kWh": {name: amount.kwh for name, amount in amounts.items() if amount.kwh is not None},
    }


def _cost(amount: Amount) -> dict[str, float] | None:
    return amount.cost and {"total": amount.cost.total, "standing_charge": amount.cost.standing_charge}


def _seen(series: Series, graphs: Graphs | None, costs: Costs, figures: Figures, view: View, now: float) -> Shown:
    """One source with the numbers of the pictures that are shown; they are there without rrdtool, too."""
    meter, extremes, trouble = figures.meter, Extremes(None, None, None), ""
    adds_up, range_ = not meter.is_gauge, Period(view.range, now - RANGES[view.range], now)
    together = together_in(series, meter, range_, now, costs) if adds_up else Amount(view.range, 0.0)
    name = BARS_OF[view.range]
    if graphs is None:
        return Shown(figures, extremes, together, bars(series, meter, name, now, BARS[name][1], costs) if adds_up else [])
    try:
        extremes = graphs.extremes(series, meter, view.range, now)
    except CannotDraw as why:
        trouble = str(why)
    first = series.first(meter.source)
    begun = first.time if first and now - first.time < _BEGUN_SECONDS else None
    return Shown(figures, extremes, together, graphs.bars(series, meter, name, now) if adds_up else [], trouble, begun)


def _or(names: Iterable[str]) -> str:
    return " or ".join(names)
