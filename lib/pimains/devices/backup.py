"""The backups of one host on a drive: DEST/backup/HOST, below it every path as it is on the host.

DEST/backup/HOST/etc/...                      the mirror: how it was at the last backup
DEST/backup/HOST/2026-11-21_01-50-03/etc/...  a snapshot; a file that did not change is stored once for all of them
DEST/backup/HOST/....partial                  one that was not finished; the next backup takes over what is in it
DEST/backup/HOST/latest                       a link to the snapshot that was finished last
"""

import os
import re
import shutil
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from pimains.core.errors import PimainsError
from pimains.core.naps import Readable
from pimains.devices import mount, rsync
from pimains.plan import snapshots

_PARTIAL, _REMOVING = ".partial", ".removing"
_UNFINISHED_AT_MOST = 18  # rsync takes 20 of --link-dest
_OLDER = ".before-restore"


class Refused(PimainsError):
    """Nothing was copied; the text says why."""


class Done(NamedTuple):
    """What a backup came to: files and bytes copied, and for each path that is not complete why."""

    directory: Path
    files: int
    size: int
    failures: list[str]


class Wanted(NamedTuple):
    """What is to be copied, how, and how many snapshots are kept (0: a mirror)."""

    paths: Sequence[Path]
    options: Sequence[str]
    keep: int


def store(dest: Path, mdrive: Path | None) -> Path:
    """DEST/backup, once it is sure that it lies on a mounted drive; raises Refused.

    A drive that was forgotten to be mounted leaves an empty directory on the SD card, which a backup would fill.
    """
    place = dest / "backup"
    try:
        if not place.is_dir():
            raise Refused(f"{place} is not there: is the drive mounted? On a new drive: mkdir {place}")
        on_card = place.stat().st_dev == Path("/").stat().st_dev
    except OSError as error:
        raise Refused(f"{place}: {(error.strerror or str(error)).lower()}") from None
    mounted_at = mount.holding(place)
    if on_card or str(mounted_at) == "/":
        raise Refused(f"{place} is on the file system of /: the drive is not mounted, and the SD card shall not be filled")
    if mounted_at not in {each.resolve() for each in (place, dest, *([mdrive] if mdrive else []))}:
        raise Refused(f"nothing is mounted at {dest} ({place} lies on {mounted_at}): the drive is not mounted, or MDRIVE has to say where")
    return place


class Shelf:
    """All backups of one host; `top` is DEST/backup/HOST."""

    def __init__(self, top: Path) -> None:
        self.top = top

    def complete(self) -> list[str]:
        """The names of the snapshots, oldest first."""
        return [name for name in self._names() if snapshots.is_name(name)]

    def unfinished(self) -> list[str]:
        """Those that were begun and not finished, oldest first."""
        return [name.removesuffix(_PARTIAL) for name in self._names() if name.endswith(_PARTIAL)]

    def latest(self) -> str | None:
        """The snapshot that was finished last, whatever the clock said then."""
        try:
            name = str((self.top / "latest").readlink())
        except OSError:
            name = ""
        there = self.complete()
        return name if name in there else (there[-1] if there else None)

    def has_mirror(self) -> bool:
        """Whether there is something beside snapshots."""
        return any(not snapshots.is_name(name.partition(".")[0]) and name != "latest" for name in self._names())

    def back_up(
        self, wanted: Wanted, now: datetime, tell: Callable[[Path, rsync.Progress | None], None], stop: Readable | None = None
    ) -> Done:
        """Copy the wanted paths; `tell` hears of the progress of each. Raises rsync.Interrupted, rsync.CannotCopy, OSError."""
        self.top.mkdir(exist_ok=True)
        self._finish_removals()
        if not wanted.keep:
            return self._copy(wanted, self.top, [], tell, stop)
        for each in self.unfinished()[:-_UNFINISHED_AT_MOST]:
            self._remove(f"{each}{_PARTIAL}")
        unfinished = self.unfinished()
        name = snapshots.name(now, [*self.complete(), *unfinished])
        partial = self.top / f"{name}{_PARTIAL}"
        partial.mkdir()
        latest = self.latest()
        bases = [*([latest] if latest else []), *(f"{each}{_PARTIAL}" for each in reversed(unfinished))]
        done = self._copy(wanted, partial, [f"--link-dest={self.top / base}" for base in bases], tell, stop)
        # this one has all that the unfinished ones had
        for each in unfinished:
            self._remove(f"{each}{_PARTIAL}")
        if done.failures:
            return done
        return done._replace(directory=self._finish(name, wanted.keep))

    def restore(self, name: str | None, path: Path, to: Path, *, overwrite: bool, tell: Callable[[rsync.Progress], None]) -> rsync.Copied:
        """Copy `path` from the snapshot `name`, or from the mirror, into the directory `to`; what is overwritten is kept beside it.

        Raises Refused.
        """
        source = self.top.joinpath(*([name] if name else []), *path.parts[1:])
        if not os.path.lexists(source):
            raise Refused(f"{path} is not in {self.top / (name or '')}")
        target = to / source.name
        if os.path.lexists(target) and not overwrite:
            raise Refused(f"{target} is there already: give another --to, or --overwrite (then what it replaces is kept as NAME{_OLDER})")
        to.mkdir(parents=True, exist_ok=True)
        return rsync.copy(["-aH", "--backup", f"--suffix={_OLDER}", str(source), f"{to}/"], tell)

    def _copy(
        self,
        wanted: Wanted,
        into: Path,
        more: list[str],
        tell: Callable[[Path, rsync.Progress | None], None],
        stop: Readable | None,
    ) -> Done:
        files = size = 0
        failures = []
        for path in wanted.paths:
            tell(path, None)
            source = path.resolve()
            if not os.path.lexists(source):
                failures.append(f"{path} is not there")
                continue
            # --relative keeps the whole path with the modes of its directories; the drive is no part of what is on the drive
            words = [*wanted.options, "--relative", f"--exclude={_literally(self.top.parent.resolve())}", *more, str(source), f"{into}/"]
            copied = rsync.copy(words, lambda progress, path=path: tell(path, progress), stop)  # type: ignore[misc]  # mypy knows no default of a lambda
            files, size = files + copied.files, size + copied.size
            if not copied.is_complete:
                failures.append(f"{path}: {copied.words}")
        return Done(into, files, size, failures)

    def _finish(self, name: str, keep: int) -> Path:
        """The snapshot is on the disk before it gets its name; only then older ones go."""
        partial, finished = self.top / f"{name}{_PARTIAL}", self.top / name
        mount.sync(self.top)
        partial.rename(finished)
        aside = self.top / f".latest.{os.getpid()}"
        aside.symlink_to(name)
        aside.rename(self.top / "latest")
        mount.sync(self.top)
        for each in snapshots.superfluous(self.complete(), keep, name):
            self._remove(each)
        return finished

    def _remove(self, name: str) -> None:
        """Half removed it must not look like a whole one."""
        (self.top / name).rename(self.top / f"{name}{_REMOVING}")
        shutil.rmtree(self.top / f"{name}{_REMOVING}")

    def _finish_removals(self) -> None:
        for name in self._names():
            if name.endswith(_REMOVING):
                shutil.rmtree(self.top / name)

    def _names(self) -> list[str]:
        try:
            return sorted(name for name in os.listdir(self.top) if not name.startswith("."))
        except FileNotFoundError:
            return []


def _literally(path: Path) -> str:
    """`path` as a pattern of rsync that matches nothing else."""
    return re.sub(r"([\[*?\\])", r"\\\1", str(path))
