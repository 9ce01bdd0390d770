"""State is files: one value each, written aside and renamed, watched with inotify."""

import contextlib
import ctypes
import errno
import os
import stat
import struct
from pathlib import Path

_LONGEST = 64 * 1024


def write(path: Path, value: str, *, durable: bool = False, mode: int = 0o664) -> None:
    """Put `value` and a newline into `path`; readers see the old value or the new one, never half of one.

    `durable` returns only when the value would survive a power cut (fsync of file and directory).
    Raises OSError, for example when the disk is full; then the old value still stands.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
        with open(handle, "w", encoding="utf-8", errors="replace") as file:
            os.fchmod(handle, mode)
            file.write(value + "\n")
            if durable:
                file.flush()
                os.fsync(handle)
        aside.rename(path)
    except OSError:
        remove(aside)
        raise
    if durable:
        sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make renames and removals in `directory` survive a power cut."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read(path: Path) -> str | None:
    """What `path` holds, without blanks at its ends; None if it is not there.

    Links, FIFOs and devices that somebody put in its place are taken for not there; 64 KiB are read at most.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EACCES, errno.ENXIO):
            return None
        raise
    with open(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return None
        return file.read(_LONGEST).decode("utf-8", "replace").strip()


def remove(path: Path) -> None:
    """Take a value away; it may be gone already."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()


def age(path: Path, wall: float) -> float | None:
    """Seconds since `path` was written, by the wall clock `wall`, never negative; None if it is not there."""
    try:
        return max(0.0, wall - path.stat().st_mtime)
    except FileNotFoundError:
        return None


class Watch:
    """Tells which files in a directory were written, renamed or removed (inotify(7)).

    `fileno` becomes readable with the first change: yield the watch from a service.
    Raises OSError if the directory is not there.
    """

    _EVENTS = 0x00000008 | 0x00000040 | 0x00000080 | 0x00000200 | 0x00000004  # close_write, moved from and to, delete, attrib
    _HEADER = struct.Struct("iIII")

    def __init__(self, directory: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._handle: int = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._handle < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        if libc.inotify_add_watch(self._handle, os.fsencode(directory), self._EVENTS) < 0:
            error = ctypes.get_errno()
            self.close()
            raise OSError(error, os.strerror(error), str(directory))

    def fileno(self) -> int:
        """For poll and asyncio."""
        return self._handle

    def changed(self) -> set[str]:
        """The names that changed since the last call; never waits. Files being written aside do not count."""
        names: set[str] = set()
        while True:
            try:
                data = os.read(self._handle, 64 * 1024)
            except BlockingIOError:
                return names
            start = 0
            while start < len(data):
                *_, length = self._HEADER.unpack_from(data, start)
                start += self._HEADER.size
                name = os.fsdecode(data[start : start + length].rstrip(b"\0"))
                start += length
                if name and not name.startswith("."):
                    names.add(name)

    def close(self) -> None:
        """Stop watching."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
