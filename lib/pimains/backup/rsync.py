"""rsync as a child: its progress, what it copied, and its exit codes in words (rsync(1), EXIT VALUES)."""

import re
from collections.abc import Callable
from typing import NamedTuple

from pimains.backup.program import BackupProgram
from pimains.core.errors import PimainsError
from pimains.core.naps import Readable

SOME_FAILED, VANISHED = 23, 24
_WORDS = {
    1: "rsync does not understand its options",
    2: "the two rsyncs do not understand each other",
    3: "files or directories could not be chosen",
    4: "this rsync cannot do what was asked",
    5: "the connection was refused at its beginning",
    10: "the connection broke",
    11: "reading or writing files failed",
    12: "the other rsync ended",
    13: "rsync failed",
    14: "rsync failed",
    20: "rsync was stopped",
    21: "rsync failed",
    22: "there is not enough memory",
    SOME_FAILED: "some files could not be copied",
    VANISHED: "some files vanished while they were copied",
    25: "more would have been deleted than --max-delete allows",
    30: "no data came in time",
    35: "no connection in time",
}
_COMPLAINTS_KEPT = 5
_PROGRESS = re.compile(rb"([0-9,]+) +([0-9]+)% +\S+ +[0-9:]+(?: \(xfr#([0-9]+), (?:ir|to)-chk=([0-9]+)/([0-9]+)\))?")
_COUNT = re.compile(rb"^(Number of regular files transferred|Total transferred file size): ([0-9,]+)", re.MULTILINE)


class CannotCopy(PimainsError):
    """rsync could not be started."""


class Progress(NamedTuple):
    """How far it is: bytes and files copied so far, and how many of all known files are still to be looked at."""

    copied: int
    files: int
    to_check: int
    known: int


class Copied(NamedTuple):
    """What came of it: the exit code, files and bytes copied, and the first lines rsync complained in."""

    exit_code: int
    files: int
    size: int
    complaints: list[str]

    @property
    def is_complete(self) -> bool:
        """Whether everything there was is copied now; a file that was deleted meanwhile is no loss."""
        return self.exit_code in (0, VANISHED)

    @property
    def went_through(self) -> bool:
        """Whether it has looked at every file, also if some could not be copied."""
        return self.exit_code in (0, SOME_FAILED, VANISHED)

    @property
    def found_no_space(self) -> bool:
        """Whether the drive is full."""
        return any("No space left on device" in line for line in self.complaints)

    @property
    def words(self) -> str:
        """Why it is not complete."""
        if self.found_no_space:
            return "there is no space left on the drive"
        ended = f"ended by signal {-self.exit_code}" if self.exit_code < 0 else f"exit code {self.exit_code}"
        meaning = f"{_WORDS.get(self.exit_code, 'rsync failed')} ({ended})"
        return f"{meaning}: {self.complaints[0]}" if self.complaints else meaning


def copy(words: list[str], progress: Callable[[Progress], None], stop: Readable | None = None) -> Copied:
    """Run `rsync WORDS` to its end; `progress` is called now and then.

    When `stop` becomes readable rsync is ended. Raises Interrupted then (backup.program), CannotCopy when there is no rsync.
    """
    # counts without a thousands separator of somebody's language, progress at once
    command = ["rsync", "--info=progress2", "--stats", "--outbuf=N", *words]
    try:
        program = BackupProgram(command)
    except FileNotFoundError:
        raise CannotCopy("rsync is not installed: apt install rsync") from None
    except OSError as error:
        raise CannotCopy(f"rsync cannot be started: {error.strerror}") from None
    with program:
        said = _Said(progress)
        for output, complaints in program.says(stop):
            said.hear(output, complaints)
        return said.copied(program.exit_code())


class _Said:
    """What rsync has said so far."""

    def __init__(self, progress: Callable[[Progress], None]) -> None:
        self._progress = progress
        self._said = b""
        self._complained = b""

    def copied(self, exit_code: int) -> Copied:
        """What came of it."""
        counts = {found[1]: _number(found[2]) for found in _COUNT.finditer(self._said)}
        files, size = counts.get(b"Number of regular files transferred", 0), counts.get(b"Total transferred file size", 0)
        return Copied(exit_code, files, size, self._complaints())

    def hear(self, output: bytes, complaints: bytes) -> None:
        """Some more of it."""
        self._complained = (self._complained + complaints)[:16384]
        self._said = (self._said + output)[-8192:]  # the counts come at the end, whatever options let it say before
        for found in _PROGRESS.finditer(output):
            copied, _, files, to_check, known = found.groups()
            if files:
                self._progress(Progress(_number(copied), int(files), int(to_check), int(known)))

    def _complaints(self) -> list[str]:
        """The lines that say what is wrong; the last one of rsync only repeats the exit code."""
        lines = self._complained.decode("utf-8", "replace").splitlines()
        plain = ["".join(c if c.isprintable() else "?" for c in line).strip() for line in lines]
        told = [line for line in plain if line and not line.startswith(("rsync error:", "rsync warning:"))]
        return [line.removeprefix("rsync: ")[:300] for line in told[:_COMPLAINTS_KEPT]]


def _number(digits: bytes) -> int:
    return int(digits.replace(b",", b""))
