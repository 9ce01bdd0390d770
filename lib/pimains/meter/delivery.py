"""Brings the journal's readings to a collector, in a thread of its own, for as long as that takes."""

import gc
import random
import sqlite3
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from pimains.core.clock import Clock
from pimains.core.errors import Away, PimainsError
from pimains.core.failure import in_words
from pimains.core.plan.back_off import wait_seconds
from pimains.meter.register import Register
from pimains.shared.plan.delivery import RegisterReading
from pimains.shared.readings.journal import Journal

if TYPE_CHECKING:
    from pimains.meter.collector import Collector

BATCH_ROWS = 500  # each is in memory several times while it is written out
_SHORTEST_SECONDS = 0.1  # also in rehearsals


class Delivery:
    """Wakes at `bring`; `trouble` is why nothing goes through, '' while it does. `setting`: what somebody has to look at.

    `has_delivered`: something was acknowledged since the start.
    """

    def __init__(self, open_collector: Callable[[], "Collector"], journal: Journal, register: Register, clock: Clock) -> None:
        self.trouble = ""
        self.setting = ""
        self.has_delivered = False
        self._open = open_collector
        self._journal = journal
        self._register = register
        self._clock = clock
        self._told: RegisterReading | None = None
        self._failures = 0
        self._wake = threading.Event()
        self._end = threading.Event()
        self._idle = threading.Event()
        self._thread = threading.Thread(target=self._run, name="delivery", daemon=True)
        self._thread.start()

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
            except Exception as why:
                # nothing may end this thread: a meter counts on, and says what is wrong
                words = str(why) if isinstance(why, PimainsError) else in_words(why)
                self.trouble, self.setting = words, getattr(why, "setting", "COLLECTOR")
            if self.trouble:
                if collector is not None:
                    collector.close()
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
            boots, readings = self._journal.unsent(BATCH_ROWS)
            shown = self._register.shown
            if not readings and not boots and shown == self._told:
                self._well()
                return
            batch = self._register.batch(boots, readings)
            accepted = collector.send(batch)
            if any(reading.sequence > accepted.get(reading.boot, 0) for reading in readings):
                raise Away("it has not stored all readings")
            self._journal.acknowledge(boots, accepted)
            self.has_delivered = True
            self._told = batch.register
            self._well()  # at once: a collector may take longer to answer than the next reading to come

    def _well(self) -> None:
        self._failures, self.trouble, self.setting = 0, "", ""
