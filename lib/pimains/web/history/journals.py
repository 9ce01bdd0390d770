"""The collectors' journals of this machine, looked into by one thread: opened when somebody asks, and put away when nobody does.

Whoever has a journal open keeps SQLite from putting away what was written beside it (-wal), and would read on in a file that was
replaced: so none stays open for long, and each question makes sure that the file is the one at its path still.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

from pimains.core import broken_sqlite, state
from pimains.core.errors import PimainsError
from pimains.core.scan_directory import ServiceDirectory
from pimains.shared.readings.collectors_series import CollectorJournal
from pimains.shared.readings.series.costs import Costs
from pimains.web.history.series import HistorySeries
from pimains.web.seen import Seen

MAKE = "sudo create_service --service_name=collector --add-service"
QUESTION_SECONDS_MAX = 30.0  # others want their turn
_IDLE_SECONDS = 10.0
T = TypeVar("T")


class LookBack(NamedTuple):
    """One collector's journal at this moment, and what it costs by its prices."""

    series: HistorySeries
    costs: Costs


class _Open(NamedTuple):
    journal: CollectorJournal
    series: HistorySeries
    file: object  # as it was when it was opened


class Journals:
    """Those of the house that `seen` knows."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._thread = ThreadPoolExecutor(1, "history")
        self._open: dict[str, _Open] = {}
        self._closing: asyncio.TimerHandle | None = None
        self._kept = 0

    def collector(self, name: str | None) -> ServiceDirectory:
        """The one that is called so, or the first there is. Raises PimainsError with what to type."""
        there = self._seen.of("collector")
        if not there:
            raise PimainsError(f"there is no collector on this machine; to make one: {MAKE}")
        found = next((each for each in there if name in (None, each.name)), None)
        if found is None:
            raise PimainsError(f"collector: there is none called so; there is {', '.join(each.name for each in there)}")
        return found

    async def ask(self, name: str | None, question: Callable[[LookBack], T], seconds: float = QUESTION_SECONDS_MAX) -> T:
        """What `question` makes of the journal of the collector `name`. Raises PimainsError with one line."""
        collector = self.collector(name)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._asked, collector, question, seconds)
        finally:
            self._close_soon()

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """For an answer that is made of several questions, however slowly it is taken."""
        self._kept += 1
        try:
            yield
        finally:
            self._kept -= 1
            self._close_soon()

    def _close_soon(self) -> None:
        if self._closing:
            self._closing.cancel()
        self._closing = None if self._kept else asyncio.get_running_loop().call_later(_IDLE_SECONDS, self._thread.submit, self._close_all)

    def _asked(self, collector: ServiceDirectory, question: Callable[[LookBack], T], seconds: float) -> T:
        try:
            found = self._opened(collector)
            found.series.within(seconds)
            return question(LookBack(found.series, found.journal.costs()))
        except sqlite3.Error as error:
            self._close(collector.name)
            raise PimainsError(_why(collector, error)) from None
        except TypeError:  # a reading that is there by its key is not: https://www.sqlite.org/howtocorrupt.html
            path = CollectorJournal(collector).path
            self._close(collector.name)
            if why := _verdict(path):
                raise PimainsError(f"{path}: {why} ({_status(collector)})") from None
            raise

    def _opened(self, collector: ServiceDirectory) -> _Open:
        journal = CollectorJournal(collector)
        file = _file(journal.path)
        known = self._open.get(collector.name)
        if known and (known.file, known.journal.path, known.journal.derived) == (file, journal.path, journal.derived):
            return known._replace(journal=journal)
        self._close(collector.name)
        found = _Open(journal, HistorySeries(journal.path, journal.derived, only_look=True), file)
        self._open[collector.name] = found
        return found

    def _close(self, name: str) -> None:
        known = self._open.pop(name, None)
        if known:
            with suppress(sqlite3.Error):
                known.series.close()

    def _close_all(self) -> None:
        for name in list(self._open):
            self._close(name)


def _file(path: Path) -> object:
    """What is another as soon as the file is, or as soon as somebody writes a file that nobody had open (shared/readings/read_only.py)."""
    try:
        found = path.stat()
    except OSError:
        return None
    is_written = path.with_name(f"{path.name}-wal").exists()
    return (found.st_dev, found.st_ino, is_written, None if is_written else (found.st_mtime_ns, found.st_size))


def _why(collector: ServiceDirectory, error: sqlite3.Error) -> str:
    path = CollectorJournal(collector).path
    if not path.exists():
        return f"{path}: there is no journal yet ({_status(collector)})"
    if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT:
        return "this takes too long: ask for less at once"
    if broken_sqlite.is_at_fault(path, error):
        return f"{path}: is damaged; its collector begins it anew with what can be read of it ({_status(collector)})"
    return f"{path}: cannot be read now: {error} ({_status(collector)})"


def _verdict(path: Path) -> str:
    with suppress(sqlite3.Error):
        return broken_sqlite.verdict(path)
    return ""


def _status(collector: ServiceDirectory) -> str:
    said = None
    with suppress(OSError):
        said = state.read(collector.run / "status")
    return f"{collector.name}: {said}" if said else f"{collector.name} is not running: svc -u {collector.path}"
