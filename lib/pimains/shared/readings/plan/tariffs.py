"""What a source's unit costs at any time, its standing charge, and how many kWh a cubic metre of gas is.

Times are seconds since 1970; days and hours are those of local time, also where a day has 23 or 25 of them.
"""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime
from itertools import dropwhile, groupby, pairwise
from typing import Any, NamedTuple, TypeAlias, TypeVar

from pimains.shared.readings.plan.energy import Meter, Period, period_of
from pimains.shared.readings.plan.price_lines import DAY_MINUTES, PriceLine, Window

BEGINNING = float("-inf")
_DAY_SECONDS = 86_400
T = TypeVar("T")
Steps: TypeAlias = list[tuple[float, T]]  # since when which holds, in the order of time


class Seen(NamedTuple):
    """What the settings PRICE and PRICE_M3 said since `start`, None where they were empty."""

    start: float
    kwh: float | None
    m3: float | None


class Rate(NamedTuple):
    """What a unit costs in the times of a week: `of_rest` where none of `windows` is, of which the last one counts."""

    of_rest: float
    windows: tuple[tuple[Window, float], ...] = ()
    is_of_kwh: bool = False  # where the source counts m3

    def at(self, weekday: int, minute: int) -> float:
        """On a day (0 is Monday), so many minutes after midnight."""
        return next((price for window, price in reversed(self.windows) if window.has(weekday, minute)), self.of_rest)


class Stretch(NamedTuple):
    """From `start` until `end` a unit costs `price`."""

    start: float
    end: float
    price: float


class Tariff(NamedTuple):
    """One source's: what its unit costs, what it costs a month whatever it used, and the kWh of a unit."""

    rates: Steps[Rate | None]
    standing_charges: Steps[float]
    kwh_of_unit: Steps[float]

    @property
    def has_price(self) -> bool:
        """Whether it ever has one."""
        return any(rate is not None for _, rate in self.rates) or bool(self.standing_charges)

    def price_at(self, time: float) -> float | None:
        """Of one unit; None when nobody said it."""
        return next((each.price for rate in self.rates_in(time, time + 1) for each in stretches(rate, time, time + 1)), None)

    def rates_in(self, start: float, end: float) -> Iterator[tuple[float, float, Rate]]:
        """From when until when which rate held, in prices of the source's own unit; where nobody said one, nothing."""
        for since, until in _pieces(start, end, self.rates, self.kwh_of_unit):
            rate = _holding(self.rates, since)
            if rate is not None and rate.is_of_kwh:
                kwh = _holding(self.kwh_of_unit, since)
                rate = None if kwh is None else Rate(rate.of_rest * kwh, tuple((window, price * kwh) for window, price in rate.windows))
            if rate is not None:
                yield since, until, rate

    def kwh_in(self, start: float, end: float) -> Iterator[Stretch]:
        """From when until when a unit is how many kWh."""
        for since, until in _pieces(start, end, self.kwh_of_unit):
            if (kwh := _holding(self.kwh_of_unit, since)) is not None:
                yield Stretch(since, until, kwh)

    def standing_charge(self, start: float, end: float) -> float:
        """What it is from `start` until `end`: each day its share of its month."""
        charge = 0.0
        for begun, until in _pieces(start, end, self.standing_charges) if self.standing_charges else ():
            of_month, since = _holding(self.standing_charges, begun) or 0.0, begun
            while of_month and since < until:
                month = period_of("month", since)
                stop = min(until, month.end)
                charge += of_month * (_share(month, stop) - _share(month, since))
                since = stop
        return charge


class Tariffs:
    """Those of all sources: what `lines` say, and until the first of them for all what the settings said."""

    def __init__(self, lines: list[PriceLine], seen: list[Seen], currency: str) -> None:
        self.currency = currency
        self._lines = lines
        self._seen = seen

    def of(self, meter: Meter) -> Tariff:
        """The one of this source: what its own lines say, from the first of them on, and those for all before."""
        own = [line for line in self._lines if line.source == meter.source]
        if meter.is_gauge:
            return Tariff([], [], [])
        everybody = [line for line in self._lines if line.source is None]
        setting = _rates_of_setting([(each.start, each.kwh if meter.unit == "kWh" else each.m3) for each in self._seen])
        name = "PRICE" if meter.unit == "kWh" else "PRICE_M3"
        rates = _followed(_followed(setting, _rates(everybody, (name,), meter)), _rates(own, ("PRICE", "PRICE_M3"), meter))
        standing = [] if meter.parts else _values([line for line in everybody if name in line.values], "STANDING_CHARGE")
        calorific, state = _values(own, "CALORIFIC_VALUE"), _values(own, "STATE_NUMBER")
        times = sorted({start for start, _ in calorific + state if calorific and start >= calorific[0][0]})
        kwh = [(time, (_holding(calorific, time) or 0.0) * (_holding(state, time) or 1.0)) for time in times]
        return Tariff(rates, _followed(standing, _values(own, "STANDING_CHARGE")), kwh if meter.unit == "m3" else [])

    def unknown(self, sources: set[str]) -> list[str]:
        """The sources that lines name and that are not among these, a line each."""
        return [
            f"line {line.number}: there is no source {line.source}" for line in self._lines if line.source and line.source not in sources
        ]


def stretches(rate: tuple[float, float, Rate], start: float, end: float) -> Iterator[Stretch]:
    """Of what `rates_in` told, what is between `start` and `end`, a stretch for each time in which the price is the same."""
    since, until, prices = max(rate[0], start), min(rate[1], end), rate[2]
    if not prices.windows:
        if since < until:
            yield Stretch(since, until, prices.of_rest)
        return
    for price, same in groupby(_by_days(prices, since, until), key=lambda each: each.price):
        some = list(same)
        yield Stretch(some[0].start, some[-1].end, price)


def _by_days(rate: Rate, start: float, end: float) -> Iterator[Stretch]:
    edges = sorted({0, *(minute % DAY_MINUTES for window, _ in rate.windows for minute in (window.begin, window.end))})
    since = start
    while since < end:
        day = period_of("day", since)
        weekday = datetime.fromtimestamp(day.start).weekday()
        if day.end - day.start == _DAY_SECONDS:
            priced = [(day.start + minute * 60, rate.at(weekday, minute)) for minute in edges]
        else:  # an hour is left out or comes twice: what the clock on the wall shows says which price it is
            times = range(int(day.start), int(day.end), 60)
            priced = [(time, rate.at(weekday, at.hour * 60 + at.minute)) for time in times for at in [datetime.fromtimestamp(time)]]
        for number, (begun, price) in enumerate(priced):
            until = priced[number + 1][0] if number + 1 < len(priced) else day.end
            if until > since and begun < end:
                yield Stretch(max(begun, since), min(until, end), price)
        since = day.end


def _share(month: Period, time: float) -> float:
    """How much of a month's days is over."""
    if time >= month.end:
        return 1.0
    day = period_of("day", time)
    days = datetime.fromtimestamp(month.end - 1).day
    return (datetime.fromtimestamp(day.start).day - 1 + (time - day.start) / (day.end - day.start)) / days


def _rates_of_setting(seen: Steps[float | None]) -> Steps[Rate | None]:
    """The first price that it had holds from the beginning."""
    rates = [(start, None if price is None else Rate(price)) for start, price in dropwhile(lambda each: each[1] is None, seen)]
    return [(BEGINNING, rates[0][1]), *rates[1:]] if rates else []


def _rates(lines: list[PriceLine], names: tuple[str, ...], meter: Meter) -> Steps[Rate | None]:
    """Lines of the same time are one rate: the one that has no window, and those that have."""
    said = sorted((line.start, line.window is not None, line.number, name) for line in lines for name in names if name in line.values)
    by_number = {line.number: line for line in lines}
    found: Steps[Rate | None] = []
    for start, some in groupby(said, key=lambda each: each[0]):
        (_, _, number, name), *rest = some
        windows = [(line.window, line.values[name]) for *_, each, name in rest for line in [by_number[each]]]
        known = tuple((window, price) for window, price in windows if window is not None)
        found.append((start, Rate(by_number[number].values[name], known, name == "PRICE" and meter.unit == "m3")))
    return found


def _values(lines: list[PriceLine], name: str) -> Steps[float]:
    return sorted((line.start, line.values[name]) for line in lines if name in line.values)


def _followed(before: Steps[T], after: Steps[T]) -> Steps[T]:
    """`before` until the first of `after`, and then these alone."""
    return [each for each in before if not after or each[0] < after[0][0]] + after


def _holding(steps: Steps[T], time: float) -> T | None:
    number = bisect_right(steps, time, key=lambda each: each[0])
    return steps[number - 1][1] if number else None


def _pieces(start: float, end: float, *steps: Steps[Any]) -> Iterator[tuple[float, float]]:
    """From `start` until `end`, cut where one of `steps` begins."""
    edges = sorted({start, end, *(since for some in steps for since, _ in some if start < since < end)})
    return pairwise(edges) if start < end else iter(())
