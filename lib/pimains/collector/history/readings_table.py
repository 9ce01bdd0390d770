"""Readings in tables, as spreadsheets and other programs write them: a column of times, one of watts, totals or amounts.

    time,watts                       2026-11-20T14:05:00Z,350
    unixtime,total_kWh               1795266300,12345.6
    Datum;Leistung                   20.11.2026 14:05;1.234,5
    Datum;Verbrauch [kWh]            20.11.2026;8,4

What a table does not say is asked about, with what each answer would come to.
"""

import contextlib
import csv
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import NamedTuple

from pimains.collector.history.table_file import Sheet, encoding_of, is_workbook
from pimains.collector.plan import table_wide
from pimains.collector.plan.table_columns import Column, Kind, Place, chosen, head_of, joined, place_of
from pimains.collector.plan.table_numbers import MARKS, Numbers
from pimains.collector.plan.table_slices import Line, Side, Sums, Way, slices
from pimains.collector.plan.table_times import LATEST, PERIODS, Times, moved
from pimains.core.errors import PimainsError
from pimains.shared.readings.plan.imports import Slice

_SAMPLE = 1000
_SHOWN = 4  # days in a line
_AHEAD_SECONDS = 86_400.0  # of a program with another idea of local time


class Wrong(PimainsError):
    """This is no table that can be imported; the text names the line."""


class Said(NamedTuple):
    """What a person says about a table: its values are `column`, a line's time is the `time` of what it counts; names as in it."""

    column: Kind | None = None
    time: Side | None = None
    values: str | None = None
    decimal: str | None = None


class Read(NamedTuple):
    """What a table comes to, read in the way `way`: in each day, month or year; or `why` it cannot be read so."""

    way: Way
    amounts: dict[str, float]
    why: str | None


class _Content(NamedTuple):
    """What of a table is read: `column` has its values."""

    column: Column
    place: Place
    numbers: Numbers
    rows: Iterable[tuple[int, list[str]]]


class Table:
    """The table in the file `path`. `unit` is what its source counts in: kWh or m3; `now` is the clock.

    `total` becomes the last of its totals, `not_over` how many of its lines are of an hour, day, month or year that is not over.
    """

    def __init__(
        self, path: Path, unit: str | None, progress: Callable[[int], None], now: float = LATEST, said: Said | None = None
    ) -> None:
        self.unit = unit
        self.total: list[float] = []
        self.not_over = 0
        self.encoding = "utf-8-sig"
        self._path = path
        self._line = 1
        self._progress = progress
        self._now = now
        self._said = said or Said()
        self._times = Times()
        self._column = Column(0, "", None, None, 1.0)

    def ways(self) -> list[Way]:
        """Those in which it may be read: one, when that is clear. Raises Wrong and OSError."""
        with self._opened() as sheet:
            content = self._content(sheet)
            self._column = content.column
            self.unit = content.column.unit or "kWh"
            begun, _, _ = self._begun(content)
            return self._possible(content.place, all(each.start == each.end for each in begun))

    def slices(self) -> Iterator[Slice]:
        """What flowed when. Raises Wrong, also when that is not clear, and OSError."""
        ways = self.ways()
        if len(ways) > 1:
            raise Wrong(self.question(self.read_in(ways)))
        return self.read(ways[0])

    def read(self, way: Way) -> Iterator[Slice]:
        """What flowed when, if it is read so. Raises Wrong and OSError."""
        self.not_over = 0
        with self._opened() as sheet:
            begun, rest, step = self._begun(self._content(sheet))
            if way.kind == "amount" and way.time and len(begun) == 1:
                raise ValueError("one line alone does not say for how long its amount is: add the one before it")
            for piece in slices(way, self._taken(chain(begun, rest), way), step, self.total):
                if way.time == "begin" and way.kind != "total" and piece.end > self._now:
                    self.not_over += 1
                else:
                    yield piece

    def sums(self, way: Way) -> dict[str, float]:
        """What it comes to in each day, or month or year when these are its times, oldest first. Raises Wrong and OSError."""
        pieces = self.read(way)
        first = next(pieces, None)
        sums = Sums(self.period("day"))
        for piece in chain([] if first is None else [first], pieces):
            sums.add(piece)
        return sums.amounts

    def read_in(self, ways: list[Way]) -> list[Read]:
        """What it comes to in each of these ways. Raises Wrong when it can be read in none of them, and OSError."""
        reads = []
        for way in ways:
            try:
                reads.append(Read(way, self.sums(way), None))
            except Wrong as wrong:
                reads.append(Read(way, {}, str(wrong).removeprefix(f"{self._path.name} ")))
        if all(read.why for read in reads):
            raise Wrong(f"{self._path.name} {reads[0].why}")
        return reads

    def options(self, way: Way) -> str:
        """What a person says who wants it read so."""
        words = [f"--column={way.kind}"] if self._column.kind is None else []
        return " ".join([*words, f"--time={way.time}"] if way.time else words)

    def meaning(self, way: Way) -> str:
        """In words: which column it is, and what it is taken for."""
        period = self.period("line")
        of_time = {None: "at its time", "begin": f"at the begin of its {period}", "end": f"at the end of its {period}"}
        if way.kind != "total":
            until = "until its time" if way.kind == "amount" else "since the line before"
            of_time = {None: f"of its whole {period}", "begin": "from its time on", "end": until}
        return f"{self._column.name!r} is taken for {way.kind.removesuffix('s')}s, each {of_time[way.time]}"

    def what(self) -> str:
        """What has to be said of it, when there are several ways."""
        if self._column.kind is None:
            return f"the column {self._column.name!r} does not say whether it has amounts or totals"
        if self._column.kind == "total":
            return f"nothing says whether a total was read at the begin or at the end of its {self.period('line')}"
        return "nothing says whether a line's time is the begin or the end of what it counts"

    def period(self, other: str) -> str:
        """What its times are: day, month or year; `other` when they are moments."""
        return self._times.form if self._times.form in PERIODS else other

    def question(self, reads: list[Read]) -> str:
        """The same with what each answer comes to, in one line."""
        answers = [
            f"{self.options(each.way)}{f' is {brief(each.amounts, self.unit)}' if each.why is None else f' cannot be ({each.why})'}"
            for each in reads
        ]
        return f"{self._path.name}: {self.what()}; say which: {'; '.join(answers)}"

    @contextlib.contextmanager
    def _opened(self) -> Iterator[Sheet]:
        self._line = 1
        if is_workbook(self._path):
            raise Wrong(f"{self._path.name}: it is a workbook of a spreadsheet program: save the sheet as CSV there, and import that")
        try:
            self.encoding = encoding_of(self._path)
            with self._path.open(encoding=self.encoding, newline="") as file:
                yield Sheet(file, self._progress)
        except UnicodeError:
            raise Wrong(f"{self._path.name}: it is no text in UTF-8, UTF-16 or cp1252") from None
        except (csv.Error, ValueError) as error:
            raise Wrong(f"{self._path.name} line {self._line}: {error}") from None

    def _content(self, sheet: Sheet) -> _Content:
        said, names, rows = self._said, sheet.names, sheet.rows()
        self._line = sheet.line
        if table_wide.is_one(names):
            turned = table_wide.turned(names, rows, self.unit, said.values)
            names, column, rows = turned.names, turned.column, iter(turned.rows)
            head = head_of(names[:1])
        else:
            head = head_of(names)
            column = chosen(head, names, self.unit, said.values, said.column)
        sample = list(islice(rows, _SAMPLE))
        place = place_of(head, names, sample[0][1] if sample else names)
        numbers = Numbers(MARKS[said.decimal] if said.decimal else None, sheet.separator == ",")
        numbers.learn(row[column.at] for _, row in sample if len(row) > column.at)
        self._times = Times(head.is_utc)
        if place.date is None:
            self._times.learn(row[place.start].strip() for _, row in sample if len(row) > place.start)
        else:
            self._times.learn(row[place.date].strip() for _, row in sample if len(row) > place.date)
        return _Content(column, place, numbers, chain(sample, rows))

    def _begun(self, content: _Content) -> tuple[list[Line], Iterator[Line], float]:
        """Its first lines, those that follow, and how many seconds are usually between them."""
        lines = self._lines(content)
        begun = list(islice(lines, _SAMPLE))
        steps = sorted(after.start - before.start for before, after in pairwise(begun) if after.start > before.start)
        return begun, lines, steps[(len(steps) - 1) // 2] if steps else 0.0

    def _possible(self, place: Place, are_moments: bool) -> list[Way]:
        """The ways in which such a table may be read."""
        said = self._said.time
        kind_of_it: Kind | None = self._column.kind or ("amount" if place.end is not None else None)  # from until is a time in which
        kinds: list[Kind] = ["amount", "total"] if kind_of_it is None else [kind_of_it]
        if said and kinds == ["total"] and are_moments:
            raise ValueError(f"--time={said}: a total is of the time of day that is beside it")
        if said == "end" and "total" not in kinds and not are_moments:
            raise ValueError(f"--time=end: {kinds[0].removesuffix('s')}s without a time of day are of their whole {self.period('line')}")
        both: list[Side] = ["begin", "end"] if said is None else [said]
        ways: list[Way] = []
        for kind in kinds:
            if (kind == "total") == are_moments:
                ways.append(Way(kind, None))
            elif not are_moments:
                ways += [Way(kind, side) for side in both] if kind == "total" else [Way(kind, None)]
            elif said is None and (place.side or kind == "watts"):
                ways.append(Way(kind, place.side or "end"))
            else:
                ways += [Way(kind, side) for side in both]
        return ways

    def _lines(self, content: _Content) -> Iterator[Line]:
        column, place, numbers = content.column, content.place, content.numbers
        times, factor = self._times, column.factor
        widest = max(column.at, *(at for at in place[:4] if at is not None))
        reached, before, entity = float("-inf"), None, ""
        for self._line, row in content.rows:
            if len(row) <= widest:
                raise ValueError(f"{len(row)} column{'s' if len(row) != 1 else ''} where the first line has more")
            text = row[place.start].strip() if place.date is None else joined(row[place.date], row[place.start])
            start, end = times.read(text, reached)
            if start > self._now + _AHEAD_SECONDS:
                raise ValueError(f"{text[:40]!r} is still to come, by this machine's clock")
            if place.end is not None:
                until = row[place.end].strip() if place.date is None else joined(row[place.date], row[place.end])
                end = times.read(until, start).end
                if end <= start and place.date is not None:  # until midnight
                    end = moved(end, 86_400.0, 1)
                if end <= start:
                    raise ValueError(f"{until[:40]!r} is not after {text[:40]!r}")
            if place.entity is not None:
                if entity and row[place.entity] != entity:
                    raise ValueError(f"it is of {row[place.entity][:40]!r}, and the lines above of {entity[:40]!r}: one of them a file")
                entity = row[place.entity]
            value = numbers.value(row[column.at])
            if value is not None and factor != 1.0:
                value *= factor
            if start < reached:
                raise ValueError("its time is before that of the line above: sort the lines by time, oldest first")
            if start == reached and value != before:
                raise ValueError("it has the time of the line above, and another value")
            reached, before = start, value
            yield Line(start, end, value, self._line)

    def _taken(self, lines: Iterable[Line], way: Way) -> Iterator[Line]:
        """Those that are over, each once."""
        reached = float("-inf")
        for each in lines:
            self._line = each.line
            if each.start == reached:
                if way.kind == "amount":
                    raise ValueError("it has the time of the line above: there is one amount for a time")
                continue
            reached = each.start
            if each.end > max(self._now, each.start) and not (way.kind == "total" and way.time == "begin"):
                self.not_over += 1
                continue
            yield each


def brief(amounts: dict[str, float], unit: str | None) -> str:
    """The first and the last of them, and their sum."""
    told = [f"{name} {amount:.2f}" for name, amount in amounts.items()]
    shown = told if len(told) <= _SHOWN else [*told[: _SHOWN - 2], "...", *told[-1:]]
    return f"{', '.join(shown)}; in all {sum(amounts.values()):.2f} {unit}".removeprefix("; ").replace("...,", "...")
