"""What the lines of a table say flowed when: its values are totals, amounts or watts, and its times moments or spans of time."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Literal, NamedTuple

from pimains.collector.plan.table_columns import Kind
from pimains.collector.plan.table_times import following, moved
from pimains.shared.readings.plan.imports import Slice

Side = Literal["begin", "end"]
_GAP_SECONDS = 60.0
_QUIET_SECONDS = 600.0
_GAP_STEPS = 2.5
_MISSING_STEPS = 1.5  # a line of amounts is missing
_SAME_SECONDS = 0.002


class Line(NamedTuple):
    """The line number `line`: from `start` until `end`, seconds since 1970, the same for a moment; the value; None: not known."""

    start: float
    end: float
    value: float | None
    line: int


class Way(NamedTuple):
    """One way to read a table: its values are of that kind; `time` is the side of what a line counts that its time is, or None."""

    kind: Kind
    time: Side | None


def slices(way: Way, lines: Iterable[Line], step: float, total: list[float]) -> Iterator[Slice]:
    """In the order of time; `step`: so many seconds are usually between lines; `total` becomes the last that was read.

    Raises ValueError for what cannot be; it is the line that was taken last.
    """
    if way.kind == "total":
        return _of_totals(lines, step, way.time, total)
    of = _watts if way.kind == "watts" else _amount
    if way.time is None:
        return _of_spans(lines, max(_QUIET_SECONDS, _GAP_STEPS * step), of)
    longest = max(_GAP_SECONDS, (_GAP_STEPS if way.kind == "watts" else _MISSING_STEPS) * step)
    if way.time == "begin":
        return _until_the_next(lines, step, longest, of)
    return _since_the_line_before(lines, step, longest, of, has_first=way.kind == "amount")


def _amount(value: float, _: float) -> float:
    if value < 0:
        raise ValueError(f"{value:g}: what flows back cannot be counted")
    return value


def _watts(value: float, seconds: float) -> float:
    if value < 0:
        raise ValueError(f"{value:g} W: what flows back cannot be counted")
    return value * seconds / 3_600_000


def _of_spans(lines: Iterable[Line], longest: float, of: Callable[[float, float], float]) -> Iterator[Slice]:
    reached = float("-inf")
    for start, end, value, _ in lines:
        if start < reached - _SAME_SECONDS:
            raise ValueError("it begins before the line above it ends")
        reached = end
        if value is not None:
            yield Slice(end, end - start, of(value, end - start), end - start <= longest)


def _since_the_line_before(
    lines: Iterable[Line], step: float, longest: float, of: Callable[[float, float], float], has_first: bool
) -> Iterator[Slice]:
    """After a gap an amount is that of one step; watts are not known then."""
    before: float | None = None
    for time, _, value, _ in lines:
        start = before
        if (start is None or time - start > longest) and value is not None:
            start = moved(time, step, -1) if has_first else None
        if value is not None:
            checked = of(value, 0.0 if start is None else time - start)
            if start is not None:
                yield Slice(time, time - start, checked)
        before = time


def _until_the_next(lines: Iterable[Line], step: float, longest: float, of: Callable[[float, float], float]) -> Iterator[Slice]:
    """The last line, and one before a gap, are of one step."""
    before: Line | None = None
    for each in lines:
        if each.value is not None:
            of(each.value, 0.0)
        if before is not None and before.value is not None:
            end = each.start if each.start - before.start <= longest else moved(before.start, step, 1)
            yield Slice(end, end - before.start, of(before.value, end - before.start))
        before = each
    if before is not None and before.value is not None and step:
        end = moved(before.start, step, 1)
        yield Slice(end, end - before.start, of(before.value, end - before.start))


def _of_totals(lines: Iterable[Line], step: float, side: Side | None, last: list[float]) -> Iterator[Slice]:
    longest = max(_QUIET_SECONDS, _GAP_STEPS * step)
    before: tuple[float, float] | None = None
    for start, end, total, _ in lines:
        if total is None:
            continue
        time = end if side == "end" else start
        if before is not None:
            if total < before[1]:
                raise ValueError(
                    f"{total:.10g} is less than {before[1]:.10g} above it: a total never falls. Amounts are --column=amount; where a meter "
                    "was replaced, make two files: one up to the line above, one from this line on"
                )
            yield Slice(time, time - before[0], total - before[1], time - before[0] <= longest)
        before = (time, total)
        last[:] = [total]


class Sums:
    """What flowed in each local day, month or year (`kind`), by its name, oldest first."""

    def __init__(self, kind: str) -> None:
        self.amounts: dict[str, float] = {}
        self._kind = kind
        self._label, self._start, self._end = "", 0.0, 0.0

    def add(self, piece: Slice) -> None:
        """One more; where it is of several of them, each has its share."""
        start = piece.end - piece.seconds
        at = start + min(_SAME_SECONDS, piece.seconds / 2)
        while True:
            if not self._start <= at < self._end:
                self._begin(at)
            end = min(piece.end, self._end)
            share = 1.0 if end - start >= piece.seconds - 2 * _SAME_SECONDS else (end - start) / piece.seconds
            self.amounts[self._label] = self.amounts.get(self._label, 0.0) + share * piece.amount
            if end >= piece.end - 2 * _SAME_SECONDS:
                return
            start = at = end

    def _begin(self, at: float) -> None:
        local = datetime.fromtimestamp(at).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        if self._kind == "month":
            local = local.replace(day=1)
        elif self._kind == "year":
            local = local.replace(month=1, day=1)
        self._start, self._end = local.timestamp(), following(local, self._kind).timestamp()
        self._label = local.strftime({"day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}[self._kind])
