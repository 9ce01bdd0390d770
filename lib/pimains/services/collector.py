"""collector: receives the readings of meters, keeps them for good, and shows what they add up to.

    POST /v1/readings     readings of one source, with its token (plan/delivery.py)
    GET  /                the page
    GET  /v1/sources      the same numbers as JSON
    GET  /v1/export       readings of one source: source, from, to, every, format=csv or json
    GET  /graphs/SOURCE/day.svg   or week, month, year, decade; or .png; ?theme=dark
    GET  /metrics         for Prometheus

All but the first are shown to everybody who can reach them, or behind PASSWORD.

    /var/lib/pimains/<instance>/journal.sqlite   the readings
    /var/lib/pimains/<instance>/rrd              what graphs are drawn of, made from the journal
    /run/pimains/<instance>/graphs               pictures that were drawn
    /run/pimains/<instance>/url                  where it listens
"""

from __future__ import annotations  # the names of a module that is missing

import asyncio
import errno
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pimains.core import journal
from pimains.core.figures import Figures, figures
from pimains.core.journal import Journal
from pimains.core.series import Series
from pimains.core.service import Instance, run
from pimains.devices import energy_page, export
from pimains.devices.rrd import FORMS, RANGES, THEMES, CannotDraw, Graphs
from pimains.devices.tokens import Tokens
from pimains.plan import delivery
from pimains.plan.energy import Meter
from pimains.plan.sentences import duration
from pimains.settings.collector import CollectorSettings

if TYPE_CHECKING:
    import ssl

try:
    from aiohttp import web

    from pimains.devices import web as http
except ModuleNotFoundError as missing:
    MISSING: str | None = missing.name
else:
    MISSING = None

BODY_SECONDS = 20.0
LOOK_SECONDS = 10.0
LISTEN_AGAIN_SECONDS = 5.0
FEW_BYTES = 8192  # a minute's readings, one each second
CATCH_UP_SECONDS = 0.3  # a meter that is answered sends at once what it has measured meanwhile
UPKEEP_SECONDS = 3600.0
MOVED_SECONDS = 2.0  # a clock that is put right by less moves nothing that can be seen
T = TypeVar("T")


async def collector(me: Instance, settings: CollectorSettings) -> None:
    """Open the journal, listen, and look after both."""
    if MISSING:
        raise settings.wrong("LISTEN", f"the Python module {MISSING} is missing: apt install python3-aiohttp, then svc -t {me.directory}")
    tls = _tls(settings)
    books = _open_books(me, settings)
    try:
        desk = Desk(me, settings, books)
        while True:
            try:
                async with http.listening(desk.app(), settings.LISTEN.address, settings.LISTEN.port, tls) as port:
                    where = settings.LISTEN._replace(port=port)
                    await desk.look_after(f"{'https' if tls else 'http'}://{where}")
            except OSError as error:
                if error.errno == errno.EADDRNOTAVAIL:
                    raise settings.wrong("LISTEN", f"{settings.LISTEN.address} is no address of this machine") from None
                if error.errno != errno.EADDRINUSE:
                    raise
                desk.complain_once(f"{settings.LISTEN} is taken by another program; trying again")
                await asyncio.sleep(LISTEN_AGAIN_SECONDS)
    finally:
        books.close()


def _tls(settings: CollectorSettings) -> ssl.SSLContext | None:
    if settings.TLS_CERTIFICATE is None:
        return None
    try:
        return http.tls_context(settings.TLS_CERTIFICATE, settings.TLS_KEY)
    except OSError as error:
        name = "TLS_KEY" if settings.TLS_KEY and "key" in str(error).lower() else "TLS_CERTIFICATE"
        raise settings.wrong(
            name, f"cannot be used: {error.strerror or error} (user pimains must be able to read certificate and key)"
        ) from None


def _open_books(me: Instance, settings: CollectorSettings) -> Books:
    directory = settings.DATA_DIR or me.lib
    try:
        directory.mkdir(parents=True, exist_ok=True)
        return Books(directory / "journal.sqlite", Graphs(directory / "rrd", me.run / "graphs", settings.RETENTION_DAYS))
    except (OSError, sqlite3.OperationalError) as error:
        raise settings.wrong("DATA_DIR", f"{directory}: {error} (user pimains must be able to write there)") from None
    except journal.Broken as broken:
        raise settings.wrong("DATA_DIR", f"{broken}; move that file away, then svc -t {me.directory}") from None


class Books:
    """The journal, in a thread of its own: SQLite waits for the disk, and nobody else should. Graphs are drawn in another."""

    def __init__(self, path: Path, graphs: Graphs) -> None:
        self._journal = Journal(path)
        self._series = Series(path)
        self._thread = ThreadPoolExecutor(1, "books")
        self._graphs = graphs
        self._series_to_draw = Series(path)
        self._drawing = ThreadPoolExecutor(1, "drawing")

    async def ask(self, question: Callable[[Series], T]) -> T:
        """Carry out `question` there."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, question, self._series)

    async def keep(self, body: bytes, sources: set[str]) -> tuple[bytes, str, int]:
        """Store what was sent, if it is of one of `sources`: the answer, the source and how many readings were new.

        Raises ValueError, PermissionError and sqlite3.Error.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._keep, body, sources)

    def _keep(self, body: bytes, sources: set[str]) -> tuple[bytes, str, int]:
        batch = delivery.read(body)
        if batch.source not in sources:
            raise PermissionError("this token is another source's")
        self._series.describe(batch)
        before = self._series.newest(batch.source)
        new = self._journal.store(batch.source, batch.boots, batch.readings)
        if self._changes_the_past(batch, before, new):
            self._graphs.forget(batch.source)
        return delivery.acknowledged(batch), batch.source, new

    def _changes_the_past(self, batch: delivery.Batch, before: dict[str, tuple[float | None, int]], new: int) -> bool:
        """Whether readings came in between those that are drawn already, or a clock was put right that they were drawn by."""
        decided = self._graphs.decided(batch.source)
        if decided is None:
            return False
        after = self._series.newest(batch.source)
        for boot, (offset, _) in before.items():
            now = after[boot][0]
            if now is not None and (offset is None or abs(now - offset) > MOVED_SECONDS):
                return True
        in_order = [each for each in batch.readings if each.sequence > before.get(each.boot, (None, 0))[1]]
        times = [(after[each.boot][0] or 0.0) + each.uptime for each in in_order if after[each.boot][0] is not None]
        return new > len(in_order) or min(times, default=decided + 1) <= decided

    async def draw(self, name: str, wanted: tuple[str, str, str], now: float) -> bytes | None:
        """A picture (range, theme, form) of the source `name`; None when there is no such source. Raises CannotDraw, sqlite3.Error."""

        def draw() -> bytes | None:
            meter = self._series_to_draw.meters().get(name)
            return None if meter is None else self._graphs.draw(self._series_to_draw, meter, *wanted, now)

        return await asyncio.get_running_loop().run_in_executor(self._drawing, draw)

    async def refresh_graphs(self, now: float) -> None:
        """Bring what graphs are drawn of up to date, so that whoever looks next need not wait for it."""

        def refresh() -> None:
            for meter in self._series_to_draw.meters().values():
                self._graphs.refresh(self._series_to_draw, meter, now)

        await asyncio.get_running_loop().run_in_executor(self._drawing, refresh)

    async def thin(self, megabytes: int) -> int:
        """Make room: how many readings went."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._journal.thin, megabytes * 1_000_000)

    def close(self) -> None:
        """Finish what is under way and put the journal away."""
        self._drawing.shutdown(cancel_futures=True)
        self._thread.shutdown()
        self._series_to_draw.close()
        self._series.close()
        self._journal.close()


class Hold:
    """Requests that wait to be stored, until somebody looks."""

    def __init__(self) -> None:
        self._somebody_looks = asyncio.Event()
        self._held = 0
        self._hurry_until = 0.0

    async def wait(self, seconds: float) -> None:
        """For so many seconds at most."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._hurry_until:
            return
        self._held += 1
        try:
            await asyncio.wait_for(self._somebody_looks.wait(), seconds)
        except TimeoutError:
            return
        finally:
            self._held -= 1

    async def let_go(self) -> None:
        """Store what waits, and what its meters send when they hear of that."""
        if self._held:
            self._hurry_until = asyncio.get_running_loop().time() + CATCH_UP_SECONDS
            self._somebody_looks.set()
            self._somebody_looks = asyncio.Event()
            await asyncio.sleep(CATCH_UP_SECONDS)


class Desk:
    """What it answers, and what it says about itself."""

    def __init__(self, me: Instance, settings: CollectorSettings, books: Books) -> None:
        self.me = me
        self._settings = settings
        self._books = books
        self._tokens = Tokens(settings.TOKENS)
        self._password = http.digest_of(settings.PASSWORD) if settings.PASSWORD else None
        self._trouble = ""
        self._disk_trouble = ""
        self._graph_trouble = ""
        self._heard: set[str] = set()
        self._hold = Hold()

    def app(self) -> web.Application:
        """Its paths."""
        app = web.Application()
        app.router.add_post(delivery.PATH, self.take)
        app.router.add_get("/", self.show_page)
        app.router.add_get("/v1/sources", self.show_sources)
        app.router.add_get("/v1/export", self.show_readings)
        app.router.add_get("/graphs/{source}/{name}.{form}", self.show_graph)
        app.router.add_get("/metrics", self.show_metrics)
        return app

    # readings come in

    async def take(self, request: web.Request) -> web.Response:
        """POST /v1/readings."""
        sources = self._tokens.sources_of(http.bearer(request))
        if not sources:
            raise http.refusal(401, "this is no token of a source", WWW_Authenticate="Bearer")
        body = await http.body(request, delivery.BODY_BYTES_MAX, BODY_SECONDS)
        if len(body) < FEW_BYTES:  # each commit wears the SD card: its meter sends all that comes meanwhile together, next time
            await self._hold.wait(self.me.clock.real_seconds(self._settings.COMMIT_SECONDS))
        try:
            answer, source, new = await self._books.keep(body, sources)
        except PermissionError as no:
            raise http.refusal(403, str(no)) from None
        except ValueError as no:
            raise http.refusal(413 if str(no).startswith("rows: not a list") else 400, str(no)) from None
        except sqlite3.Error as error:
            self._disk_trouble = f"readings cannot be stored: {error}; their meters keep them"
            self.complain_once(self._disk_trouble)
            raise http.refusal(503, f"cannot be stored now: {error}") from None
        self._disk_trouble = ""
        if source not in self._heard:
            self._heard.add(source)
            print(f"{source}: first readings since the start ({new} new)")
        return web.Response(body=answer, content_type="application/json")

    # numbers go out

    def _admit(self, request: web.Request) -> None:
        if self._password is None:
            return
        given = http.basic_password(request)
        if given is None or not http.same(given, self._password):
            raise http.refusal(401, "this needs the password", WWW_Authenticate='Basic realm="pimains", charset="UTF-8"')

    async def _figures(self) -> list[Figures]:
        now = self.me.clock.wall()

        def look(series: Series) -> list[Figures]:
            return [found for meter in series.meters().values() if (found := figures(series, meter, now)) is not None]

        return await self._books.ask(look)

    async def show_page(self, request: web.Request) -> web.Response:
        """GET /."""
        self._admit(request)
        await self._hold.let_go()
        text = energy_page.page(await self._figures(), self.me.clock.wall(), self._settings.PRICE, self._settings.CURRENCY or "")
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
                for each in await self._figures()
            ]
        )

    async def show_metrics(self, request: web.Request) -> web.Response:
        """GET /metrics."""
        self._admit(request)
        text = energy_page.metrics(await self._figures())
        return web.Response(body=text.encode(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    async def show_graph(self, request: web.Request) -> web.Response:
        """GET /graphs/..."""
        self._admit(request)
        name, form, theme = request.match_info["name"], request.match_info["form"], request.query.get("theme", "light")
        if name not in RANGES or form not in FORMS or theme not in THEMES:
            raise http.refusal(404, f"{' or '.join(RANGES)}; {' or '.join(FORMS)}; theme {' or '.join(THEMES)}")
        try:
            picture = await self._books.draw(request.match_info["source"], (name, theme, form), self.me.clock.wall())
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
            wanted = export.asked(asked.get("from"), asked.get("to"), asked.get("every"), self.me.clock.wall())
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

    # how it is

    async def look_after(self, url: str) -> None:
        """Say how it is, and keep the journal within its size; never returns."""
        self.me.leave("url", url)
        print(f"listening at {url}")
        kept_at = self.me.clock.monotonic()
        while True:
            await self._say_how_it_is(url)
            if self.me.clock.monotonic() - kept_at > UPKEEP_SECONDS:
                kept_at = self.me.clock.monotonic()
                await self._thin()
                await self._refresh_graphs()
            await asyncio.sleep(self.me.clock.real_seconds(LOOK_SECONDS))

    async def _say_how_it_is(self, url: str) -> None:
        len(self._tokens)  # looks at the files
        shown = await self._figures()
        trouble = self._disk_trouble or self._tokens.trouble
        if trouble:
            self.complain_once(trouble)
            return
        self._trouble = ""
        if not shown:
            self.me.status(f"{url}, no readings yet")
            return
        age = min(max(0.0, self.me.clock.wall() - each.last.time) for each in shown)
        self.me.status(f"{url}, {len(shown)} source{'s' if len(shown) > 1 else ''}, last reading {duration(age)} ago")

    async def _thin(self) -> None:
        try:
            gone = await self._books.thin(self._settings.MAX_JOURNAL_MB)
        except sqlite3.Error as error:
            self.complain_once(f"the journal cannot be made smaller: {error}")
            return
        if gone:
            print(f"the journal was above {self._settings.MAX_JOURNAL_MB} MB: {gone} of its oldest readings left out, every total stays")

    async def _refresh_graphs(self) -> None:
        try:
            await self._books.refresh_graphs(self.me.clock.wall())
        except (CannotDraw, sqlite3.Error) as why:
            if str(why) != self._graph_trouble:
                print(f"graphs: {why}")
            self._graph_trouble = str(why)

    def complain_once(self, line: str) -> None:
        """Until it is another line, or well again."""
        self.me.status(line, well=False)
        if line != self._trouble:
            self.me.complain(line)
            self._trouble = line


if __name__ == "__main__":
    run(collector, CollectorSettings)
