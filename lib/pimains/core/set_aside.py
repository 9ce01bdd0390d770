"""What lies where something of a service's own belongs, by accident or by somebody's hand, is set aside: the service goes on.

A directory in the place of a value can neither be written over nor removed like one, and a link or a FIFO in the place of a
directory neither; each would else end its service whenever that is started. Nothing is lost: it is kept beside its place,
as .NAME.set-aside-1, and a line says so. Who owns the directory may do that with whatever is in it, also with a stranger's.
"""

import errno
import os
import stat
import sys
from contextlib import suppress
from itertools import count
from pathlib import Path


def set_aside(directory: int, name: str) -> None:
    """Make `name` in the open `directory` free; an empty directory just goes. Raises OSError, with the path."""
    with suppress(OSError):
        os.rmdir(name, dir_fd=directory)
        return
    path = Path(f"/proc/self/fd/{directory}").readlink() / name
    for number in count(1):
        kept = f".{name}.set-aside-{number}"
        try:
            os.stat(kept, dir_fd=directory, follow_symlinks=False)
        except FileNotFoundError:
            try:
                os.rename(name, kept, src_dir_fd=directory, dst_dir_fd=directory)
            except FileNotFoundError:  # gone by itself
                return
            except OSError as error:
                if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR, errno.EISDIR):  # somebody has just taken that name
                    continue
                raise OSError(error.errno, f"cannot be set aside: {error.strerror}", str(path)) from None
            line = f"{path} was not what belongs there: it is kept as {path.with_name(kept)}"
            print(line, file=sys.stderr, flush=True)  # in a service, its log
            return


def unless_a_file(path: Path) -> None:
    """What is neither a file nor a link to one goes aside, so that one can be made. Raises OSError."""
    is_file = False
    with suppress(OSError):
        is_file = stat.S_ISREG(path.stat().st_mode)
    if not is_file and os.path.lexists(path):
        _aside(path)


def own_directory(path: Path, mode: int = 0o755) -> int:
    """The directory at `path`, opened, made with `mode` if need be; what is none, or somebody else's, goes aside. Raises OSError."""
    while True:
        with suppress(FileExistsError):
            path.mkdir(mode=mode)
        try:
            directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except (NotADirectoryError, PermissionError) as error:
            if isinstance(error, PermissionError) and _is_own(path.lstat()):
                path.chmod(mode)
                continue
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
        else:
            if _is_own(os.fstat(directory)):
                return directory
            os.close(directory)
        _aside(path)


def _is_own(status: os.stat_result) -> bool:
    return os.geteuid() in (0, status.st_uid)


def _aside(path: Path) -> None:
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        set_aside(directory, path.name)
    finally:
        os.close(directory)
