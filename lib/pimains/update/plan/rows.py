"""Rows of words, as a service and its short-lived children hand them to each other in a file: a line each, tabs between."""

from collections.abc import Sequence

Rows = list[list[str]]
NAMED = 8


def written(rows: Rows) -> str:
    """As they stand in the file."""
    return "\n".join("\t".join(row) for row in rows)


def parsed(text: str | None) -> Rows:
    """What stands in the file; lines that are no rows do not count."""
    return [line.split("\t") for line in (text or "").splitlines() if "\t" in line]


def whole(text: str) -> Rows:
    """The same; raises ValueError for a line that is no row, as a damaged file has it."""
    rows = parsed(text)
    if len(rows) != len(text.splitlines()):
        raise ValueError("a line is no row")
    return rows


def listed(words: Sequence[object], most: int = NAMED) -> str:
    """`a, b and 3 more`: the first `most` of them by name."""
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(str(word) for word in words[:most]) + more
