"""A collector's journal with recorded values, as its recorder would have noted them."""

from collections.abc import Iterable
from pathlib import Path

from pimains.shared.plan.delivery import Batch, Boot, Reading
from pimains.shared.readings.journal import Journal
from pimains.shared.readings.plan.gauge import Gauge
from pimains.shared.readings.series.series import Series


class Recording:
    """The journal in the file `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._journal, self._series = Journal(path), Series(path)

    def looked(self, name: str, looks: Iterable[tuple[float, float | None]], boot: str = "b", offset: float = 0.0, unit: str = "") -> None:
        """At each time, in seconds since 1970, the file said that; None: nothing."""
        gauge = Gauge(None)
        readings = [
            Reading(f"record {boot}", each.sequence, None, each.uptime, each.pulses)
            for time, value in looks
            for each in gauge.looked(time - offset, value)
        ]
        batch = Batch(name, unit, 0, None, {f"record {boot}": Boot(offset, True)}, readings)
        self._series.describe(batch)
        self._journal.store_all([batch])

    def close(self) -> None:
        """Put it away."""
        self._series.close()
        self._journal.close()
