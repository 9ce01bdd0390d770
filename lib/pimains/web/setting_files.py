"""A setting of some instance, as its file in variables/ has it, for who may read that."""

from contextlib import suppress
from pathlib import Path

from pimains.core import templates


def value(file: Path) -> str:
    """Line 1; "" where there is none, or where only others may read it."""
    with suppress(OSError):
        return templates.first_line(file.read_text(encoding="utf-8", errors="replace"))
    return ""
