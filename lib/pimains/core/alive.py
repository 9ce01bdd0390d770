"""Whether a service is up, for anybody to see: it holds a lock on /run/pimains/<instance>/alive for as long as its process lives.

It is a lock of the process (fcntl(2), F_SETLK): what it forks does not have it, and whatever ends it lets go of it; the kernel tells
everybody whose it is. Those of an open file (F_OFD_SETLK, flock(2)) a child would keep after a `kill -9` of its parent, and they
tell no process. In return it is lost as soon as its own process closes that file, however often that was opened: so nobody opens
his own: `look` does not, and state.read finds nothing there.
"""

import fcntl
import os
import stat
import struct
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pimains.core import state

# struct flock (fcntl(2)) with the offsets of 64 bits that Python is built for: type, whence, start, length, pid
_FLOCK = struct.Struct("hhqqi0q")


class Life(NamedTuple):
    """What is seen of a service: `is_up` (None: it cannot be told), its process, and for how many seconds it has been there.

    `pid` is 0 and `seconds` None where they are not known.
    """

    is_up: bool | None
    pid: int = 0
    seconds: float | None = None


class _Held:
    """What this process holds."""

    handle = -1


def hold(directory: Path) -> None:
    """From now on, and until this process ends, it is seen to be up. Raises OSError.

    The file is a new one, which nobody could lock before it was.
    """
    aside = directory / f".{state.ALIVE}.{os.getpid()}"
    state.remove(aside)
    handle = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.fchmod(handle, 0o644)
        directory_handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            state.put_in_place(directory_handle, aside.name, state.ALIVE)
        finally:
            os.close(directory_handle)
    except OSError:
        os.close(handle)
        with suppress(OSError):
            aside.unlink()
        raise
    _Held.handle, state.own_alive = handle, _file(os.fstat(handle))


def keep_as_another_program() -> None:
    """It stays held when this process becomes another program (exec)."""
    if _Held.handle >= 0:
        os.set_inheritable(_Held.handle, True)


def look(directory: Path) -> Life:
    """The service whose state is in `directory`; takes no lock, not even for a moment.

    One that has no directory there was not started since the machine was; one that has no such file was started before there were any.
    """
    path = directory / state.ALIVE
    try:
        about = path.lstat()
    except OSError:
        return Life(None if directory.exists() else False)
    if _file(about) == state.own_alive:
        return Life(True, os.getpid(), _seconds(os.getpid(), about))
    if not stat.S_ISREG(about.st_mode):
        return Life(None)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return Life(None)
    try:
        # in the way of a reader's lock is only a writer's, and that needs a file that one may write
        asked = _FLOCK.pack(fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0)
        kind, _, _, _, pid = _FLOCK.unpack(fcntl.fcntl(handle, fcntl.F_GETLK, asked))
    except OSError:  # ENOLCK, EINVAL: not on this file system
        return Life(None)
    finally:
        os.close(handle)
    return Life(False) if kind == fcntl.F_UNLCK else Life(True, max(0, pid), _seconds(pid, about))


def process_seconds(pid: int) -> float | None:
    """How long ago a process was started, by no clock that is ever set (proc(5), field 22 of stat); None where that is not to be seen."""
    try:
        ticks = int(Path("/proc", str(pid), "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return None
    return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK"))


def _seconds(pid: int, about: os.stat_result) -> float | None:
    if (since := process_seconds(pid) if pid > 0 else None) is not None:
        return since
    age = max(0.0, time.time() - about.st_mtime)  # where /proc shows each user his own processes alone
    return age if age <= time.clock_gettime(time.CLOCK_BOOTTIME) else None


def _file(about: os.stat_result) -> tuple[int, int]:
    return about.st_dev, about.st_ino
