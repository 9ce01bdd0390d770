"""`pimains energy import FILE`, `imports` and `forget-import NUMBER`: another program's history becomes readings, and goes again."""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from pimains.collector.command_words import moment
from pimains.collector.history import meter_journal, readings_table, rrd_dump, table_answers
from pimains.collector.history.given_file import given_file
from pimains.collector.history.imports import Import, Imports
from pimains.collector.plan.table_slices import Sums, Way
from pimains.core.errors import Misused, PimainsError
from pimains.core.progress_line import Line
from pimains.shared.plan.delivery import NAME_LENGTH_MAX
from pimains.shared.readings.plan.imports import Readings, Row, stored_slices

_QUIET_SECONDS = 2.0
_BLOCK = 1024 * 1024


def store(journal: Path, options: argparse.Namespace) -> int:
    """Import a file."""
    path, source = _asked(options)
    with given_file(path) as readable, closing(Imports(journal)) as imports:
        try:
            if meter_journal.is_one(readable):
                return meter_journal.store(journal, imports, readable, options)
            return _store(imports, readable, source, options)
        except OSError as error:
            raise PimainsError(f"{error.filename or path}: {error.strerror}") from None


def _store(imports: Imports, path: Path, source: str, options: argparse.Namespace) -> int:
    digest = _digest(path)
    same = next((each for each in imports.listed() if (each.source, each.digest) == (source, digest)), None)
    if same is not None:
        return _tell_same(same, options)
    unit = imports.unit_of(source)
    if unit and options.unit and unit != options.unit:
        raise Misused(f"{source} counts {unit}, not {options.unit}")
    history = _History(path, unit or options.unit, imports.taken(source), options)
    if options.dry_run and history.table is not None and len(history.ways) > 1:
        return table_answers.tell(history.table, source, history.answers(history.table), options.json)
    if options.dry_run:
        history.look()
        number = None
    else:
        number = imports.store(source, history.unit, path.name, digest, history.made, history.rows(), history.total, history.say_undone)
    return _tell_stored(history, source, number, options)


def _asked(options: argparse.Namespace) -> tuple[Path, str]:
    if options.what is None:
        raise Misused("FILE is missing, such as: pimains energy import power.rrd --source house")
    source = options.source
    if not source or len(source) > NAME_LENGTH_MAX or not source.isprintable():
        raise Misused("--source NAME is missing: whose history this becomes, such as: --source house")
    if options.factor is not None and not 0 < options.factor < 1e12:
        raise Misused(f"--factor {options.factor:g}: not above 0")
    if options.impulses is not None and not 0 < options.impulses < 1e9:
        raise Misused(f"--impulses {options.impulses:g}: not above 0")
    return Path(options.what), source


class _History:
    """A file, whatever it is, as rows; `made` tells what became of it when they were all asked for."""

    def __init__(self, path: Path, unit: str | None, taken: list[Any], options: argparse.Namespace) -> None:
        self.total: list[float] = []
        self.ways: list[Way] = []
        self.sums: dict[str, float] = {}
        self._path = path
        self._source = options.source
        self._progress = _Progress(path)
        if rrd_dump.is_one(path):
            if options.column or options.time or options.values or options.decimal:
                raise Misused("--column, --time, --values and --decimal are for tables; this is a database")
            self.table = None
            self.unit = unit or "kWh"
            self._asked = rrd_dump.Asked(options.ds, options.factor, self.unit)
        else:
            if options.ds or options.factor:
                raise Misused("--ds and --factor are for databases; this is none")
            said = readings_table.Said(options.column, options.time, options.values, options.decimal)
            self.table = readings_table.Table(path, unit, self._progress, time.time(), said)
            self.ways = self.table.ways()
            self.unit = self.table.unit or "kWh"
            self.total = self.table.total
        self.made = Readings(self.unit, taken)

    def say_undone(self) -> None:
        """It was broken off."""
        self._progress.end()
        print(f"{self._source}: {self._path.name} is not imported; what was stored of it is taken out again", file=sys.stderr, flush=True)

    def look(self) -> None:
        """What it would be, in `sums` by days, or by months or years when these are the times of a table."""
        sums = Sums("day" if self.table is None else self.table.period("day"))
        for piece in stored_slices(self.rows(), self.unit):
            sums.add(piece)
        self.sums = dict(sorted(sums.amounts.items()))

    def answers(self, table: readings_table.Table) -> list[readings_table.Read]:
        """What it is in each way in which it may be read."""
        try:
            return table.read_in(self.ways)
        finally:
            self._progress.end()

    def rows(self) -> Iterator[Row]:
        """As the journal takes them."""
        try:
            yield from self._rows()
        finally:
            self._progress.end()

    def _rows(self) -> Iterator[Row]:
        if self.table is not None:
            yield from self.made.of(self.table.slices())
        else:
            for archive in rrd_dump.slices(self._path, self._asked, self._progress):
                yield from self.made.of(archive)


class _Progress:
    """How far it is, on a terminal, for what takes more than two seconds."""

    def __init__(self, path: Path) -> None:
        self._line = Line(sys.stderr.isatty())
        self._bytes = path.stat().st_size
        self._begun = time.monotonic()
        self._name = path.name
        self._calls = 0

    def __call__(self, done: int) -> None:
        """So many bytes were read."""
        self._calls += 1
        if self._calls % 16 == 0 and time.monotonic() - self._begun > _QUIET_SECONDS:
            share = f"{100 * done // self._bytes} %" if done <= self._bytes else f"{done // 2**20} MB"
            self._line(f"{self._name}: {share} read")

    def end(self) -> None:
        """Make room."""
        self._line.end()


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _tell_same(same: Import, options: argparse.Namespace) -> int:
    if options.json:
        print(json.dumps({"import": same.number, "source": same.source, "is_new": False, "readings": 0}))
    else:
        print(f"{same.source}: this file was imported already, as import {same.number}, at {moment(same.at)}; nothing is new")
    return 0


def _tell_stored(history: _History, source: str, number: int | None, options: argparse.Namespace) -> int:
    made, span, table = history.made, history.made.span, history.table
    notes = [] if table is None else [table.meaning(history.ways[0]), *table_answers.notes(table)]
    if options.json:
        told: dict[str, Any] = {"import": number, "source": source, "is_new": True, "readings": made.slices, "left_out": made.left_out}
        told |= {"from": span and span.start, "to": span and span.end, "amount": made.amount, "unit": history.unit}
        if table is not None:
            (way,) = history.ways
            told |= {"column": way.kind, "time": way.time, "not_over": table.not_over, "encoding": table.encoding}
        if history.sums:
            told |= table_answers.ends(history.sums)
        print(json.dumps(told))
        return 0
    if span is None:
        print(f"{source}: there is nothing in it that is not there already")
    else:
        so_much = f"{made.slices} readings from {moment(span.start)} to {moment(span.end)}, {made.amount:.2f} {history.unit}"
        how = "would be imported" if number is None else f"are import {number} (to undo: pimains energy forget-import {number})"
        print(f"{source}: {so_much}, {how}")
    if made.left_out:
        print(f"left out: {made.left_out} that are of a time of which there are readings already")
    for line in notes:
        print(line)
    if history.sums:
        print(table_answers.shown(history.sums, history.unit))
    return 0


def tell(journal: Path, options: argparse.Namespace) -> int:
    """List what was imported."""
    imports = Imports(journal)
    try:
        found = imports.listed()
    finally:
        imports.close()
    if options.json:
        print(json.dumps([each._asdict() for each in found], indent=2))
        return 0
    for each in found:
        when, what = f"{moment(each.first)} to {moment(each.last)}", f"{each.rows} readings  {each.amount:.2f} {each.unit}"
        print(f"{each.number}  {each.source}  {each.file}  {when}  {what}")
    if not found:
        print("nothing was imported")
    return 0


def forget(journal: Path, options: argparse.Namespace) -> int:
    """Take an import out again."""
    if not str(options.what or "").isdecimal():
        raise Misused("the NUMBER of the import is missing (pimains energy imports)")
    imports = Imports(journal)
    try:
        gone = imports.forget(int(options.what))
    except KeyboardInterrupt:
        stays = any(each.number == int(options.what) for each in imports.listed())
        how = "stays as it was" if stays else "is forgotten; the rest of its readings goes with the next `pimains energy imports`"
        print(f"import {options.what} {how}", file=sys.stderr)
        raise
    finally:
        imports.close()
    if options.json:
        print(json.dumps({"import": gone.number, "source": gone.source, "readings": gone.rows}))
    else:
        print(f"{gone.source}: import {gone.number} ({gone.file}) is gone, {gone.rows} readings")
    return 0
