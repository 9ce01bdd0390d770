"""A table that lies on its side, as Home Assistant's energy page downloads it: a column for each time, a line for each counter.

    entity_id,type,unit,2026-11-21T13:00:00.000Z,2026-11-21T14:00:00.000Z
    sensor.grid,grid_consumption,kWh,0.41,0.38

Each amount is of the time that begins where its column says.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pimains.collector.plan.table_columns import Column, head_of

_NAMES = ["entity_id", "type", "unit"]


class Counter(NamedTuple):
    """One line of it, turned: the names of two columns, and its rows as those of another table."""

    names: list[str]
    column: Column
    rows: list[tuple[int, list[str]]]


def is_one(names: Sequence[str]) -> bool:
    """Whether these are the names of such a table."""
    return [name.strip().lower() for name in names[:3]] == _NAMES and len(names) > 3


def turned(names: Sequence[str], rows: Iterable[tuple[int, list[str]]], unit: str | None, wanted: str | None) -> Counter:
    """The counter that is meant, by its entity or its type. Raises ValueError when that is not clear."""
    found: dict[str, tuple[int, list[str], Column]] = {}
    for line, row in rows:
        entity, kind, of = [*row, "", "", ""][:3]
        column = next(iter(head_of([f"amount [{of}]"]).values), None)
        name = entity or kind
        if column is None or column.unit is None or column.kind != "amount" or (unit is not None and column.unit != unit):
            continue
        if wanted is not None and wanted not in (entity, kind):
            continue
        if name in found:
            raise ValueError(f"{name} has two lines: {found[name][0]} and {line}")
        found[name] = (line, row, column)
    if not found:
        what = f"no line {wanted!r} with" if wanted is not None else "no line with"
        raise ValueError(f"there is {what} amounts in {unit or 'kWh or m3'}")
    if len(found) > 1:
        raise ValueError(f"several lines may be meant; --values says which: {', '.join(map(repr, found))}")
    ((name, (line, row, column)),) = found.items()
    values = [*row[3:], *([""] * len(names))]
    return Counter(["start", name], column._replace(at=1, name=name), [(line, [at, values[n]]) for n, at in enumerate(names[3:])])
