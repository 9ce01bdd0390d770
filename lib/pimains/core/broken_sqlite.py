"""A SQLite file that the disk has ruined is set aside, never deleted: `ledger.sqlite` becomes `ledger.sqlite.corrupt-1`.

What can be read of it is in the new one that takes its place. A disk that is full, or a file that may not be written, is not corruption.
"""

import contextlib
import errno
import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from pimains.core import kept, salvage, state
from pimains.core.set_aside import unless_a_file

_NO_KEYS: Mapping[str, str] = {}
BESIDE = ("-journal", "-wal", "-shm")  # https://www.sqlite.org/tempfiles.html
_LOOK_SECONDS = 0.01
_WRITTEN_SECONDS = 20.0  # several may write there in turn, each for 5 s; who was stopped amid it keeps nobody for ever
_READ_ONLY, _CORRUPT, _NOT_A_DATABASE = 8, 11, 26  # https://www.sqlite.org/rescode.html


def remove(path: Path) -> None:
    """Take away a database that nobody has open, with what SQLite keeps beside it. Raises OSError."""
    for suffix in ("", *BESIDE):
        state.remove(path.with_name(path.name + suffix))


def make_way(path: Path) -> None:
    """For a database at `path`: what lies there, or where SQLite has its files beside it, and is no file goes aside. Raises OSError.

    A directory in the place of the database itself is not passed over in silence: whoever opens it finds it broken.
    """
    for suffix in ("", *BESIDE):
        if suffix or not path.is_dir():
            unless_a_file(path.with_name(path.name + suffix))


def is_corruption(error: sqlite3.Error) -> bool:
    """Whether the file itself is at fault."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (_CORRUPT, _NOT_A_DATABASE)


def is_at_fault(path: Path, error: sqlite3.Error) -> bool:
    """The same, also where something else stands in its place."""
    return is_corruption(error) or path.is_dir()


def verdict(path: Path) -> str:
    """Why the file that nobody has open is no whole database, '' if it is one or is not there. Raises sqlite3.Error."""
    if path.is_dir():
        return "is a directory"
    if not path.exists():
        return ""
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=5)) as connection:
            (said,) = connection.execute("pragma integrity_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        if is_corruption(error):
            return str(error)
        raise
    return "" if said == "ok" else "database disk image is malformed"


@contextlib.contextmanager
def in_place(path: Path, seconds_max: float) -> Iterator[None]:
    """While it lasts, nobody puts another file in the place of `path`: what is written there would be in the one that is set aside.

    Raises OSError where that is being done for longer than that.
    """
    lock = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _lock(lock, fcntl.LOCK_SH, seconds_max, "is being replaced", path)
        yield
    finally:
        os.close(lock)


def _lock(lock: int, how: int, seconds_max: float, what_else: str, path: Path) -> None:
    until = time.monotonic() + seconds_max
    while True:
        try:
            fcntl.flock(lock, how | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise OSError(errno.EBUSY, what_else, str(path)) from None
            time.sleep(_LOOK_SECONDS)
        else:
            return


def wants_writing(error: sqlite3.Error) -> bool:
    """Whether it could only be read after something was written: a killed writer's journal has to be rolled back.

    Or the file was set aside by another process a moment ago.
    """
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == _READ_ONLY


def inode(path: Path) -> int:
    """Which file stands at `path` now; 0 if none does."""
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0


class Replaced(NamedTuple):
    """Where the broken one is kept, and how many `rows` of it are in the new one."""

    aside: Path
    rows: int

    @property
    def taken(self) -> str:
        """What is in the new one, to be said behind something."""
        return f" with {self.rows} rows that could be read of it" if self.rows else ""


def replace(path: Path, broken_inode: int, why: object, tables: str, of: Mapping[str, str] = _NO_KEYS, then: str = "") -> Replaced | None:
    """Put a new file with `tables` in its place, with what can be read of the one that was found broken, which is kept beside it.

    `of`: see salvage; `then` is done to what was read. None when another process has done so already. Raises
    sqlite3.DatabaseError, which begins with `why` it was taken for broken, when that cannot be done, and when three lie there
    already: the disk goes on ruining files, and a person has to look.
    """
    try:
        return _replaced(path, broken_inode, why, tables, of, then)
    except OSError as denied:
        raise sqlite3.DatabaseError(f"{why}; it cannot be set aside: {denied.strerror}") from None


def _replaced(path: Path, broken_inode: int, why: object, tables: str, of: Mapping[str, str], then: str) -> Replaced | None:
    """What SQLite keeps beside it goes first and under the name that belongs to it: a new file must never be changed by that.

    Whoever is killed in between leaves a file that is broken still.
    """
    lock = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _lock(lock, fcntl.LOCK_EX, _WRITTEN_SECONDS, "is being written all the time", path)
        if inode(path) != broken_inode:
            return None
        aside = kept.also_named(path) or kept.free_name(path)
        if aside is None:
            raise sqlite3.DatabaseError(
                f"{why}; {kept.KEPT} broken ones lie beside it already, so it is not set aside: look at the disk, then move them away"
            )
        new = path.with_name(f".{path.name}.new")
        rows = _made(new, path, tables, of, then)
        for suffix in BESIDE:
            beside = path.with_name(path.name + suffix)
            if beside.exists():
                beside.rename(aside.with_name(aside.name + suffix))
        try:  # there is always one in its place: who finds none makes one, and what he writes there would be lost
            aside.hardlink_to(path)
        except OSError:  # a directory, or a file system that has no links
            path.rename(aside)
        new.rename(path)
        state.sync_directory(path.parent)
        return Replaced(aside, rows)
    finally:
        os.close(lock)


def _made(new: Path, broken: Path, tables: str, of: Mapping[str, str], then: str) -> int:
    """The new one beside it, on the disk; how many rows it has. Empty where there is no room for more."""
    remove(new)
    os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644))
    with contextlib.closing(sqlite3.connect(new, isolation_level=None)) as connection:
        connection.execute("pragma journal_mode = off")  # nobody else knows of it, and whoever is killed here begins again
        connection.execute("pragma synchronous = off")
        connection.executescript(tables)
        try:
            connection.execute("begin")
            rows = salvage.take_over(broken, connection, of)
            connection.execute("commit")
            connection.executescript(then)
        except sqlite3.OperationalError:
            rows = -1
    if rows < 0:
        os.truncate(new, 0)  # whoever opens it makes the tables
    state.sync_file(new)
    return max(rows, 0)
