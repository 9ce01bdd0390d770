"""State files of services on this machine, recorded: each is a source of its own, INSTANCE/VALUE, whose readings are values.

A file is looked at now and then and read when it has changed. Its mtime is its age by a clock that may jump: once it was
seen to change, its age is counted by the monotonic clock. A relay's are written when it is switched and hold until then.
"""

import asyncio
import os
import re
from collections.abc import Callable

from pimains.collector.intake.local_readings import OwnReadings, Source
from pimains.core import paths, state
from pimains.core.clock import Clock
from pimains.core.troubles import Troubles
from pimains.shared.readings.plan.gauge import Gauge
from pimains.shared.readings.recorded_files import Recorded

_NUMBER = re.compile(r"[+-]?([0-9]{1,15}(\.[0-9]{0,15})?|\.[0-9]{1,15})([eE][+-]?[0-9]{1,2})?")
_WORDS = {"on": 1.0, "off": 0.0}
_HOLD = "relays"


class Recorder:
    """Looks at the files `every` so many seconds; one that is older than `age_max` seconds is not known."""

    def __init__(
        self, wanted: list[Recorded], own: OwnReadings, clock: Clock, every: float, age_max: float, say: Callable[[str], None]
    ) -> None:
        troubles = Troubles(say)
        self._files = [_File(each, age_max, troubles) for each in wanted]
        self._own = own
        self._clock = clock
        self._every = every

    async def look_after(self) -> None:
        """Never returns; at its end all are not known."""
        gauges = [Gauge((await self._own.standing(each.source))[0]) for each in self._files]
        try:
            while True:
                now = self._clock.monotonic()
                for file, gauge in zip(self._files, gauges, strict=True):
                    for reading in gauge.looked(now, file.value(now, self._clock.wall())):
                        self._own.add(file.source, reading)
                await asyncio.sleep(self._clock.real_seconds(self._every))
        finally:
            for file, gauge in zip(self._files, gauges, strict=True):
                for reading in gauge.looked(self._clock.monotonic(), None):
                    self._own.add(file.source, reading)


class _File:
    def __init__(self, wanted: Recorded, age_max: float, troubles: Troubles) -> None:
        self.source = Source(wanted.name, "record", wanted.unit, 0)
        self._path = paths.run() / wanted.instance / wanted.value
        self._age_max = float("inf") if wanted.instance == _HOLD else age_max
        self._troubles = troubles
        self._seen: object = None
        self._changed_at = 0.0
        self._value: float | None = None

    def value(self, now: float, wall: float) -> float | None:
        """What it says; None: it is not there, is too old, or is no number."""
        try:
            stat = os.lstat(self._path)
        except OSError:
            self._seen = None
            return None
        seen = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
        if seen != self._seen:
            self._changed_at = now if self._seen else now - max(0.0, wall - stat.st_mtime)
            self._seen = seen
            self._value = self._read()
        return self._value if now - self._changed_at <= self._age_max else None

    def _read(self) -> float | None:
        try:
            text = state.read(self._path)
        except OSError:
            text = None
        if text is not None and (word := _WORDS.get(text.lower())) is not None:
            self._troubles.look(str(self._path), "", kind="no number")
            return word
        is_number = text is not None and _NUMBER.fullmatch(text)
        trouble = "" if is_number else "cannot be read" if text is None else f"{text[:40]!r} is no number"
        self._troubles.look(str(self._path), trouble and f"RECORD: {self._path}: {trouble}", kind="no number")
        return float(text) if text is not None and is_number else None
