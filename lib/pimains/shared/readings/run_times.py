"""When the readings of a run were taken: its boot's time plus the uptime of each; without one, the last wall time that it has tells it."""

import sqlite3
from typing import NamedTuple


class RunTimes(NamedTuple):
    """What is added to an uptime for seconds since 1970; the first and the last sequence, and when these were taken."""

    offset: float
    first: int
    last: int
    start: float
    end: float


def of(connection: sqlite3.Connection, run: int, known: float | None) -> RunTimes | None:
    """Those of the run with this id, whose boot began at `known` if anybody knows; None while nothing is in it or nobody tells when."""
    offset = _offset_by_wall(connection, run) if known is None else known
    if offset is None:
        return None
    ends = [
        connection.execute(
            f"select sequence, uptime from readings where boot = ? order by sequence {way} limit 1",  # noqa: S608  # two words
            (run,),
        ).fetchone()
        for way in ("asc", "desc")
    ]
    if ends[0] is None:
        return None
    (first, begun), (last, ended) = ends
    return RunTimes(offset, first, last, offset + begun, offset + ended)


def _offset_by_wall(connection: sqlite3.Connection, run: int) -> float | None:
    found = connection.execute(
        "select wall - uptime from readings where boot = ? and wall is not null order by sequence desc limit 1", (run,)
    ).fetchone()
    return float(found[0]) if found else None
