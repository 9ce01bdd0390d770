"""What `pimains backup` shows: progress, moments and counts."""

from datetime import datetime
from pathlib import Path

from pimains.backup import plan
from pimains.backup.rsync import Progress
from pimains.core.plan import sentences


def progress(path: Path, how: Progress) -> str:
    """How far the copying of `path` is."""
    share = 100 * (how.known - how.to_check) // max(1, how.known)
    return f"{path}: {count(how.files)}, {sentences.size(how.copied)} copied, {share} % of {how.known} looked at"


def readable(name: str) -> str:
    """A snapshot's name as a moment; anything else as it is."""
    return str(datetime.strptime(name, "%Y-%m-%d_%H-%M-%S")) if plan.is_name(name) else name


def count(files: int) -> str:
    """So many files."""
    return f"{files} file{'' if files == 1 else 's'}"
