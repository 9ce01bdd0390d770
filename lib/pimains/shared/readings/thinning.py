"""How a journal is kept within its size: of its oldest readings every second one is left out, and no total changes by that.

A little each time, on from where it was: through the oldest half, and then from the beginning again.
"""

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NamedTuple

TABLE = """
create table if not exists thinning (
    boot integer not null, sequence integer not null, end_boot integer not null, end_sequence integer not null
);
"""
AT_ONCE = 5000  # a Pi Zero is done with them in less than a second
_FEWEST = 3  # between which there is one to leave out
_FIRST_BOOT = -(2**62)  # what was imported came later and is older: its boots have ids below 0
Change = Callable[[], AbstractContextManager[sqlite3.Connection]]


class _Thinned(NamedTuple):
    """How many readings were looked at, and how many of them went."""

    looked: int
    gone: int


def thin(change: Change, size: Callable[[], int], bytes_max: int, rows_max: int) -> int:
    """Until `size` is less than `bytes_max`, or `rows_max` were looked at; returns how many went. A `change` is a transaction.

    The first and the last reading of each boot stay.
    """
    gone = looked = since_the_oldest = 0
    while size() > bytes_max and looked < rows_max:
        found = _thin_some(change, min(AT_ONCE, rows_max - looked))
        if found is None:
            if not since_the_oldest:
                break
            since_the_oldest = 0
            continue
        looked += found.looked
        gone += found.gone
        since_the_oldest += found.gone
    return gone


def _thin_some(change: Change, rows_max: int) -> _Thinned | None:
    """None when the end of the oldest half was reached."""
    with change() as connection:
        boot, sequence, *end = connection.execute("select * from thinning").fetchone() or _oldest_half(connection)
        rows = connection.execute(
            "select * from main.readings where (boot, sequence) >= (?, ?) and (boot, sequence) < (?, ?) order by boot, sequence limit ?",
            (boot, sequence, *end, rows_max),
        ).fetchall()
        connection.execute("delete from thinning")
        if not rows:
            return None
        boot = rows[0][0]
        mine = [row for row in rows if row[0] == boot]
        is_last = len(mine) < len(rows) or len(rows) < rows_max or len(mine) < _FEWEST
        # the last of these is the first of the next
        connection.execute("insert into thinning values (?,?,?,?)", (boot + is_last, 0 if is_last else mine[-1][1], *end))
        # written anew: a page that only loses every second row of its own never becomes free
        connection.execute("delete from main.readings where boot = ? and sequence between ? and ?", (boot, mine[0][1], mine[-1][1]))
        kept = [row for number, row in enumerate(mine) if number % 2 == 0 or row is mine[-1]]
        connection.executemany("insert into main.readings values (?,?,?,?,?)", kept)
        return _Thinned(len(mine), len(mine) - len(kept))


def _oldest_half(connection: sqlite3.Connection) -> tuple[int, int, int, int]:
    """Boot and sequence: where it begins, and where the newer half begins."""
    (count,) = connection.execute("select count(*) from main.readings").fetchone()
    middle = connection.execute(
        "select boot, sequence from main.readings order by boot, sequence limit 1 offset ?", (count // 2,)
    ).fetchone()
    return (_FIRST_BOOT, 0, *(middle or (_FIRST_BOOT, 0)))
