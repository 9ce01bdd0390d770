"""The journal's sources, and those that are the sum or the difference of them: a part counts from its first reading on."""

import heapq
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

from pimains.shared.plan.point import Point
from pimains.shared.readings.plan.derived import Derived, meters_of
from pimains.shared.readings.plan.energy import Meter
from pimains.shared.readings.plan.flow_steps import Counted
from pimains.shared.readings.series.series import Series


class DerivedSeries(Series):
    """As a Series; of what is `derived`, readings are made when somebody asks. Whoever asks has asked for `meters` before."""

    def __init__(self, path: Path, derived: list[Derived], *, only_look: bool = False) -> None:
        super().__init__(path, only_look=only_look)
        self._derived = derived
        self._parts: dict[str, Meter] = {}

    def meters(self) -> dict[str, Meter]:
        """Every source, by name; those that are derived at the end."""
        own = super().meters()
        self._parts = meters_of(self._derived, own)[0] if self._derived else {}
        return own | self._parts

    def last(self, source: str) -> Point | None:
        """The newest reading of any of its parts."""
        return self._end(source, super().last, newest=True) if source in self._parts else super().last(source)

    def first(self, source: str) -> Point | None:
        """The oldest reading of any of its parts."""
        return self._end(source, super().first, newest=False) if source in self._parts else super().first(source)

    def count_at(self, source: str, time: float) -> float | None:
        """The sum of what its parts have counted at `time`; a part that has no reading at all counts nothing."""
        derived = self._parts.get(source)
        if derived is None:
            return super().count_at(source, time)
        counts = [(sign, part, super(DerivedSeries, self).count_at(part.source, time)) for sign, part in derived.parts]
        return sum(sign * part.amount(count) for sign, part, count in counts if count is not None) * derived.impulses_per_unit

    def has_reading(self, source: str, start: float, end: float) -> bool:
        """Whether one of its parts has."""
        if source not in self._parts:
            return super().has_reading(source, start, end)
        return any(super(DerivedSeries, self).has_reading(part.source, start, end) for _, part in self._parts[source].parts)

    def readings(self, source: str, start: float, end: float) -> Iterator[Counted]:
        """One at each time at which a part has one."""
        if source not in self._parts:
            yield from super().readings(source, start, end)
            return
        parts = [super(DerivedSeries, self).readings(part.source, start, end) for _, part in self._parts[source].parts]
        for time, some in groupby(heapq.merge(*parts), key=lambda each: each.time):
            yield Counted(time, self.count_at(source, time) or 0.0, any(each.after_gap for each in some))

    def _end(self, source: str, of: Callable[[str], Point | None], *, newest: bool) -> Point | None:
        times = [point.time for _, part in self._parts[source].parts if (point := of(part.source)) is not None]
        if not times:
            return None
        time = max(times) if newest else min(times)
        return Point(time, self.count_at(source, time) or 0.0)
