"""Whether svscan and supervise are there for a directory."""

import errno
import os
from pathlib import Path


def is_supervised(directory: Path) -> bool:
    """What svok tells: whether a supervise runs in `directory`."""
    try:
        os.close(os.open(directory / "supervise/ok", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError as error:
        return error.errno == errno.EACCES
    return True


def watches(servicedir: Path) -> bool:
    """Whether some svscan starts what is put into `servicedir`."""
    return any(_is_svscan_of(process, servicedir) for process in Path("/proc").glob("[0-9]*"))


def _is_svscan_of(process: Path, servicedir: Path) -> bool:
    try:
        if (process / "comm").read_bytes() != b"svscan\n":
            return False
        try:
            watched = (process / "cwd").readlink()
        except PermissionError:  # root's svscan, and we are not root
            watched = Path(os.fsdecode((process / "cmdline").read_bytes().split(b"\0")[1]))
        return watched.samefile(servicedir)
    except (OSError, IndexError):  # it ended meanwhile, or watches the directory it was started in
        return False
