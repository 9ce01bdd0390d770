"""The service collector: services/collector/README.md says what it is for, this how it goes about it.

    POST /v1/readings     readings of one source, with its token (shared/plan/delivery.py)
    GET  /get.php         watts of an old Pi, with COMPAT=powerpi (collector/intake/powerpi.py)
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
    /run/pimains/<instance>/orders/              where orders are given: store, save (shared/orders)
"""

from __future__ import annotations  # the names of a module that is missing

import asyncio
import sqlite3
import time
from typing import TYPE_CHECKING

from pimains.collector.batching import Batching
from pimains.collector.graphs.databases import CannotDraw
from pimains.collector.intake.local_readings import OwnReadings
from pimains.collector.intake.logins import Logins
from pimains.collector.intake.recorder import Recorder
from pimains.collector.intake.tokens import Tokens
from pimains.collector.settings import CollectorSettings
from pimains.collector.store import Store
from pimains.core import service
from pimains.core.failure import in_words
from pimains.core.library import Needed
from pimains.core.plan.sentences import clock_was_set, duration
from pimains.core.service import Instance, run
from pimains.core.troubles import Troubles
from pimains.shared.orders.service_end import Order, Orders
from pimains.shared.readings.journal import Broken
from pimains.shared.readings.plan.derived import meters_of
from pimains.shared.readings.series.figures import Figures, still_to_come

if TYPE_CHECKING:
    import ssl

with Needed("python3-aiohttp") as library:
    from aiohttp import web

    from pimains.collector.intake.powerpi import OldPis
    from pimains.collector.intake.readings import Reception
    from pimains.collector.pages.routes import Showing
    from pimains.collector.prices import Prices
    from pimains.collector.resources import mend, open_store, prices_of
    from pimains.shared import http_server as http

LOOK_SECONDS = 10.0
STATUS_SECONDS = 1.5  # what it says is hardly older: a person looks at it, and at a meter's beside it
LISTEN_AGAIN_SECONDS = 5.0
UPKEEP_SECONDS = 3600.0


async def collector(me: Instance, settings: CollectorSettings) -> None:
    """Open the journal, listen, and look after both."""
    library.must_be_there(me.directory)
    service.share_one_heap()
    tls = http.tls_of(settings, settings.TLS_CERTIFICATE, settings.TLS_KEY, "pimains")
    prices = prices_of(me, settings)
    while True:
        try:
            await _serve(me, settings, open_store(me, settings, prices), prices, tls)
        except Broken as broken:
            await asyncio.to_thread(mend, me, settings, broken)


async def _serve(me: Instance, settings: CollectorSettings, store: Store, prices: Prices, tls: ssl.SSLContext | None) -> None:
    """Until the journal turns out to be broken, which is raised whatever else is."""
    desk = Desk(me, settings, store, prices)
    try:
        with Orders(me.run, {"store": "", "save": ""}) as orders:
            asyncio.get_running_loop().add_reader(orders.fileno(), desk.attend_to, orders)
            try:
                await _listen(settings, desk, tls)
            finally:
                asyncio.get_running_loop().remove_reader(orders.fileno())
    except Exception:
        store.must_be_whole()
        raise
    finally:
        await desk.say_goodbye()
        store.close()


async def _listen(settings: CollectorSettings, desk: Desk, tls: ssl.SSLContext | None) -> None:
    """Look after the desk wherever it can be reached; never returns."""
    while True:
        try:
            async with http.listening(desk.app(), settings.LISTEN.address, settings.LISTEN.port, tls) as port:
                where = settings.LISTEN._replace(port=port)
                try:
                    await desk.look_after(f"{'https' if tls else 'http'}://{where}")
                finally:
                    desk.batching.end()
        except OSError as error:
            desk.complain_once(http.why_not_listening(settings, settings.LISTEN, error))
            await asyncio.sleep(LISTEN_AGAIN_SECONDS)


class Desk:
    """What comes in, and what it says about itself."""

    def __init__(self, me: Instance, settings: CollectorSettings, store: Store, prices: Prices) -> None:
        self.me = me
        self._settings = settings
        self._store = store
        self._tokens = Tokens(settings.TOKENS)
        self.batching = Batching()
        self._showing = Showing(store, self.batching, me.clock, settings.PASSWORD, prices)
        self._prices = prices
        self._troubles = Troubles(me.complain)
        self._disk_trouble = ""
        self._urgent = self._trouble = ""
        self._known: dict[str, float] = {}
        self._graph_troubles = Troubles(print)
        self._reception = Reception(store, self.batching, self._tokens, me.clock, settings.COMMIT_SECONDS, self._about_disk)
        self._own = OwnReadings(store, me.clock, self.batching, settings.COMMIT_SECONDS, self._about_disk)
        self._tasks = [asyncio.create_task(self._own.look_after())]
        if settings.RECORD:
            recorder = Recorder(settings.RECORD, self._own, me.clock, settings.RECORD_SECONDS, settings.RECORD_AGE_SECONDS, print)
            self._tasks.append(asyncio.create_task(recorder.look_after()))
        self._under_way: set[asyncio.Task[None]] = set()
        self._logins = Logins(settings.POWERPI_LOGINS) if settings.COMPAT == "powerpi" else None

    def app(self) -> web.Application:
        """Its paths."""
        app = web.Application()
        self._reception.add_to(app)
        self._showing.add_to(app)
        if self._logins:
            OldPis(self._logins, self._own, self.me.clock, print).add_to(app)
        return app

    def attend_to(self, orders: Orders) -> None:
        """Do what was asked for from a command line of this machine, or by halt's step 30-meter."""
        for order in orders.take():
            task = asyncio.create_task(self._store_now(orders, order))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _store_now(self, orders: Orders, order: Order) -> None:
        await self.batching.let_go()
        orders.answer(order.id, "what waited is stored")

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
            await self._stay_true(url)

    async def _stay_true(self, url: str) -> None:
        """Until the next look, or until something that it says has become another thing."""
        for _ in range(round(LOOK_SECONDS / STATUS_SECONDS)):
            await self._store.broken_within(self.me.clock.real_seconds(STATUS_SECONDS))
            await self._store.stays_in_place()
            if (self._disk_trouble or self._store.trouble) != self._urgent or self._store.heard.keys() - self._known.keys():
                return
            if not self._trouble:
                self._say_what_was_heard(url)

    async def _say_how_it_is(self, url: str) -> None:
        for task in self._tasks:
            if task.done():
                task.result()
        time.tzset()  # days are those of /etc/localtime as it is now
        len(self._tokens)  # looks at the files
        self._see_prices()
        shown = await self._showing.figures()
        self._urgent = self._disk_trouble or self._store.trouble
        trouble = self._urgent or self._tokens_trouble() or self._prices_trouble()
        self._trouble = trouble or self._derived_trouble(shown) or still_to_come(shown, self.me.clock.wall())
        self._known = {each.meter.source: each.last.time for each in shown}
        if self._trouble:
            self.complain_once(self._trouble)
            return
        self._troubles.look("collector", "")
        self._say_what_was_heard(url)

    def _say_what_was_heard(self, url: str) -> None:
        if not self._known:
            self.me.status(f"{url}, no readings yet")
            return
        age = min(max(0.0, self.me.clock.wall() - max(at, self._store.heard.get(source, at))) for source, at in self._known.items())
        self.me.status(f"{url}, {len(self._known)} source{'s' if len(self._known) > 1 else ''}, last reading {duration(age)} ago")

    def _tokens_trouble(self) -> str:
        if self._logins:
            self._logins.look()
        others = bool(self._logins or self._settings.RECORD)
        return (self._logins.trouble if self._logins else "") or ("" if others and self._tokens.is_empty else self._tokens.trouble)

    def _see_prices(self) -> None:
        if not clock_was_set(self.me.clock.wall()):
            return
        try:
            self._prices.see(self.me.clock.wall(), self._tell_of_price)
        except OSError as error:
            self.complain_once(f"since when PRICE holds cannot be written down: {in_words(error)}")

    def _tell_of_price(self, what: str, why: str) -> None:
        print(f"{what}: {why}")
        self.me.with_ledger(lambda ledger: ledger.record(self.me.name, what, why))

    def _prices_trouble(self) -> str:
        trouble = self._prices.trouble
        return f"{trouble}. Until it is right, prices stay as they were" if trouble else ""

    def _derived_trouble(self, shown: list[Figures]) -> str:
        own = {each.meter.source: each.meter for each in shown if not each.meter.parts}
        _, wrong = meters_of(self._settings.DERIVED, own)
        return f"DERIVED: {wrong[0]}" if wrong and own else ""

    def _about_disk(self, line: str) -> None:
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
            gone = await self._store.thin(self._settings.MAX_JOURNAL_MB)
        except sqlite3.Error as error:
            self.complain_once(f"the journal cannot be made smaller: {error}")
            return
        if gone:
            print(f"the journal was above {self._settings.MAX_JOURNAL_MB} MB: {gone} of its oldest readings left out, every total stays")

    async def _refresh_graphs(self) -> None:
        try:
            await self._store.refresh_graphs(self.me.clock.wall())
        except (CannotDraw, sqlite3.Error) as why:
            self._graph_troubles.look("graphs", f"graphs: {why}")
        else:
            self._graph_troubles.look("graphs", "")

    def complain_once(self, line: str) -> None:
        """Until it is another line, or well again."""
        self.me.status(line, well=False)
        self._troubles.look("collector", line)


if __name__ == "__main__":
    run(collector, CollectorSettings)
