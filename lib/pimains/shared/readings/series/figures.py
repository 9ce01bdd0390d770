"""The numbers people ask for: how much flows, what the register shows, how much it was today, this month and this year."""

from typing import NamedTuple

from pimains.core.plan.sentences import clock_was_set, moment
from pimains.shared.plan.point import Point
from pimains.shared.readings.plan.energy import Flow, Meter, Period, day_before, flow_now, period_of, periods
from pimains.shared.readings.plan.gauge import HELD_SECONDS, averaged
from pimains.shared.readings.series.costs import Account, Cost, Costs
from pimains.shared.readings.series.series import Series

_AHEAD_SECONDS = 120.0
_GAUGE_QUIET_SECONDS = 300.0  # one that does not change is noted more often than that, and stored soon


class Amount(NamedTuple):
    """How much it was in some period, in the meter's unit; None when nothing was heard in it.

    What it cost, None without a price; how many kWh it was, where it is gas of which that is known; of how many of its days, and
    how many these are until now, where its first reading came later.
    """

    name: str
    amount: float | None
    cost: Cost | None = None
    kwh: float | None = None
    days: tuple[int, int] | None = None


class Figures(NamedTuple):
    """One source as it is now. `total` in its unit; `last` is its newest reading that has a time.

    Of a gauge `flow` is its value, None when that is not known now, and nothing adds up.
    `currency` is None where it has no price; `price` is that of a unit now. `counted` is how much its counters have
    counted in all, in its unit, whatever a register shows; `counts_anew_since` when it had a new counter last, if ever.
    """

    meter: Meter
    last: Point
    flow: Flow | None
    total: float
    amounts: list[Amount]
    currency: str | None = None
    price: float | None = None
    counted: float = 0.0
    counts_anew_since: float | None = None


class Bar(NamedTuple):
    """How much it was in a day, month or year, None where nobody knows; `is_whole`: it is over. `cost` and `kwh` as of an Amount."""

    period: Period
    amount: float | None
    is_whole: bool
    cost: Cost | None = None
    kwh: float | None = None


BARS = {"days": ("day", 31), "months": ("month", 13), "years": ("year", 10)}


def bars(series: Series, meter: Meter, name: str, now: float, count: int, costs: Costs | None = None) -> list[Bar]:
    """The last `count` of BARS, oldest first."""
    account = Account(series, meter, now, costs)
    found = [(period, account.known(period)) for period in periods(BARS[name][0], now, count)]
    return [
        Bar(period, amount, period.end <= now)
        if amount is None
        else Bar(period, amount, period.end <= now, account.cost(period), account.kwh(period))
        for period, amount in found
    ]


def figures(series: Series, meter: Meter, now: float, costs: Costs | None = None) -> Figures | None:
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
        ("yesterday by this time", Period("", yesterday.start, day_before(now))),
    )
    first = series.first(meter.source)
    tariff, account = costs and costs.tariff(meter), Account(series, meter, now, costs)
    amounts = [(name, period, account.known(period)) for name, period in named]
    return Figures(
        meter,
        last,
        _flow(series, meter, last, now),
        meter.total(last.pulses),
        [
            Amount(name, amount)
            if amount is None
            else Amount(name, amount, account.cost(period), account.kwh(period), _days(period, first or last, today))
            for name, period, amount in amounts
        ],
        costs.tariffs.currency if costs and tariff and tariff.has_price else None,
        tariff.price_at(now) if tariff else None,
        meter.amount(last.pulses),
        series.counts_anew_since(meter.source),
    )


def _days(period: Period, first: Point, today: Period) -> tuple[int, int] | None:
    begun, end = period_of("day", first.time).start, min(period.end, today.end)
    if begun <= period.start or begun >= end:
        return None
    return round((end - begun) / 86_400), round((end - period.start) / 86_400)


def _flow(series: Series, meter: Meter, last: Point, now: float) -> Flow | None:
    """Of what is derived the sum of its parts', where all of them are known."""
    if not meter.parts:
        return flow_now(meter, series.rises(meter.source), last, now)
    flows = [(sign, _flow(series, part, last, now)) for sign, part in meter.parts for last in [series.last(part.source)] if last]
    if len(flows) < len(meter.parts) or any(flow is None for _, flow in flows):
        return None
    known = [(sign, flow) for sign, flow in flows if flow is not None]
    return Flow(sum(sign * flow.value for sign, flow in known), is_bound=any(flow.is_bound and sign > 0 for sign, flow in known))


def still_to_come(shown: list[Figures], now: float) -> str:
    """What is wrong when readings are of a time that this machine's clock has not reached; '' when none is, or when it was never set."""
    newest = max(shown, key=lambda each: each.last.time, default=None)
    if newest is None or newest.last.time - now <= _AHEAD_SECONDS or not clock_was_set(now):
        return ""
    when = moment(newest.last.time, now)
    return f"{newest.meter.source}: its newest reading is of {when}, which is still to come: set the clock of its machine, or of this one"


def together_in(series: Series, meter: Meter, period: Period, now: float, costs: Costs) -> Amount:
    """What a period adds up to, whether or not there is a reading in it."""
    account = Account(series, meter, now, costs)
    return Amount(period.label, account.amount(period.start, period.end), account.cost(period), account.kwh(period))


def average_in(series: Series, meter: Meter, period: Period) -> float | None:
    """What a gauge was on average in a period, as far as it was known then; None when it was not."""
    start, end = period.start, period.end
    readings = series.readings(meter.source, start - HELD_SECONDS, end + HELD_SECONDS)
    return next((value for _, value in averaged(readings, start, end, end - start)), None)
