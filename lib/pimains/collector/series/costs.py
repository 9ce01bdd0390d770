"""What a source cost in some time, by the prices that held then: counts are looked up where a price begins and ends."""

from typing import NamedTuple

from pimains.collector.plan.energy import Meter, Period, period_of
from pimains.collector.plan.tariffs import Rate, Tariff, Tariffs, stretches
from pimains.collector.series.series import Series

_REMEMBERED_MAX = 10_000  # a megabyte and a half: 50 sources with Hochtarif and Niedertarif, ten years
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
        self._remembered: dict[tuple[Meter, float, float], float] = {}

    def forget(self, source: str) -> None:
        """Its past is another now."""
        for key in list(self._remembered):
            if key[0].source == source:
                self._remembered.pop(key, None)

    def of(self, series: Series, meter: Meter, period: Period, now: float) -> Cost | None:
        """Of a period, until `now`; None when nobody said a price for any of it."""
        tariff = self.tariffs.of(meter)
        first, last = series.first(meter.source), series.last(meter.source)
        if first is None or last is None or not tariff.has_price:
            return None
        rates = list(tariff.rates_in(period.start, period.end))
        used = sum(self._used(series, meter, rate, max(rate[0], first.time), min(rate[1], last.time), last.time) for rate in rates)
        standing_charge = tariff.standing_charge(max(period.start, first.time), min(period.end, now))
        return Cost(used, standing_charge) if rates or standing_charge else None

    def kwh(self, series: Series, meter: Meter, period: Period) -> float | None:
        """How many kWh the gas of a period was; None where nobody said what it holds."""
        tariff: Tariff = self.tariffs.of(meter)
        known = [series_amount(series, meter, each.start, each.end) * each.price for each in tariff.kwh_in(period.start, period.end)]
        return sum(known) if known else None

    def _used(self, series: Series, meter: Meter, rate: tuple[float, float, Rate], start: float, end: float, last: float) -> float:
        if not rate[2].windows:
            return _looked_up(series, meter, rate, start, end)
        used, since = 0.0, start
        while since < end:
            month = period_of("month", since)
            chunk = month if since <= month.start and end >= month.end <= last - _SETTLED_SECONDS else period_of("day", since)
            until = min(chunk.end, end)
            used += self._known(series, meter, rate, since, until, is_settled=chunk.end <= last - _SETTLED_SECONDS)
            since = until
        return used

    def _known(self, series: Series, meter: Meter, rate: tuple[float, float, Rate], start: float, end: float, *, is_settled: bool) -> float:
        key = (meter, start, end)
        if (known := self._remembered.get(key)) is not None:
            return known
        used = _looked_up(series, meter, rate, start, end)
        if is_settled:
            self._remembered[key] = used
            if len(self._remembered) > _REMEMBERED_MAX:
                self._remembered.pop(next(iter(self._remembered)), None)
        return used


def _looked_up(series: Series, meter: Meter, rate: tuple[float, float, Rate], start: float, end: float) -> float:
    return sum(series_amount(series, meter, each.start, each.end) * each.price for each in stretches(rate, start, end))


def series_amount(series: Series, meter: Meter, start: float, end: float) -> float:
    """How much it was from `start` until `end`, in the meter's unit; less than nothing where more was taken away than there was."""
    before, after = series.count_at(meter.source, start), series.count_at(meter.source, end)
    if before is None or after is None:
        return 0.0
    return meter.amount(after - before if meter.parts else max(0.0, after - before))
