"""Brings the journal's readings to a collector, in a thread of its own, for as long as that takes."""

import gc
import random
import sqlite3
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from pimains.core import broken_sqlite
from pimains.core.clock import Clock
from pimains.core.errors import Away, PimainsError
from pimains.core.failure import in_words
from pimains.core.plan.back_off import wait_seconds
from pimains.meter.own_readings import OwnReadings
from pimains.meter.register import Register
from pimains.shared.plan.delivery import RegisterReading

if TYPE_CHECKING:
    from pimains.meter.collector import Collector

BATCH_ROWS = 500  # each is in memory several times while it is written out
_SHORTEST_SECONDS = 0.1  # also in rehearsals


class Delivery:
    """Wakes at `bring`; `trouble` is why nothing goes through, '' while it does. `setting`: what somebody has to look at.

    `broken`: what its journal says when it is, so that it can be mended. `has_caught_up`: all that there was before the last exchange
    is accepted as stored. `tell` hears of readings that a collector had lost, or that only it has: what was done, and why; and whether
    people are to be told.
    """

    def __init__(
        self,
        open_collector: Callable[[], "Collector"],
        journal: OwnReadings,
        register: Register,
        clock: Clock,
        tell: Callable[[str, str, bool], None],
    ) -> None:
        self.trouble = ""
        self.setting = ""
        self.has_caught_up = False
        self.journal = journal
        self.broken: sqlite3.Error | None = None
        self._open = open_collector
        self._register = register
        self._clock = clock
        self._tell = tell
        self._told: RegisterReading | None = None
        self._lost = self._ahead = 0
        self._found_behind: set[str] = set()
        self._failures = 0
        self._wake = threading.Event()
        self._end = threading.Event()
        self._idle = threading.Event()
        self._thread = threading.Thread(target=self._run, name="delivery", daemon=True)
        journal.ask_again()
        self._thread.start()

    def goes_on_with(self, journal: OwnReadings) -> None:
        """Another one may have taken its place."""
        if journal is not self.journal:
            self.journal, self.broken = journal, None
            journal.ask_again()

    def bring(self) -> None:
        """There may be something to bring."""
        self._idle.clear()
        self._wake.set()

    def finish(self, seconds: float) -> None:
        """Wait at most `seconds` until everything was brought, or could not be; then end."""
        self.bring()
        if not self.trouble:
            self._idle.wait(seconds)
        self._end.set()
        self._wake.set()
        self._thread.join(0.1)

    def _run(self) -> None:
        collector: Collector | None = None
        while not self._end.is_set():
            self._wake.wait()
            self._wake.clear()
            try:
                if collector is None:
                    collector = self._open()
                    gc.freeze()  # what was imported stays: it is not looked through for garbage, so that this is done soon enough
                self._bring_all(collector)
            except (Away, sqlite3.Error) as why:
                self.trouble, self.setting = str(why), ""
                self.broken = why if isinstance(why, sqlite3.Error) and broken_sqlite.is_corruption(why) else None
            except Exception as why:
                # nothing may end this thread: a meter counts on, and says what is wrong
                words = str(why) if isinstance(why, PimainsError) else in_words(why)
                self.trouble, self.setting = words, getattr(why, "setting", "COLLECTOR")
            if self.trouble:
                if collector is not None:
                    collector.close()
                self.journal.ask_again()  # whatever it was, it may not be the same collector any more
                gc.collect()  # a failed request is full of circles
                self._idle.set()
                wait = wait_seconds(self._failures, random.random())  # noqa: S311  # only so that machines do not come in step
                self._end.wait(max(_SHORTEST_SECONDS, self._clock.real_seconds(wait)))
                self._failures += 1
                self._wake.set()
            elif not self._wake.is_set():
                self._idle.set()

    def _bring_all(self, collector: "Collector") -> None:
        while not self._end.is_set():
            unsent = self.journal.unsent(BATCH_ROWS)
            shown = self._register.shown
            if not unsent.readings and not unsent.boots and shown == self._told:
                self._catches_up()
                return
            self.has_caught_up &= len(unsent.readings) < BATCH_ROWS
            batch = self._register.batch(unsent)
            answer = collector.send(batch)
            outcome = self.journal.acknowledge(unsent, answer)
            self._lost += outcome.lost
            self._ahead += outcome.ahead
            if outcome.behind:
                self._find_what_is_lost(outcome.behind)
                continue
            if any(reading.sequence > answer.accepted.get(reading.boot, 0) for reading in unsent.readings):
                raise Away("it has not stored all readings")
            self._told = batch.register
            if len(unsent.readings) < BATCH_ROWS:
                self._catches_up()
            self._well()  # at once: a collector may take longer to answer than the next reading to come

    def _find_what_is_lost(self, behind: frozenset[str]) -> None:
        """It may have lost readings of other runs, too."""
        self.has_caught_up = False
        if behind & self._found_behind:
            raise Away("it does not keep what it accepts")
        self._found_behind |= behind
        self.journal.ask_again()

    def _catches_up(self) -> None:
        self._well()
        self.has_caught_up = True
        self._found_behind.clear()
        if self._lost:
            self._tell(f"sent {self._lost} readings again", "its collector had lost them", True)
        if self._ahead:
            self._tell(f"goes on without {self._ahead} readings that only its collector has", "its own journal lost them", False)
        self._lost = self._ahead = 0

    def _well(self) -> None:
        self._failures, self.trouble, self.setting = 0, "", ""
