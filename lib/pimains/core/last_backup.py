"""How the backup of an instance goes or went: the state file /run/pimains/<instance>/backup, one line.

under way since 21 Nov 01:50
done 21 Nov 01:50: 12 files, 3.4 MB copied in 8 s
failed 21 Nov 01:50: there is no space left on the drive
stopped 21 Nov 01:50: goes on with the next one
"""

from pathlib import Path

from pimains.core import state

UNDER_WAY, DONE, FAILED, STOPPED = "under way", "done", "failed", "stopped"


def note(run: Path, word: str, more: str) -> None:
    """Write down `word` and what follows it."""
    state.write(run / "backup", f"{word} {more}")


def read(run: Path) -> str:
    """The line; "" when there was no backup since boot."""
    return (state.read(run / "backup") or "").partition("\n")[0]


def for_status(line: str) -> str:
    """The same in the words of a status line."""
    if line.startswith(UNDER_WAY):
        return "backing up"
    if line.startswith(DONE):
        return f"backed up {line.removeprefix(DONE).strip().partition(': ')[0]}"
    if line.startswith((FAILED, STOPPED)):
        return f"backup {line}"
    return ""


def is_well(line: str) -> bool:
    """Whether nobody needs to look after it."""
    return not line.startswith(FAILED)
