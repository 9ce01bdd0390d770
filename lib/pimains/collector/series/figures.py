"""The numbers people ask for: how much flows, what the register shows, how much it was today, this month and this year."""

from typing import NamedTuple

from pimains.collector.plan.energy import Flow, Meter, Period, Point, flow_now, periods
from pimains.collector.plan.gauge import HELD_SECONDS, averaged
from pimains.collector.series.series import Series
from pimains.core.plan.sentences import clock_was_set, moment

_AHEAD_SECONDS = 120.0
_GAUGE_QUIET_SECONDS = 300.0  # one that does not change is noted more often than that, and stored soon


class Amount(NamedTuple):
    """How much it was in some period, in the meter's unit; None when nothing was heard in it."""

    name: str
    amount: float | None


class Figures(NamedTuple):
    """One source as it is now. `total` in its unit; `last` is its newest reading that has a time.

    Of a gauge `flow` is its value, None when that is not known now, and nothing adds up.
    """

    meter: Meter
    last: Point
    flow: Flow | None
    total: float
    amounts: list[Amount]


class Bar(NamedTuple):
    """How much it was in a day, month or year, None where nobody knows; `is_whole`: it is over."""

    period: Period
    amount: float | None
    is_whole: bool


BARS = {"days": ("day", 31), "months": ("month", 13), "years": ("year", 10)}


def bars(series: Series, meter: Meter, name: str, now: float, count: int) -> list[Bar]:
    """The last `count` of BARS, oldest first."""
    return [Bar(period, _known(series, meter, period), period.end <= now) for period in periods(BARS[name][0], now, count)]


def figures(series: Series, meter: Meter, now: float) -> Figures | None:
    """The numbers of one source; None while it has no reading."""
    last = series.last(meter.source)
    if last is None:
        return None
    if meter.is_gauge:
        value = Flow(last.pulses, is_bound=False) if now - last.time <= _GAUGE_QUIET_SECONDS else None
        return Figures(meter, last, value, last.pulses, [])
    yesterday, today = periods("day", now, 2)
    last_month, this_month = periods("month", now, 2)
    last_year, this_year = periods("year", now, 2)
    named = (
        ("today", today),
        ("yesterday", yesterday),
        ("this month", this_month),
        ("last month", last_month),
        ("this year", this_year),
        ("last year", last_year),
    )
    return Figures(
        meter,
        last,
        flow_now(meter, series.rises(meter.source), last, now),
        meter.total(last.pulses),
        [Amount(name, _known(series, meter, period)) for name, period in named],
    )


def _known(series: Series, meter: Meter, period: Period) -> float | None:
    """How much it was, None where there is no reading."""
    return amount_in(series, meter, period) if series.has_reading(meter.source, period.start, period.end) else None


def still_to_come(shown: list[Figures], now: float) -> str:
    """What is wrong when readings are of a time that this machine's clock has not reached; '' when none is, or when it was never set."""
    newest = max(shown, key=lambda each: each.last.time, default=None)
    if newest is None or newest.last.time - now <= _AHEAD_SECONDS or not clock_was_set(now):
        return ""
    when = moment(newest.last.time, now)
    return f"{newest.meter.source}: its newest reading is of {when}, which is still to come: set the clock of its machine, or of this one"


def amount_in(series: Series, meter: Meter, period: Period) -> float:
    """How much it was in a period, in the meter's unit."""
    start, end = series.count_at(meter.source, period.start), series.count_at(meter.source, period.end)
    return 0.0 if start is None or end is None else meter.amount(max(0.0, end - start))


def average_in(series: Series, meter: Meter, period: Period) -> float | None:
    """What a gauge was on average in a period, as far as it was known then; None when it was not."""
    start, end = period.start, period.end
    readings = series.readings(meter.source, start - HELD_SECONDS, end + HELD_SECONDS)
    return next((value for _, value in averaged(readings, start, end, end - start)), None)
