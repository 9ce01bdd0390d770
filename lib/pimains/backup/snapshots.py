"""The backups of one host on a drive: DEST/backup/HOST, below it every path as it is on the host.

DEST/backup/HOST/etc/...                      the mirror: how it was at the last backup
DEST/backup/HOST/2026-11-21_01-50-03/etc/...  a snapshot; a file that did not change is stored once for all of them
DEST/backup/HOST/....partial                  one that was not finished; the next backup takes over what is in it
DEST/backup/HOST/latest                       a link to the snapshot that was finished last
DEST/backup/HOST/.machine                     whose they are, lest two machines of one name delete each other's files
"""

import functools
import os
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from pimains.backup import plan, rsync
from pimains.backup.program import Interrupted
from pimains.backup.removal import remove_tree
from pimains.core import machine, state
from pimains.core.errors import PimainsError
from pimains.core.naps import Readable
from pimains.shared.fileserver import mount

_PARTIAL, _REMOVING = ".partial", ".removing"
_UNFINISHED_AT_MOST = 18  # rsync takes 20 of --link-dest
_OLDER = ".before-restore"


class Refused(PimainsError):
    """Nothing was copied; the text says why."""


class Done(NamedTuple):
    """What a backup came to: files and bytes copied, and for each path that is not complete why.

    `has_all` is whether nothing can be missing in it that an unfinished one before had.
    """

    directory: Path
    files: int
    size: int
    failures: list[str]
    has_all: bool = True


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
        return [name for name in self._names() if plan.is_name(name)]

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

    def directory(self, name: str | None) -> Path:
        """That of a snapshot, also of an unfinished one, or of the mirror."""
        return self.top / f"{name}{_PARTIAL if name in self.unfinished() else ''}" if name else self.top

    def has_mirror(self) -> bool:
        """Whether there is something beside snapshots."""
        return any(not plan.is_name(name.partition(".")[0]) and name != "latest" for name in self._names())

    def back_up(
        self, wanted: Wanted, now: datetime, tell: Callable[[Path, rsync.Progress | None], None], stop: Readable | None = None
    ) -> Done:
        """Copy the wanted paths; `tell` hears of the progress of each.

        Raises Refused, Interrupted, rsync.CannotCopy, OSError.
        """
        self.top.mkdir(exist_ok=True)
        self._claim()
        held = os.open(self.top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)  # nobody unmounts the drive between two paths
        try:
            self._finish_removals(stop)
            if wanted.keep:
                return self._take_snapshot(_Copying(wanted, tell, stop, held), now)
            done = self._copy(_Copying(wanted, tell, stop, held), self.top, None, [])
            mount.sync(self.top)
            return done
        finally:
            os.close(held)

    def _take_snapshot(self, copying: "_Copying", now: datetime) -> Done:
        latest, keep, stop = self.latest(), copying.wanted.keep, copying.stop
        # before anything is copied: on a full drive a smaller BACKUP_KEEP makes room
        superfluous = plan.superfluous(self.complete(), keep, latest) if latest else []
        for each in [*superfluous, *(f"{each}{_PARTIAL}" for each in self.unfinished()[:-_UNFINISHED_AT_MOST])]:
            self._remove(each, stop)
        unfinished = self.unfinished()
        name = plan.name(now, [*self.complete(), *unfinished])
        partial = self.top / f"{name}{_PARTIAL}"
        partial.mkdir()
        bases = [*([latest] if latest else []), *(f"{each}{_PARTIAL}" for each in reversed(unfinished))]
        done = self._copy(copying, partial, latest, [f"--link-dest={self.top / base}" for base in bases])
        if done.has_all:
            for each in unfinished:
                self._remove(f"{each}{_PARTIAL}", stop)
        if done.failures:
            return done
        return done._replace(directory=self._finish(name, keep, stop))

    def restore(
        self, name: str | None, path: Path, to: Path, now: datetime, tell: Callable[[rsync.Progress], None], *, overwrite: bool
    ) -> rsync.Copied:
        """Copy `path` from the snapshot `name`, or from the mirror, into the directory `to`; what is overwritten is kept beside it.

        Raises Refused, rsync.CannotCopy.
        """
        source = self.directory(name).joinpath(*path.parts[1:])
        if not os.path.lexists(source):
            raise Refused(f"{path} is not in {self.directory(name)}")
        target = to / source.name
        is_there = os.path.lexists(target)
        if is_there and not overwrite:
            raise Refused(
                f"{target} is there already: give another --to, or --overwrite (then what it replaces is kept as NAME{_OLDER}-...)"
            )
        try:
            to.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Refused(f"--to: {to}: {(error.strerror or str(error)).lower()}") from None
        # a suffix of its own: a second restore keeps what the first one has kept
        words = ["-aHAX", "--backup", f"--suffix={_OLDER}-{plan.name(now, [])}"]
        # what the disk has damaged may have its size and time as before
        return rsync.copy([*words, *(["--checksum"] if is_there else []), str(source), f"{to}/"], tell)

    def _claim(self) -> None:
        """See to it that no other machine of the same name has its backups here; raises Refused."""
        place, own = self.top / ".machine", machine.identity()
        its = state.read(place)
        if its and own and its != own:
            raise Refused(
                f"{self.top} has the backups of another machine of this name: give one of them another name (variables/NAME of fclient, or"
                f" hostnamectl); if this one has taken its place: rm {place}"
            )
        if own and not its:
            state.write(place, own, mode=0o644)

    def _copy(self, copying: "_Copying", into: Path, before: str | None, more: list[str]) -> Done:
        """Copy all paths `into` a directory; `before` is the snapshot they are in already (None: the mirror, or nothing)."""
        done = Done(into, 0, 0, [])
        # --relative keeps the whole path with the modes of its directories
        words = [*copying.wanted.options, "--relative", f"--exclude={_literally(self.top.parent.resolve())}", *more]
        drive = mount.holding(self.top)
        for path in copying.wanted.paths:
            copying.tell(path, None)
            source = path.resolve()
            wrong = "is not there" if not os.path.lexists(source) else self._emptied(source, before)
            if wrong:
                done = done._replace(failures=[*done.failures, f"{path} {wrong}"], has_all=False)
                continue
            if not os.path.samestat(os.fstat(copying.held), self.top.stat()):
                raise Refused(f"{self.top}: the drive went away")
            # the drive is no part of what is on the drive, unless it is asked for
            without = [f"--exclude={_literally(drive)}"] if source in drive.parents else []
            copied = rsync.copy([*words, *without, str(source), f"{into}/"], functools.partial(copying.tell, path), copying.stop)
            failures = [] if copied.is_complete else [f"{path}: {copied.words}"]
            has_all = done.has_all and (copied.went_through or copied.found_no_space)
            done = Done(into, done.files + copied.files, done.size + copied.size, [*done.failures, *failures], has_all)
        return done

    def _emptied(self, source: Path, before: str | None) -> str:
        """What is wrong with a directory that is empty all at once: night after night such a backup would take a good one's place."""
        if _has_something(source) or not _has_something(self.directory(before).joinpath(*source.parts[1:])):
            return ""
        return "is empty, and its last backup is not: is its drive not mounted? If it is to be empty, take it out of BACKUP"

    def _finish(self, name: str, keep: int, stop: Readable | None) -> Path:
        """The snapshot is on the disk before it gets its name; only then older ones go."""
        partial, finished = self.top / f"{name}{_PARTIAL}", self.top / name
        mount.sync(self.top)
        partial.rename(finished)
        aside = self.top / f".latest.{os.getpid()}"
        aside.symlink_to(name)
        aside.rename(self.top / "latest")
        mount.sync(self.top)
        with suppress(Interrupted):  # this backup is complete; the next one goes on removing
            for each in plan.superfluous(self.complete(), keep, name):
                self._remove(each, stop)
        return finished

    def _remove(self, name: str, stop: Readable | None) -> None:
        """Half removed it must not look like a whole one."""
        (self.top / name).rename(self.top / f"{name}{_REMOVING}")
        remove_tree(self.top / f"{name}{_REMOVING}", stop)

    def _finish_removals(self, stop: Readable | None) -> None:
        for name in self._names():
            if name.endswith(_REMOVING):
                remove_tree(self.top / name, stop)

    def _names(self) -> list[str]:
        try:
            return sorted(name for name in os.listdir(self.top) if not name.startswith("."))
        except FileNotFoundError:
            return []


class _Copying(NamedTuple):
    """What all paths of one backup have in common; `held` is a handle on the directory the backups are in."""

    wanted: Wanted
    tell: Callable[[Path, rsync.Progress | None], None]
    stop: Readable | None
    held: int


def _has_something(directory: Path) -> bool:
    """Whether it is no directory that is empty or missing."""
    try:
        with os.scandir(directory) as entries:
            return next(entries, None) is not None
    except FileNotFoundError:
        return False
    except OSError:  # a file; or rsync will say what is wrong
        return True


def _literally(path: Path) -> str:
    """`path` as a pattern of rsync that matches nothing else."""
    return re.sub(r"([\[*?\\])", r"\\\1", str(path))
