"""How the backup of an instance goes or went: the state file /run/pimains/<instance>/backup, one line.

under way since 21 Nov 01:50
done 21 Nov 01:50: 12 files, 3.4 MB copied in 8 s
done 21 Nov 01:50 without ACLs, hard links: 12 files, 3.4 MB copied in 8 s
failed 21 Nov 01:50: there is no space left on the drive
stopped 21 Nov 01:50: goes on with the next one
"""

import time
from collections.abc import Sequence
from pathlib import Path

from pimains.core import state

UNDER_WAY, DONE, FAILED, STOPPED = "under way", "done", "failed", "stopped"


def line(word: str, more: str = "", without: Sequence[str] = ()) -> str:
    """The line that says `word`, now, what the drive could not hold of it, and what follows."""
    now = time.strftime("%d %b %H:%M").lstrip("0")
    return f"{word} {'since ' if word == UNDER_WAY else ''}{now}{lacking(without)}{f': {more}' if more else ''}"


def lacking(without: Sequence[str]) -> str:
    """How the line says what a drive cannot hold; "" when that is nothing."""
    return f" without {', '.join(without)}" if without else ""


def read(run: Path) -> str:
    """The line; "" when there was no backup since boot."""
    return (state.read(run / "backup") or "").partition("\n")[0]


def for_status(told: str) -> str:
    """The same in the words of a status told."""
    if told.startswith(UNDER_WAY):
        return "backing up"
    if told.startswith(DONE):
        return f"backed up {told.removeprefix(DONE).strip().partition(': ')[0]}"
    if told.startswith((FAILED, STOPPED)):
        return f"backup {told}"
    return ""


def is_well(told: str) -> bool:
    """Whether nobody needs to look after it."""
    return not told.startswith(FAILED)
