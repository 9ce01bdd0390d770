"""collector: receives the readings of meters, keeps them for good, and shows what they add up to.

    POST /v1/readings     readings of one source, with its token (plan/delivery.py)
    GET  /get.php         watts of an old Pi, with COMPAT=powerpi (devices/powerpi.py)
    GET  /                the page
    GET  /v1/sources      the same numbers as JSON
    GET  /v1/export       readings of one source: source, from, to, every, format=csv or json
    GET  /graphs/SOURCE/day.svg   or week, month, year, decade, days, months, years, cost-days, ...; or .png; ?theme=dark&size=narrow
    GET  /metrics         for Prometheus
    GET  /v1/openapi.json this, for programs

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
import time
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from pimains.core import journal, memory
from pimains.core.service import Instance, run
from pimains.devices.books import Books
from pimains.devices.graphs import Graphs
from pimains.devices.hold import Hold
from pimains.devices.logins import Logins
from pimains.devices.own_readings import OwnReadings
from pimains.devices.recorder import Recorder
from pimains.devices.rrd import CannotDraw
from pimains.devices.tokens import Tokens
from pimains.plan import delivery
from pimains.plan.energy import Prices
from pimains.plan.sentences import duration
from pimains.settings.collector import CollectorSettings

if TYPE_CHECKING:
    import ssl

try:
    from aiohttp import web

    from pimains.devices import web as http
    from pimains.devices.powerpi import OldPis
    from pimains.devices.showing import Showing
except ModuleNotFoundError as missing:
    MISSING: str | None = missing.name
else:
    MISSING = None

BODY_SECONDS = 20.0
LOOK_SECONDS = 10.0
LISTEN_AGAIN_SECONDS = 5.0
FEW_BYTES = 16384  # what a meter measures in 200 s, a reading each second
UPKEEP_SECONDS = 3600.0


async def collector(me: Instance, settings: CollectorSettings) -> None:
    """Open the journal, listen, and look after both."""
    if MISSING:
        raise settings.wrong("LISTEN", f"the Python module {MISSING} is missing: apt install python3-aiohttp, then svc -t {me.directory}")
    memory.share_one_heap()
    tls = _tls(settings)
    books = _open_books(me, settings)
    desk = Desk(me, settings, books)
    try:
        while True:
            try:
                async with http.listening(desk.app(), settings.LISTEN.address, settings.LISTEN.port, tls) as port:
                    where = settings.LISTEN._replace(port=port)
                    try:
                        await desk.look_after(f"{'https' if tls else 'http'}://{where}")
                    finally:
                        desk.hold.end()
            except OSError as error:
                if error.errno == errno.EADDRNOTAVAIL:
                    raise settings.wrong("LISTEN", f"{settings.LISTEN.address} is no address of this machine") from None
                if error.errno != errno.EADDRINUSE:
                    raise
                desk.complain_once(f"{settings.LISTEN} is taken by another program; trying again")
                await asyncio.sleep(LISTEN_AGAIN_SECONDS)
    finally:
        await desk.say_goodbye()
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
        graphs = Graphs(directory / "rrd", _pictures(me, settings, directory), settings.RETENTION_DAYS, _prices(settings))
        return Books(directory / "journal.sqlite", graphs)
    except (OSError, sqlite3.OperationalError) as error:
        raise settings.wrong("DATA_DIR", f"{directory}: {error} (user pimains must be able to write there)") from None
    except journal.Broken as broken:
        raise settings.wrong("DATA_DIR", f"{broken}; move that file away, then svc -t {me.directory}") from None


def _pictures(me: Instance, settings: CollectorSettings, data: Path) -> Path:
    """Where pictures are kept; what another web server shows of it must not hold what only this service may know."""
    www = settings.WWW_DIR
    if www is None:
        return me.run / "graphs"
    for kept in (data, settings.TOKENS, settings.TLS_KEY, settings.POWERPI_LOGINS):
        if kept and kept.resolve().is_relative_to(www.resolve()):
            raise settings.wrong("WWW_DIR", f"{kept} would lie in it, where another web server might show it")
    try:
        www.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=www):
            return www
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise settings.wrong("WWW_DIR", f"{www}: {why} (user pimains must be able to write there)") from None


def _prices(settings: CollectorSettings) -> Prices:
    return Prices(settings.PRICE, settings.PRICE_M3, settings.CURRENCY or "")


class Desk:
    """What comes in, and what it says about itself."""

    def __init__(self, me: Instance, settings: CollectorSettings, books: Books) -> None:
        self.me = me
        self._settings = settings
        self._books = books
        self._tokens = Tokens(settings.TOKENS)
        self.hold = Hold()
        self._showing = Showing(books, self.hold, me.clock, settings.PASSWORD, _prices(settings))
        self._trouble = ""
        self._disk_trouble = ""
        self._graph_trouble = ""
        self._heard: set[str] = set()
        self._own = OwnReadings(books, me.clock, self.hold, settings.COMMIT_SECONDS, self._own_trouble)
        self._tasks = [asyncio.create_task(self._own.look_after())]
        if settings.RECORD:
            recorder = Recorder(settings.RECORD, self._own, me.clock, settings.RECORD_SECONDS, settings.RECORD_AGE_SECONDS, print)
            self._tasks.append(asyncio.create_task(recorder.look_after()))
        self._logins = Logins(settings.POWERPI_LOGINS) if settings.COMPAT == "powerpi" else None

    def app(self) -> web.Application:
        """Its paths."""
        app = web.Application()
        app.router.add_post(delivery.PATH, self.take)
        self._showing.add_to(app)
        if self._logins:
            OldPis(self._logins, self._own, self.me.clock, print).add_to(app)
        return app

    async def take(self, request: web.Request) -> web.Response:
        """POST /v1/readings."""
        sources = self._tokens.sources_of(http.bearer(request))
        if not sources:
            raise http.refusal(401, "this is no token of a source", WWW_Authenticate="Bearer")
        body = await http.body(request, delivery.BODY_BYTES_MAX, BODY_SECONDS)
        # each commit wears the SD card: its meter sends all that comes meanwhile together, next time. The first are shown at once
        if len(body) < FEW_BYTES and sources & self._heard:
            await self.hold.wait(self.me.clock.real_seconds(self._settings.COMMIT_SECONDS))
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
        if len(body) >= FEW_BYTES:
            self.hold.hurry()
        if source not in self._heard:
            self._heard.add(source)
            print(f"{source}: first readings since the start ({new} new)")
        return web.Response(body=answer, content_type="application/json")

    async def look_after(self, url: str) -> None:
        """Say how it is, and keep the journal within its size; never returns."""
        self.me.leave("url", url)
        print(f"listening at {url}")
        if self._logins:
            print(f"COMPAT: old Pis send their watts to {url}/get.php, their password in each request; empty it when none does any more")
        kept_at = self.me.clock.monotonic()
        while True:
            await self._say_how_it_is(url)
            if self.me.clock.monotonic() - kept_at > UPKEEP_SECONDS:
                kept_at = self.me.clock.monotonic()
                await self._thin()
                await self._refresh_graphs()
            await asyncio.sleep(self.me.clock.real_seconds(LOOK_SECONDS))

    async def _say_how_it_is(self, url: str) -> None:
        for task in self._tasks:
            if task.done():
                task.result()
        time.tzset()  # days are those of /etc/localtime as it is now
        len(self._tokens)  # looks at the files
        shown = await self._showing.figures()
        trouble = self._disk_trouble or self._tokens_trouble()
        if trouble:
            self.complain_once(trouble)
            return
        self._trouble = ""
        if not shown:
            self.me.status(f"{url}, no readings yet")
            return
        age = min(max(0.0, self.me.clock.wall() - each.last.time) for each in shown)
        self.me.status(f"{url}, {len(shown)} source{'s' if len(shown) > 1 else ''}, last reading {duration(age)} ago")

    def _tokens_trouble(self) -> str:
        if self._logins:
            self._logins.look()
        others = bool(self._logins or self._settings.RECORD)
        return (self._logins.trouble if self._logins else "") or ("" if others and self._tokens.is_empty else self._tokens.trouble)

    def _own_trouble(self, line: str) -> None:
        if line:
            self.complain_once(line)
        self._disk_trouble = line

    async def say_goodbye(self) -> None:
        """Store what waits."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._own.store()

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
