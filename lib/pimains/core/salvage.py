"""What can be read of a SQLite file that the disk has ruined: table by table, by ranges of keys around the places that cannot be.

The shell's `.recover` would find more where an inner page is gone, but needs a library with SQLITE_DBPAGE_VTAB, which Debian 12's is
not (https://www.sqlite.org/recovery.html). A reading or an entry of a ledger is found by its key through the pages above it.
"""

import contextlib
import itertools
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

_FAILURES_MAX = 20_000  # in a table: a tenth of a second or some; after so many there is hardly anything left
_MAGIC = b"SQLite format 3\0"  # https://www.sqlite.org/fileformat.html
_LOWEST, _HIGHEST = -(2**62), 2**62
_KINDS = {"INTEGER": (int,), "REAL": (int, float), "TEXT": (str,)}
Row = tuple[object, ...]


class _Column(NamedTuple):
    """One of a table: its kind in capitals, and its place in the key from 1 on."""

    name: str
    kind: str
    is_required: bool
    in_key: int


def is_a_database(path: Path) -> bool:
    """Whether it begins like one. Raises OSError."""
    if path.is_dir():
        return False
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def take_over(broken: Path, into: sqlite3.Connection, of: Mapping[str, str]) -> int:
    """Copy into the tables of `into`, which are empty, what the same tables of `broken` still have; returns how many rows that are.

    `of` says of a table whose key is two numbers which table has the first of them as its own. `broken` stays as it is.
    Raises sqlite3.Error when `into` does not take it.
    """
    taken = 0
    if not is_a_database(broken):  # SQLite would take away what lies beside such a file
        return 0
    with contextlib.closing(_opened(broken)) as source:
        tables = [name for (name,) in into.execute("select name from sqlite_master where type = 'table' and name not like 'sqlite_%'")]
        for table in sorted(tables, key=lambda name: len(_key(_columns(into, name)))):  # those of one number say which keys others have
            there = {column.name for column in _columns(source, table)}
            columns = [column for column in _columns(into, table) if column.name in there]
            if not columns:
                continue
            names, places = ", ".join(_quoted(each.name) for each in columns), ", ".join("?" * len(columns))
            firsts = into.execute(f"select rowid from {_quoted(of[table])}").fetchall() if table in of else []  # noqa: S608  # names of ours
            rows = (row for row in _rows(source, table, columns, [int(first) for (first,) in firsts]) if _is_one(row, columns))
            taken += into.executemany(f"insert or ignore into {_quoted(table)} ({names}) values ({places})", rows).rowcount  # noqa: S608  # names of ours
    return taken


def _opened(path: Path) -> sqlite3.Connection:
    """To be read only, unless something has to be rolled back before."""
    for how in ("ro", "rw"):
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode={how}", timeout=5, uri=True, isolation_level=None)
        connection.text_factory = lambda text: text.decode("utf-8", "replace")
        connection.execute("pragma writable_schema = on")  # a file that is shorter than it says is read as far as it goes
        try:
            connection.execute("select 1 from sqlite_master limit 1").fetchone()
        except sqlite3.Error:
            if how == "ro":
                connection.close()
                continue
        break
    return connection


def _columns(connection: sqlite3.Connection, table: str) -> list[_Column]:
    try:
        rows = connection.execute(f"pragma table_info({_quoted(table)})").fetchall()
    except sqlite3.DatabaseError:
        return []
    return [_Column(name, kind.upper(), bool(required), key) for _, name, kind, required, _, key in rows]


def _key(columns: list[_Column]) -> list[_Column]:
    return sorted((each for each in columns if each.in_key), key=lambda each: each.in_key)


def _rows(source: sqlite3.Connection, table: str, columns: list[_Column], firsts: list[int]) -> Iterator[Row]:
    key = _key(columns)
    names = ", ".join(_quoted(each.name) for each in columns)
    if [each.kind for each in key] == ["INTEGER", "INTEGER"]:
        for first in firsts:
            head = f"select {_quoted(key[1].name)}, {names} from {_quoted(table)} where {_quoted(key[0].name)} = {first} and"  # noqa: S608  # names of ours
            yield from _by_ranges(source, head, _quoted(key[1].name))
    elif not key or [each.kind for each in key] == ["INTEGER"]:
        yield from _by_ranges(source, f"select rowid, {names} from {_quoted(table)} where", "rowid")  # noqa: S608  # names of ours
    else:
        yield from _from_both_ends(source, f"select {names} from {_quoted(table)} order by {_quoted(key[0].name)}")  # noqa: S608  # names of ours


def _by_ranges(source: sqlite3.Connection, head: str, key: str) -> Iterator[Row]:
    """From both ends, and then what is between, in halves around what cannot be read."""
    low, high = _LOWEST, _HIGHEST
    try:
        for number, *row in source.execute(f"{head} {key} between ? and ? order by {key}", (low, high)):
            yield tuple(row)
            low = number + 1
    except sqlite3.DatabaseError:
        with contextlib.suppress(sqlite3.DatabaseError):
            for number, *row in source.execute(f"{head} {key} between ? and ? order by {key} desc", (low, high)):
                yield tuple(row)
                high = number - 1
        yield from _between(source, f"{head} {key} between ? and ? order by {key}", low, high)


def _between(source: sqlite3.Connection, look: str, low: int, high: int) -> Iterator[Row]:
    """Where an end is not known, what is near to the other one comes first."""
    is_upwards = low > _LOWEST or high == _HIGHEST
    if low > _LOWEST and high < _HIGHEST:
        ranges = [(low, high)]
    elif is_upwards:
        ranges = _further_and_further(max(low, 0), 1)
    else:
        ranges = _further_and_further(high, -1)
    failures = 0
    while ranges and failures < _FAILURES_MAX:
        begin, end = ranges.pop()
        try:
            for number, *row in source.execute(look, (begin, end)):
                yield tuple(row)
                begin = number + 1
        except sqlite3.DatabaseError:
            failures += 1
            middle = (begin + end) // 2
            if begin < end:
                halves = [(middle + 1, end), (begin, middle)]
                ranges += halves if is_upwards else halves[::-1]


def _further_and_further(start: int, way: int) -> list[tuple[int, int]]:
    """Ranges that double, the first one last."""
    ends = [start + way * (2**power - 1) for power in range(62)]
    return [(min(one, other - way), max(one, other - way)) for one, other in itertools.pairwise(ends)][::-1]


def _from_both_ends(source: sqlite3.Connection, look: str) -> Iterator[Row]:
    for way in ("asc", "desc"):
        try:
            yield from source.execute(f"{look} {way}")
        except sqlite3.DatabaseError:
            continue
        return


def _is_one(row: Row, columns: list[_Column]) -> bool:
    """Whether it is a row of such a table: what else stands on a ruined page may look like one."""
    return all(
        (not column.is_required and value is None) or isinstance(value, _KINDS.get(column.kind, object))
        for value, column in itertools.zip_longest(row, columns)
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
