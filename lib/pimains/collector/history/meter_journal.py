"""`pimains energy import journal.sqlite`: what a meter has kept on its card, or a copy of a collector's journal, as the readings they are.

They keep their names: what the collector has already is stored once, and what its meter sends again, too.
"""

import argparse
import json
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from pimains.collector.graphs.databases import Databases
from pimains.collector.history.imports import Imports
from pimains.core import broken_sqlite
from pimains.core.errors import Misused, PimainsError
from pimains.shared.plan.delivery import Batch, Boot, Reading, Run
from pimains.shared.readings.journal import Broken, Journal, mended
from pimains.shared.readings.plan.imports import is_one as is_import
from pimains.shared.readings.series.series import Series

_FIRST_BYTES = b"SQLite format 3\0"  # https://www.sqlite.org/fileformat.html
_AT_ONCE = 5_000
_BREATH_SECONDS = 0.12  # a collector that waits to store a reading looks every 0.1 s whether it may (sqlite3_busy_timeout)


def is_one(path: Path) -> bool:
    """Whether the file is a database of SQLite. Raises OSError."""
    with path.open("rb") as file:
        return file.read(len(_FIRST_BYTES)) == _FIRST_BYTES


def store(journal: Path, imports: Imports, path: Path, options: argparse.Namespace) -> int:
    """Import it. Raises PimainsError, sqlite3.Error and OSError."""
    try:
        unit = imports.unit_of(options.source)
        if unit is None and not (options.unit and options.impulses):
            raise Misused(
                f"{options.source} is no source of this collector yet: --unit and --impulses say what its pulses are, such as"
                " --unit kWh --impulses 1000"
            )
        with TemporaryDirectory() as directory:
            for file in (path, path.with_name(f"{path.name}-wal")):
                if file.exists():  # what it has not put away yet is beside it
                    shutil.copy(file, Path(directory) / f"copy{file.name.removeprefix(path.name)}")
            _made_whole(path, Path(directory) / "copy")
            Journal(Path(directory) / "copy").close()  # one of 0.1.0 is as all others then
            seen, new = _store(journal, Path(directory) / "copy", unit is None, options)
    except Broken as broken:
        raise PimainsError(f"{path}: {broken.why}") from None
    if options.json:
        print(json.dumps({"source": options.source, "readings": seen, "new": new}))
    else:
        print(f"{options.source}: {seen} readings, {new} of them {'would be' if options.dry_run else 'are'} new")
    return 0


def _made_whole(path: Path, copy: Path) -> None:
    """What can be read of a journal that a card has ruined is taken. Raises PimainsError where that is nothing."""
    try:
        why = broken_sqlite.verdict(copy)
        found = mended(copy, why) if why else None
    except sqlite3.Error as error:
        raise PimainsError(f"{path}: {error}; nothing can be read of it") from None
    if found:
        if not found.rows:
            raise PimainsError(f"{path}: {why}; nothing can be read of it")
        print(f"{path.name}: {why}; what can be read of it is taken", file=sys.stderr)


def _store(journal: Path, copy: Path, is_new: bool, options: argparse.Namespace) -> tuple[int, int]:
    """How many readings it has, and how many of them the journal had not."""
    seen = new = 0
    with closing(sqlite3.connect(copy)) as connection, closing(Journal(journal)) as into, closing(Series(journal)) as series:
        runs = _runs(connection, options.source)
        if is_new and not options.dry_run:
            series.describe(Batch(options.source, options.unit, options.impulses, None, {}, []))
        for id_, name, kernel_boot, boot, after, until, impulses in runs:
            said = {name: boot}, {name: Run(kernel_boot, None, impulses)}
            rows = connection.execute(
                "select ?, sequence, wall, uptime, pulses from readings"
                " where boot = ? and sequence > ? and sequence <= ? order by sequence",
                (name, id_, after, until),
            )
            for readings in _some(rows):
                seen += len(readings)
                new += into.lacks(options.source, readings)
                if not options.dry_run:
                    into.store_sent(Batch(options.source, "kWh", 1, None, said[0], readings, said[1]))
                    time.sleep(_BREATH_SECONDS)
    if new and not options.dry_run:
        Databases(journal.parent / "rrd", 0).forget(options.source)
    return seen, new


def _runs(connection: sqlite3.Connection, source: str) -> list[tuple[int, str, str, Boot, int, int, float | None]]:
    """Those of the source, or, where it has none, of whatever name its meter had then."""
    rows = connection.execute(
        'select coalesce(part_of, id), name, boot, "offset", synchronised, after, until, impulses, source from boots order by id'
    ).fetchall()
    names = {row[-1] for row in rows}
    return [
        (id_, name, boot or name, Boot(offset, bool(sure)), after, until, impulses)
        for id_, name, boot, offset, sure, after, until, impulses, of in rows
        if (of == source or source not in names) and not is_import(name)
    ]


def _some(rows: Iterator[tuple[str, int, float | None, float, float]]) -> Iterator[list[Reading]]:
    while some := [Reading(*row) for row in islice(rows, _AT_ONCE)]:
        yield some
