"""What /v1/export answers, wherever it is asked: at the collector itself, and at the page of the whole house."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pimains.shared.readings import export, period_export
from pimains.shared.readings.export import Range
from pimains.shared.readings.plan.energy import Meter
from pimains.shared.readings.series.costs import Costs
from pimains.shared.readings.series.series import Series

_KINDS = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


class Wanted(NamedTuple):
    """Readings of some time, as `form`: csv or json."""

    range: Range
    form: str

    @property
    def content_type(self) -> str:
        """Of the answer."""
        return _KINDS[self.form]


def asked(query: Mapping[str, str], meter: Meter, now: float) -> Wanted:
    """By the query's from, to, every and format. Raises ValueError with one line that says what is wrong."""
    wanted = export.asked(query.get("from"), query.get("to"), query.get("every"), now)
    if meter.is_gauge and (wanted.every > export.GAUGE_SECONDS_MAX or wanted.kind in ("month", "year")):
        raise ValueError(f"every: {meter.source} is a value; of those, averages of a day at most")
    form = query.get("format", "csv")
    if form not in _KINDS:
        raise ValueError("format: not csv or json")
    return Wanted(wanted, form)


def chunks(series: Series, meter: Meter, wanted: Wanted, costs: Costs, now: float) -> Iterator[str]:
    """The answer, some of it at a time."""
    start, end, _, kind = wanted.range
    if kind:
        told = period_export.table(series, meter, period_export.Wanted(kind, start, end), costs, now)
        return period_export.as_csv(told) if wanted.form == "csv" else period_export.as_json(told)
    write = export.csv if wanted.form == "csv" else export.as_json
    return write(meter, export.rows(series, meter, wanted.range))
