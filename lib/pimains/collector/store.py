"""What a collector keeps: its journal in a thread of its own, because SQLite waits for the disk; its graphs in another."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from pimains.collector.graphs.pictures import Graphs
from pimains.collector.graphs.recent import Recent
from pimains.collector.news import News
from pimains.collector.plan.senders import Senders
from pimains.core import broken_sqlite
from pimains.core.clock import Clock
from pimains.core.errors import PimainsError
from pimains.core.failure import in_words
from pimains.shared.plan import delivery
from pimains.shared.plan.known_seconds import Standing
from pimains.shared.plan.point import Point
from pimains.shared.readings.journal import Broken, Journal
from pimains.shared.readings.plan.derived import Derived
from pimains.shared.readings.put_back import no_place
from pimains.shared.readings.series.derived_series import DerivedSeries
from pimains.shared.readings.series.series import Series

_MOVED_SECONDS = 2.0  # a clock that is put right by less moves nothing that can be seen
T = TypeVar("T")
_THINNED_AT_ONCE = 100_000  # what many meters send in an hour is less than half of that, and all wait meanwhile


class NotThisSource(PimainsError):
    """It is not taken: another meter sends as the same source, or it has counted in another unit."""


class Store:
    """The journal in the file `path`, and the graphs that are drawn of it. `heard` is the time of the newest reading of who was heard."""

    def __init__(self, path: Path, graphs: Graphs, news: News, clock: Clock, derived: list[Derived] | None = None) -> None:
        self._news = news
        self._clock = clock
        self._senders = Senders()
        self.heard: dict[str, float] = {}
        self.recent = Recent(path)
        self._path = path
        self._damage = ""
        self._is_damaged = asyncio.Event()
        self._derived = derived or []
        self._not_put_back = ""
        self._journal = Journal(path)
        try:
            self._series, self._series_to_draw = DerivedSeries(path, self._derived), DerivedSeries(path, self._derived)
        except sqlite3.DatabaseError as error:
            self._journal.close()
            if broken_sqlite.is_corruption(error):
                raise Broken(path, str(error)) from None
            raise
        self._thread = ThreadPoolExecutor(1, "store")
        self._graphs = graphs
        self._drawing = ThreadPoolExecutor(1, "drawing")

    async def ask(self, question: Callable[[Series], T]) -> T:
        """Carry out `question` there."""
        return await self._use(self._thread, question, self._series)

    async def _use(self, thread: ThreadPoolExecutor, use: Callable[..., T], *words: object) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(thread, use, *words)
        except sqlite3.DatabaseError as error:
            if broken_sqlite.is_corruption(error):
                self._is_broken(str(error))
            raise
        except TypeError:  # a reading that is there by its key is not: https://www.sqlite.org/howtocorrupt.html
            if why := await asyncio.get_running_loop().run_in_executor(thread, broken_sqlite.verdict, self._path):
                self._is_broken(why)
            raise

    def _must_be_in_place(self) -> None:
        """A file that was removed has all it had until it is closed: in time it is written anew.

        Whoever looks into the old one at this moment closes it when he is done.
        """
        if self._journal.is_in_place():
            return
        if gone := no_place(self._path):
            self._not_put_back = gone
            raise sqlite3.OperationalError(gone)
        try:
            happened = self._journal.put_back()
        except (OSError, sqlite3.Error) as error:
            self._not_put_back = f"{self._path}: is not in its place, and cannot be written anew: {in_words(error)}"
            raise sqlite3.OperationalError(self._not_put_back) from None
        self._not_put_back = ""
        self._journal = Journal(self._path)
        self._series, self._series_to_draw = DerivedSeries(self._path, self._derived), DerivedSeries(self._path, self._derived)
        self._news.put_back(f"{self._path}: {happened}")

    async def stays_in_place(self) -> None:
        """The same, for a time in which nobody sends anything."""
        if not self._journal.is_in_place():
            with contextlib.suppress(sqlite3.OperationalError):
                await self._use(self._thread, self._must_be_in_place)

    def _is_broken(self, why: str) -> None:
        self._damage = why
        self._is_damaged.set()

    async def broken_within(self, seconds: float) -> None:
        """Wait for so long; raises Broken as soon as the journal turns out to be."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._is_damaged.wait(), seconds)
        self.must_be_whole()

    def must_be_whole(self) -> None:
        """Raises Broken when the journal has turned out to be."""
        if self._damage:
            raise Broken(self._path, self._damage)

    async def keep(self, body: bytes, sources: set[str]) -> tuple[bytes, str, int]:
        """Store what was sent, if it is of one of `sources`: the answer, the source and how many readings were new.

        Raises ValueError, PermissionError, NotThisSource and sqlite3.Error.
        """
        return await self._use(self._thread, self._keep, body, sources)

    async def note(self, batches: list[delivery.Batch]) -> None:
        """Store what this collector made of its own. Raises sqlite3.Error."""

        def note() -> None:
            self._must_be_in_place()
            for batch in batches:
                self._series.describe(batch)
            before = [(self._series.newest(batch.source), self._series.last(batch.source)) for batch in batches]
            self._journal.store_all(batches)
            for batch, (newest, last) in zip(batches, before, strict=True):
                self._draw_again_if(batch, newest, last, len(batch.readings))
                self._hears(batch.source)

        await self._use(self._thread, note)

    async def standing(self, source: str, boot: str) -> tuple[Standing | None, float]:
        """Where the readings of a boot stand, and the highest count of the source."""
        return await self._use(self._thread, self._journal.standing, source, boot)

    def _keep(self, body: bytes, sources: set[str]) -> tuple[bytes, str, int]:
        batch = delivery.read(body)
        if batch.source not in sources:
            raise PermissionError("this token is another source's")
        self._must_be_in_place()
        words = self._senders.refusal(batch, self._series.heard_runs(batch.source), self._clock.monotonic())
        if words:
            self._news.two_senders(batch.source, words)
            raise NotThisSource(words)
        if not self._senders.are_two(batch.source):
            self._news.one_sender(batch.source)
        if other := self._series.other_unit(batch):
            words = f"{batch.source} has counted {other} until now: {batch.unit} needs another SOURCE"
            self._news.other_unit(batch.source, words)
            raise NotThisSource(words)
        self._series.describe(batch)
        before, last = self._series.newest(batch.source), self._series.last(batch.source)
        known, new = self._journal.store_sent(batch)
        self._draw_again_if(batch, before, last, new)
        self._hears(batch.source)
        for anew in self._series.counters_to_tell(batch.source):
            self._news.counts_anew(self._series.meters()[batch.source], anew)
            self._series.counter_is_told(batch.source, anew.run)
        return delivery.acknowledged(batch, known), batch.source, new

    def _hears(self, source: str) -> None:
        if (last := self._series.last(source)) is not None:
            self.heard[source] = last.time

    @property
    def trouble(self) -> str:
        """What somebody has to look after, '' for nothing: two meters that send as one source, a journal that is not in its place."""
        return self._not_put_back or self._senders.trouble(self._clock.monotonic())

    def _draw_again_if(self, batch: delivery.Batch, before: dict[str, tuple[float | None, int]], last: Point | None, new: int) -> None:
        decided = self._graphs.databases.decided(batch.source) or (last.time if last else None)
        if decided is not None and self._changes_the_past(batch, before, new, decided):
            self._graphs.forget(batch.source)

    def _changes_the_past(self, batch: delivery.Batch, before: dict[str, tuple[float | None, int]], new: int, decided: float) -> bool:
        """Whether readings came in between those that are drawn already, or a clock was put right that they were drawn by."""
        after = self._series.newest(batch.source)
        for boot, (offset, _) in before.items():
            now = after[boot][0]
            if now is not None and (offset is None or abs(now - offset) > _MOVED_SECONDS):
                return True
        in_order = [each for each in batch.readings if each.sequence > before.get(each.boot, (None, 0))[1]]
        times = [(after[each.boot][0] or 0.0) + each.uptime for each in in_order if after[each.boot][0] is not None]
        return new > len(in_order) or min(times, default=decided + 1) <= decided

    async def ask_graphs(self, question: Callable[[Series, Graphs], T]) -> T:
        """Carry out `question` where graphs are drawn."""
        return await self._use(self._drawing, question, self._series_to_draw, self._graphs)

    async def refresh_graphs(self, now: float) -> None:
        """Bring what graphs are drawn of up to date, so that whoever looks next need not wait for it. Raises CannotDraw, sqlite3.Error."""

        def refresh(series: Series, graphs: Graphs) -> None:
            for meter in series.meters().values():
                graphs.databases.refresh(series, meter, now)

        await self.ask_graphs(refresh)

    async def thin(self, megabytes: int) -> int:
        """Make room: how many readings went."""
        return await self._use(self._thread, self._journal.thin, megabytes * 1_000_000, _THINNED_AT_ONCE)

    def close(self) -> None:
        """Finish what is under way and put the journal away."""
        self._drawing.shutdown(cancel_futures=True)
        self._thread.shutdown()
        self._series_to_draw.close()
        self._series.close()
        self._journal.close()
