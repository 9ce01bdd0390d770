"""Copying something back out of a backup: whole or said to be not, and what it replaces is kept.

What is not there yet comes into DIR/restoring-SNAPSHOT first, and is moved from there when it is complete: half of it never looks like
all of it, and the same command goes on where it was ended.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pimains.backup import file_system, rsync
from pimains.core.errors import PimainsError
from pimains.core.naps import Readable

OLDER = ".before-restore"
_ALL = "-aHAXS"


class Refused(PimainsError):
    """Nothing was copied; the text says why."""


class Restored(NamedTuple):
    """What came of it, where it is, and what the file system there cannot hold of it."""

    copied: rsync.Copied
    place: Path
    without: list[str]

    @property
    def is_complete(self) -> bool:
        """Whether all of it is there."""
        return self.copied.is_complete


class Restoring(NamedTuple):
    """`source`, in a backup that is called `name`, is copied into the directory `to`; `moment` is in the name of what it replaces.

    `tell` hears of the progress, and `stop` becomes readable when somebody ends it.
    """

    source: Path
    name: str
    to: Path
    moment: str
    tell: Callable[[rsync.Progress], None]
    stop: Readable | None

    @property
    def target(self) -> Path:
        """Where it comes to."""
        return self.to / self.source.name

    def restore(self, *, overwrite: bool) -> Restored:
        """Do it; raises Refused, rsync.CannotCopy, CannotRemove, Interrupted, OSError."""
        is_there = os.path.lexists(self.target)
        if is_there and not overwrite:
            raise Refused(
                f"{self.target} is there already: give another --to, or --overwrite (then what it replaces is kept as NAME{OLDER}-...)"
            )
        try:
            self.to.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Refused(f"--to: {self.to}: {(error.strerror or str(error)).lower()}") from None
        if is_there and _is_directory(self.target) and not _is_directory(self.source):
            self.target.rename(f"{self.target}{OLDER}-{self.moment}")  # rsync does not replace what it would have to empty first
            is_there = False
        lacking = file_system.lacking(self.to, [_ALL])
        words = [_ALL, *(option for each in lacking for option in each.options)]
        place, copied = self._replace_files(words) if is_there else self._fetch(words)
        return Restored(copied, place, [each.what for each in lacking])

    def _fetch(self, words: list[str]) -> tuple[Path, rsync.Copied]:
        """It is not there yet."""
        aside = self.to / f"restoring-{self.name}"
        with suppress(FileExistsError):
            aside.mkdir(mode=0o700)
        if not _is_directory(aside) or aside.stat().st_uid != os.geteuid():  # in /tmp anybody may have put it there
            raise Refused(f"{aside} is in the way, and not of an earlier restore: move it, or give another --to")
        copied = rsync.copy([*words, "--delete", str(self.source), f"{aside}/"], self.tell, self.stop)
        if not copied.is_complete or os.path.lexists(self.target):
            return aside / self.source.name, copied
        (aside / self.source.name).rename(self.target)
        with suppress(OSError):  # something else may have been begun in there
            aside.rmdir()
        return self.target, copied

    def _replace_files(self, words: list[str]) -> tuple[Path, rsync.Copied]:
        """Into what is there, file by file: a suffix of its own, so that a second restore keeps what the first one has kept."""
        keep = ["--backup", f"--suffix={OLDER}-{self.moment}"]
        # what the disk has damaged may have its size and time as before
        copied = rsync.copy([*words, *keep, "--checksum", str(self.source), f"{self.to}/"], self.tell, self.stop)
        if copied.is_complete and _is_directory(self.source):
            # with --backup rsync leaves the times of directories alone
            times = rsync.copy([*words, "--include=*/", "--exclude=*", str(self.source), f"{self.to}/"], lambda _: None, self.stop)
            copied = copied if times.is_complete else times
        return self.target, copied


def _is_directory(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
