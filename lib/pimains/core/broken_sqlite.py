"""A SQLite file that the disk has ruined is set aside, never deleted: `ledger.sqlite` becomes `ledger.sqlite.corrupt-1`.

A disk that is full, or a file that may not be written, is not corruption.
"""

import fcntl
import os
import sqlite3
from pathlib import Path

from pimains.core import state
from pimains.core.set_aside import unless_a_file

KEPT = 3
_BESIDE = ("-journal", "-wal", "-shm")  # https://www.sqlite.org/tempfiles.html
_READ_ONLY, _CORRUPT, _NOT_A_DATABASE = 8, 11, 26  # https://www.sqlite.org/rescode.html


def make_way(path: Path) -> None:
    """For a database at `path`: what lies there, or where SQLite has its files beside it, and is no file goes aside. Raises OSError."""
    for suffix in ("", *_BESIDE):
        unless_a_file(path.with_name(path.name + suffix))


def is_corruption(error: sqlite3.Error) -> bool:
    """Whether the file itself is at fault."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (_CORRUPT, _NOT_A_DATABASE)


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


def set_aside(path: Path, broken_inode: int, why: object) -> Path | None:
    """Rename the file that was found broken; returns its new name, or None when another process has done so already.

    Raises sqlite3.DatabaseError, which begins with `why` it was taken for broken, when that cannot be done, and when three lie
    there already: the disk goes on ruining files, and a person has to look.
    """
    try:
        return _renamed(path, broken_inode, why)
    except OSError as denied:
        raise sqlite3.DatabaseError(f"{why}; it cannot be set aside: {denied.strerror}") from None


def _renamed(path: Path, broken_inode: int, why: object) -> Path | None:
    """What SQLite keeps beside it goes first and under the name that belongs to it: a new file must never be changed by that.

    Whoever is killed in between leaves a file that is broken still.
    """
    lock = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if inode(path) != broken_inode:
            return None
        free = [name for name in _names(path) if not name.exists()]
        if not free:
            raise sqlite3.DatabaseError(
                f"{why}; {KEPT} broken ones lie beside it already, so it is not set aside: look at the disk, then move them away"
            )
        for suffix in _BESIDE:
            beside = path.with_name(path.name + suffix)
            if beside.exists():
                beside.rename(free[0].with_name(free[0].name + suffix))
        path.rename(free[0])
        state.sync_directory(path.parent)
        return free[0]
    finally:
        os.close(lock)


def _names(path: Path) -> list[Path]:
    return [path.with_name(f"{path.name}.corrupt-{number}") for number in range(1, KEPT + 1)]
