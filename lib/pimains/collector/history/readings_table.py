"""Readings in tables, as spreadsheets and other programs write them: a column of times, one of watts, totals or amounts.

    time,watts                       2026-11-20T14:05:00Z,350
    unixtime,total_kWh               1795266300,12345.6
    Datum;Leistung                   20.11.2026 14:05;1.234,5

A time without a zone is local: where an hour comes twice in autumn, its second time follows its first.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import NamedTuple, TextIO

from pimains.collector.plan.imports import Slice
from pimains.core.errors import PimainsError

_TIMES = ("unixtime", "time", "timestamp", "date", "datetime", "datum", "zeit", "zeitstempel", "datum/uhrzeit")
_WATTS = ("watts", "watt", "w", "power", "leistung")
_TOTALS = {"kWh": ("total_kwh", "kwh", "total", "zählerstand"), "m3": ("total_m3", "m3", "m³", "total", "zählerstand")}
_AMOUNTS = {"kWh": ("amount_kwh", "verbrauch"), "m3": ("amount_m3", "verbrauch")}
_GERMAN_TIME = re.compile(r"([0-3]?[0-9])\.([01]?[0-9])\.([0-9]{4})(?:[ T]+([0-2]?[0-9]):([0-5][0-9])(?::([0-5][0-9]))?)?")
_UNKNOWN = ("", "nan", "-nan", "u", "-", "null", "none")
_SAMPLE = 1000
_LINE = 64 * 1024
_GAP_SECONDS = 60.0
_QUIET_SECONDS = 600.0
_GAP_STEPS = 2.5
_AHEAD_SECONDS = 86_400.0  # of a program with another idea of local time
_LATEST = 253_402_300_799.0


def _values_of(unit: str | None) -> str:
    """The columns that a source in `unit` has its values in, as people are told of them."""
    units = ("kWh", "m3") if unit is None else (unit,)
    names = [*(("watts",) if "kWh" in units else ()), *(f"total_{each}" for each in units), *(f"amount_{each}" for each in units)]
    return ", ".join(names)


class Wrong(PimainsError):
    """This is no table that can be imported; the text names the line."""


class Told(NamedTuple):
    """The line number `line`: seconds since 1970, and the value; None: not known."""

    time: float
    value: float | None
    line: int


class Table:
    """The table in the file `path`. `unit` is what its totals are in: kWh or m3; `total` the last of them; `now` is the clock."""

    def __init__(self, path: Path, unit: str | None, progress: Callable[[int], None], now: float = _LATEST) -> None:
        self.unit = unit
        self.total: list[float] = []
        self._path = path
        self._line = 1
        self._progress = progress
        self._is_german = False
        self._now = now

    def find_unit(self) -> str:
        """What it is in. Raises Wrong and OSError."""
        next(self.slices(), None)
        return self.unit or "kWh"

    def slices(self) -> Iterator[Slice]:
        """What flowed when. Raises Wrong and OSError."""
        with self._path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            try:
                yield from self._read(file)
            except csv.Error as error:
                raise self._wrong(str(error)) from None

    def _read(self, file: TextIO) -> Iterator[Slice]:
        lines = self._counted(file)
        number, head = next(((number, line.strip()) for number, line in enumerate(lines, 1) if line.strip()), (1, ""))
        separator = next((each for each in (";", "\t") if each in head), ",")
        names = [name.strip().strip('"').lower() for name in head.split(separator)]
        at = next((names.index(name) for name in _TIMES if name in names), None)
        column, make = self._what(names)
        if at is None or column is None:
            raise self._wrong(
                f"the first line names no columns that are known{f' for a source in {self.unit}' if self.unit else ''}: one of "
                f"{', '.join(_TIMES[:4])}, and one of {_values_of(self.unit)} (it has {head[:80]!r})"
            )
        reader = csv.reader(lines, delimiter=separator)
        rows = ((number + reader.line_num, row) for row in reader if row)
        sample = list(islice(rows, _SAMPLE))
        self._is_german = separator != "," and any("," in row[column] for _, row in sample if len(row) > column)
        told = self._told(chain(sample, rows), at, column)
        begun = list(islice(told, _SAMPLE))
        steps = sorted(after.time - before.time for before, after in pairwise(begun))
        yield from make(chain(begun, told), steps[len(steps) // 2] if steps else 0.0)

    def _what(self, names: list[str]) -> tuple[int | None, Callable[[Iterable[Told], float], Iterator[Slice]]]:
        """Which column has the values, and what is made of them."""
        units = ("kWh", "m3") if self.unit is None else (self.unit,)
        for unit in units:
            for known, make in ((_TOTALS[unit], self._of_totals), (_AMOUNTS[unit], self._of_amounts)):
                for name in known:
                    if name in names:
                        self.unit = unit
                        return names.index(name), make
        for name in _WATTS if "kWh" in units else ():
            if name in names:
                self.unit = "kWh"
                return names.index(name), self._of_watts
        return None, self._of_watts

    def _counted(self, file: TextIO) -> Iterator[str]:
        done = 0
        while line := file.readline(_LINE):
            done += len(line)
            self._progress(done)
            yield line

    def _told(self, rows: Iterable[tuple[int, list[str]]], at: int, column: int) -> Iterator[Told]:
        reached, before = float("-inf"), None
        for self._line, row in rows:
            if len(row) <= max(at, column):
                raise self._wrong(f"{len(row)} column{'s' if len(row) != 1 else ''} where the first line has more")
            time = self._time(row[at].strip(), reached)
            value = self._value(row[column].strip())
            if time < reached:
                raise self._wrong("its time is before that of the line above: sort the lines by time, oldest first")
            if time == reached:
                if value != before:
                    raise self._wrong("it has the time of the line above, and another value")
                continue
            reached, before = time, value
            yield Told(time, value, self._line)

    def _time(self, text: str, reached: float) -> float:
        try:
            seconds = float(text)
        except ValueError:
            seconds = self._moment(text, reached)
        if seconds > 1e11:  # milliseconds
            seconds /= 1000
        if not 0 <= seconds <= _LATEST:
            raise self._wrong(f"{text[:40]!r} is no time such as 2026-11-21 14:05, 21.11.2026 14:05 or 1795266300")
        if seconds > self._now + _AHEAD_SECONDS:
            raise self._wrong(f"{text[:40]!r} is still to come, by this machine's clock")
        return seconds

    def _moment(self, text: str, reached: float) -> float:
        german = _GERMAN_TIME.fullmatch(text)
        try:
            if german:
                day, month, year, hour, minute, second = (int(each or 0) for each in german.groups())
                moment = datetime(year, month, day, hour, minute, second)  # local
            else:
                moment = datetime.fromisoformat(text)
            seconds = moment.timestamp()
            if moment.tzinfo is None and seconds <= reached < moment.replace(fold=1).timestamp():
                return moment.replace(fold=1).timestamp()
        except (ValueError, OverflowError, OSError):
            return -1.0
        return seconds

    def _value(self, text: str) -> float | None:
        if text.lower() in _UNKNOWN:
            return None
        number = text
        if self._is_german:
            number = re.sub(r"\.(?=[0-9]{3}(?:[.,]|$))", "", number).replace(",", ".")
        if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?", number):
            raise self._wrong(f"{text[:40]!r} is no number")
        return float(number)

    def _of_watts(self, told: Iterable[Told], step: float) -> Iterator[Slice]:
        """Watts are those since the line before, unless that is long ago."""
        longest = max(_GAP_SECONDS, _GAP_STEPS * step)
        before: float | None = None
        for time, watts, self._line in told:
            if watts is not None and watts < 0:
                raise self._wrong(f"{watts:g} W: what flows back cannot be counted")
            if before is not None and watts is not None and time - before <= longest:
                yield Slice(time, time - before, watts * (time - before) / 3_600_000)
            before = time

    def _of_totals(self, told: Iterable[Told], step: float) -> Iterator[Slice]:
        longest = max(_QUIET_SECONDS, _GAP_STEPS * step)
        before: Told | None = None
        for each in told:
            time, total, self._line = each
            if total is None:
                continue
            if before is not None and before.value is not None:
                if total < before.value:
                    raise self._wrong(
                        f"{total:g} is less than {before.value:g} above it: a total never falls (amount_{self.unit} is an amount)"
                    )
                yield Slice(time, time - before.time, total - before.value, time - before.time <= longest)
            before = each
            self.total[:] = [total]

    def _of_amounts(self, told: Iterable[Told], step: float) -> Iterator[Slice]:
        longest = max(_QUIET_SECONDS, _GAP_STEPS * step)
        before: float | None = None
        for time, amount, self._line in told:
            if amount is None:
                continue
            if amount < 0:
                raise self._wrong(f"{amount:g}: what flows back cannot be counted")
            if before is not None:
                yield Slice(time, time - before, amount, time - before <= longest)
            before = time

    def _wrong(self, what: str) -> Wrong:
        return Wrong(f"{self._path.name} line {self._line}: {what}")
