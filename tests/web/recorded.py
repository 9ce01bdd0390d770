"""A collector's journal with a past in it, for the page that looks back: two meters, a battery, a relay, gaps, a name that is an attack."""

import math
import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from pimains.core import templates
from pimains.create_service import making
from pimains.shared.plan import known_seconds
from pimains.shared.plan.delivery import Batch, Boot, Reading
from pimains.shared.readings.journal import Journal
from pimains.shared.readings.series.series import Series

ATTACK = "<img src=x onerror=alert(1)>"
DAY = 86_400
_AT_ONCE = 20_000


def a_collector(scan: Path, root: Path, **variables: str) -> Path:
    """The directory of one that does not run; its journal is DATA_DIR/journal.sqlite."""
    data = root / "journal"
    data.mkdir()
    scan.mkdir(exist_ok=True)
    making.create(templates.all_of_them()["collector"], scan, "collector", {"PIMAINS_ROOT": str(root), "DATA_DIR": str(data), **variables})
    return data


class Past:
    """What is put into a journal, for whoever writes it as its service would."""

    def __init__(self, data: Path) -> None:
        self.path = data / "journal.sqlite"
        self._journal = Journal(self.path)
        self._series = Series(self.path)

    def close(self) -> None:
        self._series.close()
        self._journal.close()
        for path in self.path.parent.glob("journal.sqlite*"):
            shutil.chown(path, "pimains", "pimains")

    def meter(self, source: str, start: float, *readings: tuple[float, int], boot: str = "b", unit: str = "kWh") -> None:
        """Counts (seconds after `start`, count) of one run, 1000 to a unit."""
        rows = [Reading(boot, number, None, seconds, count) for number, (seconds, count) in enumerate(readings, 1)]
        self._store(Batch(source, unit, 1000, None, {boot: Boot(start, True)}, []), iter(rows))

    def gauge(self, source: str, start: float, *readings: tuple[float, float | None], unit: str = "", boot: str = "record 1") -> None:
        """Values (seconds after `start`, value) that hold until the next one; None: from there on it is not known."""
        self._store(Batch(source, unit, 0, None, {boot: Boot(start, True)}, []), _of_gauge(readings, boot))

    def _store(self, batch: Batch, rows: Iterator[Reading]) -> None:
        self._series.describe(batch)
        while some := list(islice(rows, _AT_ONCE)):
            self._journal.store(batch.source, dict(batch.boots), some)


def _of_gauge(readings: "tuple[tuple[float, float | None], ...]", boot: str) -> Iterator[Reading]:
    sequence, before, last = 1, 0.0, None
    for seconds, value in readings:
        noted = last if value is None else value
        assert noted is not None
        sequence = sequence + 1 if last is None else known_seconds.following(sequence, seconds - before)
        yield Reading(boot, sequence, None, seconds, noted)  # type: ignore[arg-type]  # a value, as the recorder has it
        before, last = seconds, value


def a_house(data: Path, now: float, days: int = 30) -> None:
    """Days of it: the house draws 200 to 900 W, the sun gives up to 3 kW, nothing is known of a night and of a day."""
    past, start, every = Past(data), now - days * DAY, 300 if days > 40 else 60
    times = [number * every for number in range(days * DAY // every)]
    used, made, level = 0.0, 0.0, 55.0
    house, sun, battery, relay = [], [], [], []
    for seconds in times:
        hour = (start + seconds) % DAY / 3600
        shine = max(0.0, math.sin((hour - 6) / 12 * math.pi)) * (0.55 + 0.45 * math.sin(seconds // DAY * 1.7))
        watts = 200 + 250 * (7 <= hour < 9) + 600 * (18 <= hour < 21) + 80 * math.sin(seconds / 1900)
        used += watts * every / 3_600_000 * 1000
        made += 3000 * shine * every / 3_600_000 * 1000
        level = min(100.0, max(10.0, level + (3000 * shine - watts) * every / 3_600_000 * 12))
        is_gap = 0.3 * DAY < seconds - (days - 2) * DAY < 0.55 * DAY
        if not is_gap:
            house.append((float(seconds), int(used)))
            battery.append((float(seconds), round(level, 1)))
            relay.append((float(seconds), float(level > 70 and 9 < hour < 17)))
        elif battery[-1][1] is not None:
            battery.append((float(seconds), None))
            relay.append((float(seconds), None))
        sun.append((float(seconds), int(made)))
    whole = [each for each in house if each[0] < (days - 2 + 0.4) * DAY]
    past.meter("house", start, *whole)
    later = house[len(whole) :]
    past.meter("house", start + later[0][0], *((seconds - later[0][0], count) for seconds, count in later), boot="c")
    past.meter(ATTACK, start, *sun)
    past.gauge("ups/battery.charge", start, *battery, unit="%")
    past.gauge("relays/1.state", start, *relay)
    past.close()
