"""What `pimains backup` shows: progress, moments and counts."""

import sys
import time
from datetime import datetime
from pathlib import Path

from pimains.devices.rsync import Progress
from pimains.plan import sentences, snapshots

_TELL_SECONDS = 0.2


class Line:
    """One line on a terminal that says how far it is, written anew a few times a second."""

    def __init__(self, visible: bool) -> None:
        self._visible = visible
        self._next = 0.0

    def __call__(self, text: str) -> None:
        """Show it, unless that would be too often."""
        if self._visible and time.monotonic() >= self._next:
            self._next = time.monotonic() + _TELL_SECONDS
            print(f"\r{text}\033[K", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Make room for what stays."""
        if self._visible and self._next:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def progress(path: Path, how: Progress) -> str:
    """How far the copying of `path` is."""
    share = 100 * (how.known - how.to_check) // max(1, how.known)
    return f"{path}: {count(how.files)}, {sentences.size(how.copied)} copied, {share} % of {how.known} looked at"


def readable(name: str) -> str:
    """A snapshot's name as a moment; anything else as it is."""
    return str(datetime.strptime(name, "%Y-%m-%d_%H-%M-%S")) if snapshots.is_name(name) else name


def count(files: int) -> str:
    """So many files."""
    return f"{files} file{'' if files == 1 else 's'}"
