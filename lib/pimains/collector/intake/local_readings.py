"""Readings that a collector makes itself: they wait a while in memory and are stored together, because a commit wears the SD card.

`kill -9` takes what waits: of a count no total is lost by it, because the next reading counts for the time since the last
one that was stored, and of a value it is seconds of detail.
"""

import asyncio
import sqlite3
from collections.abc import Callable

from pimains.collector.batching import Batching
from pimains.collector.store import Store
from pimains.core.clock import Clock, boot_id
from pimains.shared.plan import boot_time
from pimains.shared.plan.delivery import Batch, Boot, Reading
from pimains.shared.plan.known_seconds import Standing

_WAITING_MAX = 20_000


class Source:
    """A source that this collector makes the readings of: counting `impulses` a unit, or for 0 a value."""

    def __init__(self, name: str, kind: str, unit: str, impulses: float) -> None:
        self.name = name
        self.boot = f"{kind} {boot_id()}"
        self.unit = unit
        self.impulses = impulses


class OwnReadings:
    """Those that wait, for `seconds` at most; `trouble` hears why they cannot be stored, '' when they are."""

    def __init__(self, store: Store, clock: Clock, batching: Batching, seconds: float, trouble: Callable[[str], None]) -> None:
        self._store = store
        self._clock = clock
        self._batching = batching
        self._seconds = seconds
        self._trouble = trouble
        self._boot = Boot(None)
        self._waiting: dict[Source, list[Reading]] = {}
        self._some = asyncio.Event()

    async def standing(self, source: Source) -> tuple[Standing | None, float]:
        """Where its readings of this boot stand, and its highest count of all."""
        return await self._store.standing(source.name, source.boot)

    def add(self, source: Source, standing: Standing) -> None:
        """One more."""
        waiting = self._waiting.setdefault(source, [])
        waiting.append(Reading(source.boot, standing.sequence, None, standing.uptime, standing.pulses))
        if len(waiting) > _WAITING_MAX:
            del waiting[1:-1:2]
        self._some.set()

    async def look_after(self) -> None:
        """Store them in time; never returns."""
        while True:
            await self._some.wait()
            await self._batching.wait(self._clock.real_seconds(self._seconds))
            await self.store()
            if self._waiting:  # the disk did not take them
                await asyncio.sleep(self._clock.real_seconds(max(1.0, self._seconds)))

    async def store(self) -> None:
        """What waits now."""
        clock = self._clock
        self._boot = boot_time.judged(self._boot, clock.wall(), clock.monotonic(), clock.is_synchronised())
        taken, self._waiting = self._waiting, {}
        self._some.clear()
        batches = [
            Batch(source.name, source.unit, source.impulses, None, {source.boot: self._boot}, readings)
            for source, readings in taken.items()
        ]
        if not batches:
            return
        try:
            await self._store.note(batches)
        except sqlite3.Error as error:
            self._waiting = {source: readings + self._waiting.get(source, []) for source, readings in taken.items()} | {
                source: readings for source, readings in self._waiting.items() if source not in taken
            }
            self._some.set()
            self._trouble(f"readings cannot be stored: {error}")
            return
        self._trouble("")
