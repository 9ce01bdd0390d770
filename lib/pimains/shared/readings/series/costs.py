"""What a source cost in some time, by the prices that held then: counts are looked up where a price begins and ends."""

from typing import NamedTuple

from pimains.shared.readings.plan.energy import Meter, Period, period_of
from pimains.shared.readings.plan.tariffs import Rate, Tariff, Tariffs, stretches
from pimains.shared.readings.series.series import Series

_REMEMBERED_MAX = 10_000  # a megabyte and a half: 50 sources with Hochtarif and Niedertarif, ten years
_TARIFFS_MAX = 200
_SETTLED_SECONDS = 2 * 86_400  # what comes late within that is drawn again in time (Store), and is counted again here


class Cost(NamedTuple):
    """What was used, and the standing charge, in money; `total` is both."""

    used: float
    standing_charge: float

    @property
    def total(self) -> float:
        """What is to be paid."""
        return self.used + self.standing_charge


class Costs:
    """By `tariffs`. What is long over is looked up once, unless `forget` is told. Any thread may ask."""

    def __init__(self, tariffs: Tariffs) -> None:
        self.tariffs = tariffs
        self._of: dict[Meter, Tariff] = {}
        self._remembered: dict[_Chunk, float] = {}

    def tariff(self, meter: Meter) -> Tariff:
        """That of one source."""
        if meter not in self._of:
            if len(self._of) > _TARIFFS_MAX:
                self._of.clear()
            self._of[meter] = self.tariffs.of(meter)
        return self._of[meter]

    def forget(self, source: str) -> None:
        """Its past is another now."""
        for key in list(self._remembered):
            if source in (key.meter.source, *(part.source for _, part in key.meter.parts)):
                self._remembered.pop(key, None)

    def known(self, chunk: "_Chunk") -> float | None:
        """What was looked up before."""
        return self._remembered.get(chunk)

    def remember(self, chunk: "_Chunk", used: float) -> None:
        """It will not change."""
        self._remembered[chunk] = used
        if len(self._remembered) > _REMEMBERED_MAX:
            self._remembered.pop(next(iter(self._remembered)), None)


class _Chunk(NamedTuple):
    """A day or month of a source, or what of it is asked for."""

    meter: Meter
    start: float
    end: float


class Account:
    """What one source used and what that cost, in periods that are asked for together: each count is looked up once."""

    def __init__(self, series: Series, meter: Meter, now: float, costs: Costs | None) -> None:
        self._series = series
        self._meter = meter
        self._now = now
        self._costs = costs
        self._tariff = costs.tariff(meter) if costs else Tariff([], [], [])
        self._counts: dict[float, float | None] = {}
        self._settled_until = 0.0
        self._first, self._last = now, now
        if self._tariff.has_price:
            first, last = series.first(meter.source), series.last(meter.source)
            self._first, self._last = first.time if first else now, last.time if last else now
            self._settled_until = self._last - _SETTLED_SECONDS

    def amount(self, start: float, end: float) -> float:
        """How much it was, in the meter's unit; less than nothing where more was taken away than there was."""
        before, after = self._count_at(start), self._count_at(end)
        if before is None or after is None:
            return 0.0
        return self._meter.amount(after - before if self._meter.parts else max(0.0, after - before))

    def known(self, period: Period) -> float | None:
        """How much it was, None where there is no reading."""
        return self.amount(period.start, period.end) if self._series.has_reading(self._meter.source, period.start, period.end) else None

    def cost(self, period: Period) -> Cost | None:
        """What it cost until now; None when nobody said a price for any of it."""
        rates = list(self._tariff.rates_in(period.start, period.end))
        used = sum(self._used(rate) for rate in rates)
        standing_charge = self._tariff.standing_charge(max(period.start, self._first), min(period.end, self._now))
        return Cost(used, standing_charge) if rates or standing_charge else None

    def kwh(self, period: Period) -> float | None:
        """How many kWh the gas of a period was; None where nobody said what it holds."""
        known = [self.amount(each.start, each.end) * each.price for each in self._tariff.kwh_in(period.start, period.end)]
        return sum(known) if known else None

    def _used(self, rate: tuple[float, float, Rate]) -> float:
        if not rate[2].windows:
            return self._looked_up(rate, rate[0], rate[1])
        used, since, end = 0.0, max(rate[0], self._first), min(rate[1], self._last)
        while since < end:
            month = period_of("month", since)
            chunk = month if since <= month.start and end >= month.end <= self._settled_until else period_of("day", since)
            until = min(chunk.end, end)
            used += self._known_or_looked_up(rate, since, until, is_settled=chunk.end <= self._settled_until)
            since = until
        return used

    def _known_or_looked_up(self, rate: tuple[float, float, Rate], start: float, end: float, *, is_settled: bool) -> float:
        chunk = _Chunk(self._meter, start, end)
        if self._costs and is_settled:
            used = self._costs.known(chunk)
            if used is None:
                used = self._looked_up(rate, start, end)
                self._costs.remember(chunk, used)
            return used
        return self._looked_up(rate, start, end)

    def _looked_up(self, rate: tuple[float, float, Rate], start: float, end: float) -> float:
        return sum(self.amount(each.start, each.end) * each.price for each in stretches(rate, start, end))

    def _count_at(self, time: float) -> float | None:
        if time not in self._counts:
            self._counts[time] = self._series.count_at(self._meter.source, time)
        return self._counts[time]
