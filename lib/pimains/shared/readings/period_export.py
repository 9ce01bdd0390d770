"""What a source was and cost in each local day, month or year, as CSV or JSON: a day of 23 or 25 hours is one row, as is any other."""

import json
import time
from collections.abc import Iterator
from typing import NamedTuple

from pimains.shared.readings.csv_lines import Cell, lines
from pimains.shared.readings.plan.energy import Meter, period_of
from pimains.shared.readings.series.costs import Account, Costs
from pimains.shared.readings.series.figures import average_in
from pimains.shared.readings.series.series import Series

_TURN_SECONDS = 0.1  # then others who want to look have theirs


class Wanted(NamedTuple):
    """Each day, month or year (`kind`) that has something of the time from `start` until before `end`, seconds since 1970."""

    kind: str
    start: float
    end: float


class Table(NamedTuple):
    """Its columns, and its rows as they are looked up, some at a time."""

    source: str
    unit: str
    currency: str | None
    columns: list[str]
    rows: Iterator[list[list[Cell]]]


def table(series: Series, meter: Meter, wanted: Wanted, costs: Costs, now: float) -> Table:
    """From the first reading to the last; None in a cell is what nobody knows."""
    has_price = not meter.is_gauge and costs.tariff(meter).has_price
    unit = f"_{meter.unit}" if meter.unit else ""
    columns = [wanted.kind, f"average{unit}" if meter.is_gauge else f"amount{unit}"]
    columns += ["kWh"] * (meter.unit == "m3" and not meter.is_gauge)
    currency = costs.tariffs.currency if has_price else None
    columns += [f"{name}_{currency}" if currency else name for name in ("cost", "standing_charge") if has_price]
    return Table(
        meter.source, meter.unit, currency, columns, _some(_rows(series, meter, wanted, Account(series, meter, now, costs), columns))
    )


def _rows(series: Series, meter: Meter, wanted: Wanted, account: Account, columns: list[str]) -> Iterator[list[Cell]]:
    first, last = series.first(meter.source), series.last(meter.source)
    if first is None or last is None:
        return
    period = period_of(wanted.kind, max(wanted.start, first.time))
    while period.start < wanted.end and period.start <= last.time:
        if meter.is_gauge:
            yield [period.label, average_in(series, meter, period)]
        else:
            amount, cost = account.known(period), account.cost(period)
            row: list[Cell] = [period.label, amount]
            row += [account.kwh(period)] * ("kWh" in columns)
            if len(columns) > len(row):
                row += [None, None] if amount is None or cost is None else [cost.total, cost.standing_charge]
            yield row
        period = period_of(wanted.kind, period.end)


def _some(rows: Iterator[list[Cell]]) -> Iterator[list[list[Cell]]]:
    some: list[list[Cell]] = []
    began = time.monotonic()
    for row in rows:
        some.append(row)
        if time.monotonic() - began > _TURN_SECONDS:
            yield some
            some, began = [], time.monotonic()
    yield some


def as_csv(told: Table) -> Iterator[str]:
    """A line for each, below the names of the columns."""
    yield lines([told.columns])
    for some in told.rows:
        yield lines(some)


def as_json(told: Table) -> Iterator[str]:
    """The same, as one object."""
    head = {"source": told.source, "unit": told.unit, "currency": told.currency, "columns": told.columns}
    yield json.dumps(head)[:-1] + ', "rows": ['
    separator = "\n"
    for some in told.rows:
        if some:
            yield separator + ",\n".join(json.dumps(row) for row in some)
            separator = ",\n"
    yield "\n]}\n"
