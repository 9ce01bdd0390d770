"""What was: curves, bars and bands of a collector's sources, and its readings as a table for spreadsheets."""

import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

from aiohttp import web

from pimains.core import state
from pimains.core.errors import PimainsError
from pimains.core.scan_directory import ServiceDirectory
from pimains.shared import http_server as http
from pimains.shared.readings import export, exported
from pimains.shared.readings.export import Range
from pimains.shared.readings.exported import Wanted
from pimains.shared.readings.plan.energy import Meter, Period, period_of
from pimains.shared.readings.series.costs import Account
from pimains.web.history.journals import MAKE, Journals, LookBack
from pimains.web.plan import curves
from pimains.web.plan.curves import POINTS_MAX, Grid
from pimains.web.routes import Answer, Operation, Routes
from pimains.web.seen import Seen

_POINTS = 600
_PERIODS_MAX = {"day": 800, "month": 150, "year": 30}
_SECONDS_MAX = 11 * 366 * 86_400.0
_RELAY = re.compile(r".+/[1-9][0-9]{0,2}\.state")
_CHUNKS_AT_ONCE = 8
_COLLECTOR = {"collector": "its name, where there are several"}
_SPAN = {"from": "a time (ISO 8601, or seconds since 1970); a day before `to` if it is left out", "to": "the same; now if it is left out"}


class History:
    """A collector's journal, read only."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._journals = Journals(seen)

    def add_to(self, routes: Routes) -> None:
        """Its page and paths."""
        source = {"source": "its name, as /v1/history/sources has it", **_SPAN, **_COLLECTOR}
        routes.page("history")
        routes.shows("/v1/history/sources", self.show_sources, Operation("What is recorded: all sources of a collector", query=_COLLECTOR))
        routes.shows(
            "/v1/history",
            self.show_curve,
            Operation(
                "How a source went: averages of as many pieces of the same length as wanted, null where nothing is known",
                query={**source, "points": f"1 to {POINTS_MAX}; {_POINTS} if it is left out"},
            ),
        )
        routes.shows(
            "/v1/history/energy",
            self.show_energy,
            Operation("How much it was, and what it cost, in each day, month or year", query={**source, "by": "day, month or year"}),
        )
        routes.shows(
            "/v1/history/relays",
            self.show_relays,
            Operation(
                "From when until when each relay that is recorded was on: [from, to, share of that time]", query={**_SPAN, **_COLLECTOR}
            ),
        )
        routes.shows(
            "/v1/export",
            self.show_readings,
            Operation(
                "Readings of a source as a table",
                query={**source, "every": "seconds, day, month or year; each reading if it is left out", "format": "csv or json"},
                kind="text/csv",
            ),
        )

    async def show_sources(self, request: web.Request) -> Answer:
        """GET /v1/history/sources."""
        there = [each.name for each in self._seen.of("collector")]
        if not there:
            return {"collectors": [], "make": MAKE, "trouble": "", "sources": []}
        collector = self._journals.collector(request.query.get("collector"))
        answer = {"collectors": there, "collector": collector.name, "page": _page_of(collector), "now": self._seen.clock.wall()}
        try:
            found = await self._journals.ask(collector.name, _sources)
        except PimainsError as error:
            return {**answer, "trouble": str(error), "sources": []}
        return {**answer, "trouble": "", "sources": found}

    async def show_curve(self, request: web.Request) -> Answer:
        """GET /v1/history."""
        grid = self._grid(request, _points(request.query.get("points")))

        def look(back: LookBack) -> Answer:
            meter = _meter(back, request)
            values, is_sampled = back.series.curve(meter, grid)
            return {
                "source": meter.source,
                "unit": meter.flow_unit,
                "from": grid.start,
                "to": grid.end,
                "every": grid.every,
                "is_sampled": is_sampled,
                "values": values,
            }

        return await self._journals.ask(request.query.get("collector"), look)

    async def show_energy(self, request: web.Request) -> Answer:
        """GET /v1/history/energy."""
        wanted, now = self._range(request), self._seen.clock.wall()
        kind = request.query.get("by", "day")
        if kind not in _PERIODS_MAX:
            raise http.refusal(400, "by: not day, month or year")

        def look(back: LookBack) -> Answer:
            meter = _meter(back, request)
            if meter.is_gauge:
                raise http.refusal(400, f"source: {meter.source} is a value, and adds up to nothing")
            account = Account(back.series, meter, now, back.costs)
            periods = list(islice(_periods(back, meter, kind, wanted), _PERIODS_MAX[kind] + 1))
            if len(periods) > _PERIODS_MAX[kind]:
                raise http.refusal(400, f"by: that would be more than {_PERIODS_MAX[kind]} rows")
            has_price = back.costs.tariff(meter).has_price
            rows = [_row(account, period, now) for period in periods]
            return {
                "source": meter.source,
                "unit": meter.unit,
                "by": kind,
                "currency": back.costs.tariffs.currency if has_price else None,
                "rows": rows,
            }

        return await self._journals.ask(request.query.get("collector"), look)

    async def show_relays(self, request: web.Request) -> Answer:
        """GET /v1/history/relays."""
        grid = self._grid(request, _POINTS)

        def look(back: LookBack) -> Answer:
            relays = []
            for meter in back.series.meters().values():
                if meter.is_gauge and _RELAY.fullmatch(meter.source):
                    bands, is_sampled = back.series.bands(meter, grid)
                    on, known = curves.on_and_known_seconds(bands)
                    relays.append(
                        {
                            "source": meter.source,
                            "bands": [[round(band.start, 1), round(band.end, 1), band.share] for band in bands],
                            "on_seconds": on,
                            "known_seconds": known,
                            "is_sampled": is_sampled,
                        }
                    )
            return {"from": grid.start, "to": grid.end, "relays": relays}

        return await self._journals.ask(request.query.get("collector"), look)

    async def show_readings(self, request: web.Request) -> web.StreamResponse:
        """GET /v1/export, as the collector itself has it."""
        asked, collector = request.query, self._journals.collector(request.query.get("collector")).name
        meter = await self._journals.ask(collector, lambda back: _meter(back, request))
        try:
            wanted = exported.asked(asked, meter, self._seen.clock.wall())
        except ValueError as wrong:
            raise http.refusal(400, str(wrong)) from None
        with self._journals.kept_open():
            return await self._stream(request, collector, meter, wanted)

    async def _stream(self, request: web.Request, collector: str, meter: Meter, wanted: Wanted) -> web.StreamResponse:
        now = self._seen.clock.wall()
        begun: list[tuple[object, Iterator[str]]] = []

        def some(back: LookBack) -> str:
            if not begun:
                begun.append((back.series, exported.chunks(back.series, meter, wanted, back.costs, now)))
            if begun[0][0] is not back.series:
                raise PimainsError("the journal was replaced meanwhile")
            return "".join(islice(begun[0][1], _CHUNKS_AT_ONCE))

        text = await self._journals.ask(collector, some)
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", meter.source)
        headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Cross-Origin-Resource-Policy": "same-origin"}
        headers |= {"Content-Type": wanted.content_type, "Content-Disposition": f'attachment; filename="{name}.{wanted.form}"'}
        answer = web.StreamResponse(headers=headers)
        await answer.prepare(request)
        while text:
            await answer.write(text.encode())
            text = await self._journals.ask(collector, some)
        await answer.write_eof()
        return answer

    def _range(self, request: web.Request) -> Range:
        try:
            found = export.asked(request.query.get("from"), request.query.get("to"), None, self._seen.clock.wall())
        except ValueError as wrong:
            raise http.refusal(400, str(wrong)) from None
        if found.end - found.start > _SECONDS_MAX:
            raise http.refusal(400, "from: more than eleven years before to")
        return found

    def _grid(self, request: web.Request, points: int) -> Grid:
        wanted = self._range(request)
        return Grid(wanted.start, wanted.end, points)


def _points(text: str | None) -> int:
    if text is None:
        return _POINTS
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= POINTS_MAX:
        raise http.refusal(400, f"points: not a number from 1 to {POINTS_MAX}")
    return int(text)


def _meter(back: LookBack, request: web.Request) -> Meter:
    found = back.series.meters().get(request.query.get("source", ""))
    if found is None:
        raise http.refusal(404, "source: not one of those in /v1/history/sources")
    return found


def _sources(back: LookBack) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for meter in back.series.meters().values():
        first, last = back.series.first(meter.source), back.series.last(meter.source)
        if first is None or last is None:
            continue
        is_relay = meter.is_gauge and _RELAY.fullmatch(meter.source)
        found.append(
            {
                "source": meter.source,
                "kind": "relay" if is_relay else "value" if meter.is_gauge else "count",
                "unit": meter.unit,
                "flow_unit": meter.flow_unit,
                "first": first.time,
                "last": last.time,
                "has_price": not meter.is_gauge and back.costs.tariff(meter).has_price,
            }
        )
    return found


def _periods(back: LookBack, meter: Meter, kind: str, wanted: Range) -> Iterator[Period]:
    """Those that have something of what is wanted, from the first reading to the last."""
    first, last = back.series.first(meter.source), back.series.last(meter.source)
    if first is None or last is None:
        return
    period = period_of(kind, max(wanted.start, first.time))
    while period.start < wanted.end and period.start <= last.time:
        yield period
        period = period_of(kind, period.end)


def _row(account: Account, period: Period, now: float) -> dict[str, object]:
    amount = account.known(period)
    cost = None if amount is None else account.cost(period)
    return {
        "label": period.label,
        "from": period.start,
        "to": period.end,
        "amount": amount,
        "cost": cost and cost.total,
        "kWh": None if amount is None else account.kwh(period),
        "is_whole": period.end <= now,
    }


def _page_of(collector: ServiceDirectory) -> str | None:
    """Where its own page is, as it says itself."""
    with suppress(OSError):
        return state.read(collector.run / "url")
    return None
