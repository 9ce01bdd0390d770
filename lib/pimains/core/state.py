"""State is files: one value each, written aside and renamed, watched with inotify."""

import contextlib
import errno
import os
import stat
import struct
from pathlib import Path

from pimains.core.errors import PimainsError
from pimains.core.set_aside import set_aside

ALIVE = "alive"
own_alive: tuple[int, int] | None = None  # the file whose lock tells that this process lives (alive.py): its device and inode
_LONGEST = 64 * 1024


def write(path: Path, value: str, *, durable: bool = False, mode: int = 0o644) -> None:
    """Put `value` and a newline into `path`; readers see the old value or the new one, never half of one.

    `durable` returns only when the value would survive a power cut (fsync of file and directory).
    Raises OSError, for example when the disk is full; then the old value still stands.
    """
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        write_into(directory, path.name, value, durable=durable, mode=mode)
    finally:
        os.close(directory)


def write_into(directory: int, name: str, value: str, *, durable: bool = False, mode: int = 0o644) -> None:
    """Do as `write` does, in the open `directory`: whatever becomes of its path meanwhile, it is written there and nowhere else."""
    aside = f".{name}.{os.getpid()}"
    try:
        remove_from(directory, aside)
        # EXCL: a link or FIFO that somebody else put there is neither followed nor waited for
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode, dir_fd=directory)
        with open(handle, "w", encoding="utf-8", errors="replace") as file:
            os.fchmod(handle, mode)
            file.write(value + "\n")
            if durable:
                file.flush()
                os.fsync(handle)
        put_in_place(directory, aside, name)
    except OSError:
        with contextlib.suppress(OSError):
            remove_from(directory, aside)
        raise
    if durable:
        os.fsync(directory)


def put_in_place(directory: int, aside: str, name: str) -> None:
    """Rename `aside` in the open `directory` to `name`, whatever has that name. Raises OSError."""
    while True:
        try:
            os.rename(aside, name, src_dir_fd=directory, dst_dir_fd=directory)
            return
        except IsADirectoryError:
            set_aside(directory, name)


def sync_directory(directory: Path) -> None:
    """Make renames and removals in `directory` survive a power cut."""
    _sync(directory, os.O_DIRECTORY)


def sync_file(path: Path) -> None:
    """Make what others have written into a file survive a power cut. Raises OSError."""
    _sync(path, 0)


def _sync(path: Path, flags: int) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read(path: Path) -> str | None:
    """What `path` holds, without blanks at its ends; None if it is not there.

    Links, FIFOs, devices and directories that somebody put in its place are taken for not there; 64 KiB are read at most.
    """
    content = _bytes(path)
    return None if content is None else content.decode("utf-8", "replace").strip()


def with_status(path: Path, bytes_max: int) -> tuple[str, os.stat_result] | None:
    """What `read` returns, of `bytes_max` at most, and the status (stat(2)) of the very file that held it."""
    handle = _open(path)
    if handle is None:
        return None
    with open(handle, "rb") as file:
        return file.read(bytes_max).decode("utf-8", "replace").strip(), os.fstat(handle)


def _bytes(path: Path) -> bytes | None:
    handle = _open(path)
    if handle is None:
        return None
    with open(handle, "rb") as file:
        return file.read(_LONGEST)


def _status(path: Path) -> tuple[int, int] | None:
    with contextlib.suppress(OSError):
        about = path.lstat()
        return about.st_dev, about.st_ino
    return None


def _open(path: Path) -> int | None:
    if own_alive is not None and path.name == ALIVE and _status(path) == own_alive:  # closing it would lose the lock
        return None
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EACCES, errno.ENXIO):
            return None
        raise
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        return None
    return handle


class Damaged(PimainsError):
    """A value is there and is not one: the text says why, without the file's name."""


def whole(path: Path) -> str | None:
    """What `write` has put there; None if nothing is there. Raises Damaged for what it cannot have written, or what cannot be read."""
    try:
        content = _bytes(path)
    except OSError as error:  # EIO
        raise Damaged((error.strerror or str(error)).lower()) from None
    if content is None:
        if not os.path.lexists(path):
            return None
        raise Damaged("is a directory" if path.is_dir() else "cannot be read")
    if not content.strip(b"\0\n "):
        raise Damaged("is empty")
    if not content.endswith(b"\n"):
        raise Damaged("ends in the middle")
    return content.decode("utf-8", "replace").strip()


def number(text: str | None) -> float | None:
    """What `read` returned, as a number; None if it is none."""
    try:
        return float(text or "")
    except ValueError:
        return None


def remove(path: Path, *, durable: bool = False) -> None:
    """Take a value away; it may be gone already. `durable` returns only when it stays away after a power cut."""
    try:
        path.unlink()
    except IsADirectoryError:
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            set_aside(directory, path.name)
        finally:
            os.close(directory)
    except FileNotFoundError:
        return
    if durable:
        sync_directory(path.parent)


def remove_from(directory: int, name: str) -> None:
    """Take a value away from the open `directory`; it may be gone already."""
    try:
        os.unlink(name, dir_fd=directory)
    except IsADirectoryError:
        set_aside(directory, name)
    except FileNotFoundError:
        return


def age(path: Path, wall: float) -> float | None:
    """Seconds since `path` was written, by the wall clock `wall`, never negative; None if it is not there."""
    try:
        return max(0.0, wall - path.stat().st_mtime)
    except FileNotFoundError:
        return None


class Watch:
    """Tells which files in a directory were written, renamed or removed (inotify(7)).

    `fileno` becomes readable with the first change: yield the watch from a service. A directory that was itself moved
    or removed is told as "."; another of the same name in its place is not watched: make a new Watch.
    Directories made in it are told with `new_directories` alone.
    `drops` counts how often the kernel dropped some: then all that is there is told, and nothing of what is gone.
    Raises OSError if the directory is not there.
    """

    _EVENTS = 0x00000008 | 0x00000040 | 0x00000080 | 0x00000200 | 0x00000004  # close_write, moved from and to, delete, attrib
    _SELF_GONE = 0x00000400 | 0x00000800  # delete_self, move_self
    _CREATED = 0x00000100  # what a directory made by mkdir is told by alone; a file is told of when it was written
    _OVERFLOW = 0x00004000
    _IGNORED = 0x00008000  # the last that is told of a watch
    _HEADER = struct.Struct("iIII")

    def __init__(self, directory: Path, *, new_directories: bool = False) -> None:
        import ctypes  # half a megabyte, and not every service watches files

        self.drops = 0
        self._directories: dict[int, tuple[Path, str]] = {}
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._errno = ctypes.get_errno
        self._handle: int = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._handle < 0:
            raise OSError(self._errno(), "inotify_init1")
        try:
            self._add(directory, "", self._CREATED if new_directories else 0)
        except OSError:
            self.close()
            raise

    def also(self, directory: Path, prefix: str) -> None:
        """Watch this one, too: what changes there is told with `prefix` before it. Raises OSError if it is not there."""
        self._add(directory, prefix, 0)

    def _add(self, directory: Path, prefix: str, more: int) -> None:
        number = self._libc.inotify_add_watch(self._handle, os.fsencode(directory), self._EVENTS | self._SELF_GONE | more)
        if number < 0:
            error = self._errno()
            raise OSError(error, os.strerror(error), str(directory))
        self._directories[number] = directory, prefix

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
                number, event, _, length = self._HEADER.unpack_from(data, start)
                start += self._HEADER.size
                name = os.fsdecode(data[start : start + length].rstrip(b"\0"))
                start += length
                directory, prefix = self._directories.get(number, (None, ""))
                if event & self._OVERFLOW:  # any file may have changed
                    self.drops += 1
                    names.update(self._all_there())
                elif directory is None:  # it is gone, and that was told
                    continue
                elif event & self._IGNORED:
                    del self._directories[number]
                elif event & self._SELF_GONE:
                    names.add(f"{prefix}.")
                elif name and not name.startswith("."):
                    names.add(prefix + name)

    def _all_there(self) -> set[str]:
        names: set[str] = set()
        for directory, prefix in self._directories.values():
            with contextlib.suppress(OSError):
                names.update(f"{prefix}{each}" for each in os.listdir(directory) if not each.startswith("."))
        return names

    def close(self) -> None:
        """Stop watching."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
