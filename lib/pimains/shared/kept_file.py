"""A file through which the group pimains may say something to a service of root, also with echo, and which it cannot replace.

It lies in a directory of root's, and the service keeps it: it is there before somebody asks, so that asking needs no right to make
files, and no room on a file system that is full. While nothing is asked it says so. It is read as a stranger's text.
"""

import contextlib
import errno
import os
import stat
import time
from pathlib import Path

from pimains.core import state
from pimains.core.privileges import group

_NOTHING = "nothing is asked"
_MODE = 0o664
_LOOKS_AT_AN_EMPTY_FILE = 20
_LOOK_SECONDS = 0.01
_BYTES_MAX = 64 * 1024


def keep(path: Path) -> None:
    """For the service: from now on it can be asked; what was asked before stands. Raises OSError when there is no room for it."""
    if is_no_file(path):
        raise FileExistsError(errno.EEXIST, "is no plain file", str(path))
    if not path.exists():
        _make(path)
    handle = _opened(path)
    try:
        if os.geteuid() == 0:
            os.fchown(handle, 0, group())
        os.fchmod(handle, _MODE)
    finally:
        os.close(handle)


def _make(path: Path) -> None:
    """In one step, never seen empty: that would be somebody who does not say what he wants. What root has just put there stays."""
    aside = path.with_name(f".{path.name}.new")
    state.write(aside, _NOTHING, mode=_MODE)
    os.utime(aside, (0, 0), follow_symlinks=False)
    try:
        os.link(aside, path)
    except FileExistsError as there:
        if is_no_file(path):
            raise FileExistsError(errno.EEXIST, "is no plain file", str(path)) from there
    finally:
        aside.unlink()


def ask(path: Path, text: str) -> None:
    """Say `text`, which is a line or some.

    Raises FileNotFoundError when the service was not started since boot, PermissionError outside group pimains.
    """
    handle = _opened(path, os.O_APPEND)  # in one write, and the page that is there already is not given up before
    try:
        os.write(handle, f"{text}\n".encode("utf-8", "replace"))
    finally:
        os.close(handle)


def asked(path: Path) -> str | None:
    """What somebody wants; '' if he does not say; None if nobody wants anything.

    Who writes it with echo has a moment between emptying the file and filling it.
    """
    for _ in range(_LOOKS_AT_AN_EMPTY_FILE):
        if (text := _text(path)) != "":
            break
        time.sleep(_LOOK_SECONDS)
    if text is None or text == _NOTHING:
        return None
    return text.removeprefix(f"{_NOTHING}\n")


def _text(path: Path) -> str | None:
    """What the file says that is looked at; None for what is no plain file, or another name of some."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        os.close(handle)
        return None
    with open(handle, "rb") as file:
        return file.read(_BYTES_MAX).decode("utf-8", "replace").strip()


def is_touched(path: Path) -> bool:
    """Whether somebody has written there, or used touch(1), since it was last forgotten."""
    with contextlib.suppress(OSError):
        return path.lstat().st_mtime != 0
    return False


def forget(path: Path) -> None:
    """What was asked is done, or not wanted any more."""
    if not is_touched(path) and state.read(path) == _NOTHING:
        return  # opened for writing, it would wake who watches it: the service itself, which forgets what it is woken for
    try:
        handle = _opened(path)
    except FileNotFoundError:
        return
    try:
        line = f"{_NOTHING}\n".encode()
        if os.pread(handle, len(line) + 1, 0) != line:
            os.pwrite(handle, line, 0)
            os.ftruncate(handle, len(line))
        if os.fstat(handle).st_mtime != 0:  # who watches it is not woken for nothing
            with contextlib.suppress(PermissionError):  # somebody of the group takes back what he has asked
                os.utime(handle, (0, 0))
    finally:
        os.close(handle)


def is_no_file(path: Path) -> bool:
    """Whether root has put something else in its place."""
    with contextlib.suppress(FileNotFoundError):
        status = path.lstat()
        return not stat.S_ISREG(status.st_mode) or status.st_nlink > 1  # another name of some file would tell what stands there
    return False


def _opened(path: Path, flags: int = 0) -> int:
    return os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | flags)
