"""Tables for spreadsheets, as the page and the command write them."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import TypeAlias

Cell: TypeAlias = str | float | None


def lines(rows: Iterable[Sequence[Cell]]) -> str:
    """A line for each; what nobody knows is empty."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([f"{cell:.10g}" if isinstance(cell, float) else cell for cell in row] for row in rows)
    return text.getvalue()
