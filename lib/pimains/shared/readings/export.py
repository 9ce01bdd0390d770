"""A source's readings of some time as CSV or JSON, a chunk at a time: a year is never in memory as a whole."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from pimains.shared.plan.point import Point
from pimains.shared.readings.plan.energy import KINDS, Meter
from pimains.shared.readings.plan.gauge import HELD_SECONDS, averaged
from pimains.shared.readings.series.series import Series

ROWS_MAX = 1_000_000  # where rows are made up: every=SECONDS
_CHUNK_ROWS = 500
_DAY_SECONDS = 86400.0
GAUGE_SECONDS_MAX = 86400.0  # all readings of a row are read at once, and others want their turn


class Range(NamedTuple):
    """From `start` until before `end`, seconds since 1970; a row every so many seconds, or 0: each reading as it is.

    `kind`: a row for each local day, month or year (period_export.py).
    """

    start: float
    end: float
    every: float
    kind: str = ""


def asked(start: str | None, end: str | None, every: str | None, now: float) -> Range:
    """What a person wants: dates or times (ISO 8601, local unless they say otherwise) or seconds since 1970; the last day at first.

    Raises ValueError with one line that says what is wrong.
    """
    until = now if end is None else _moment(end, "to")
    since = until - _DAY_SECONDS if start is None else _moment(start, "from")
    kind = every if every in KINDS else ""
    try:
        step = float("0" if kind else every or 0)
    except ValueError:
        step = -1.0
    if not (step == 0 or 1 <= step <= 1e9):
        raise ValueError("every: not a number of seconds from 1, day, month or year")
    if since >= until:
        raise ValueError("from: not before to")
    if step and (until - since) / step > ROWS_MAX:
        raise ValueError(f"every: that would be more than {ROWS_MAX} rows")
    return Range(since, until, step, kind)


def _moment(text: str, name: str) -> float:
    try:
        value = float(text)
    except ValueError:
        try:
            return datetime.fromisoformat(text).timestamp()
        except (ValueError, OverflowError, OSError):
            value = -1.0
    if not 0 <= value <= 253_402_300_799:
        raise ValueError(f"{name}: not a time such as 2026-11-21, 2026-11-21T14:05 or 1795269900")
    return value


def rows(series: Series, meter: Meter, wanted: Range) -> Iterator[Point]:
    """The readings; where every so many seconds is wanted, the count at these times as far as readings go.

    Of a gauge it is the average until the next row; where it was not known there is none.
    """
    if not wanted.every:
        yield from series.points(meter.source, wanted.start, wanted.end)
        return
    if meter.is_gauge:
        readings = series.readings(meter.source, wanted.start - HELD_SECONDS, wanted.end + HELD_SECONDS)
        yield from (Point(*each) for each in averaged(readings, wanted.start, wanted.end, wanted.every))
        return
    first, last = series.first(meter.source), series.last(meter.source)
    if first is None or last is None:
        return
    for number in range(int((wanted.end - wanted.start) / wanted.every) + 1):
        at = wanted.start + number * wanted.every
        if first.time <= at <= last.time and at < wanted.end and (count := series.count_at(meter.source, at)) is not None:
            yield Point(at, count)


def csv(meter: Meter, points: Iterator[Point]) -> Iterator[str]:
    """time (UTC), seconds since 1970, count, total, and the amount since the row before; of a gauge its value alone."""
    if meter.is_gauge:
        yield "time,unixtime,value\n"
        for chunk in _chunks(meter, points):
            yield "".join(f"{when},{at:.3f},{value:.10g}\n" for when, at, value, _, _ in chunk)
        return
    yield f"time,unixtime,pulses,total_{meter.unit},amount_{meter.unit}\n"
    for chunk in _chunks(meter, points):
        yield "".join(f"{when},{at:.3f},{pulses:.10g},{total:.10g},{amount:.6g}\n" for when, at, pulses, total, amount in chunk)


def as_json(meter: Meter, points: Iterator[Point]) -> Iterator[str]:
    """The same, as one object."""
    names = ["time", "unixtime", "value"] if meter.is_gauge else ["time", "unixtime", "pulses", "total", "amount"]
    head = {"source": meter.source, "unit": meter.unit, "columns": names}
    yield json.dumps(head)[:-1] + ', "rows": ['
    separator = "\n"
    for chunk in _chunks(meter, points):
        yield separator + ",\n".join(json.dumps(row[: len(names)]) for row in chunk)
        separator = ",\n"
    yield "\n]}\n"


def _chunks(meter: Meter, points: Iterator[Point]) -> Iterator[list[tuple[str, float, float, float, float]]]:
    """Lists of rows, short where looking takes long: others want their turn."""
    before: float | None = None
    chunk = []
    began = time.monotonic()
    for at, pulses in points:
        when = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        total, amount = (
            (0.0, 0.0) if meter.is_gauge else (meter.total(pulses, at), 0.0 if before is None else meter.amount(pulses - before))
        )
        chunk.append((when, round(at, 3), pulses, total, amount))
        before = pulses
        if len(chunk) >= _CHUNK_ROWS or time.monotonic() - began > 0.1:
            yield chunk
            chunk, began = [], time.monotonic()
    if chunk:
        yield chunk
