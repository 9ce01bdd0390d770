"""What an instance has beside its variables/: directories with settings of their own, such as the hosts of an ups, and the keys in them.

They are kept when the instance is removed, and given back with its settings.
"""

import os
import stat
from collections.abc import Collection
from pathlib import Path

from pimains.core import state

_OTHERS = ("log", "supervise", "variables")


def directories(instance: Path) -> list[Path]:
    """Those of an instance."""
    found = (path for path in instance.iterdir() if path.name not in _OTHERS and not path.name.startswith("."))
    return sorted(path for path in found if path.is_dir() and not path.is_symlink())


def kept(copy: Path, names: Collection[str]) -> list[Path]:
    """Those of `names` that are in a directory of settings."""
    return [each for each in directories(copy) if each.name in names] if copy.is_dir() else []


def give_back(directory: Path, instance: Path) -> bool:
    """Put a copy of it into the instance, whole or not at all; False where one of its name is there already. Raises OSError."""
    to = instance / directory.name
    if to.exists():
        return False
    import shutil  # brings every packer along: ten milliseconds

    aside = instance / f".{directory.name}+new"
    shutil.rmtree(aside, ignore_errors=True)
    copy(directory, aside)
    aside.rename(to)
    state.sync_directory(instance)
    return True


def copy(directory: Path, to: Path) -> None:
    """Make `to` like it, with rights, and as root with owners; on the disk when this returns. Links and devices are left out.

    Raises OSError.
    """
    status = directory.stat()
    to.mkdir(mode=0o700)
    for path in sorted(directory.iterdir()):
        about = path.lstat()
        if stat.S_ISDIR(about.st_mode):
            copy(path, to / path.name)
        elif stat.S_ISREG(about.st_mode):
            _copy_file(path, to / path.name)
    _give(to, status)
    state.sync_directory(to)


def _copy_file(path: Path, to: Path) -> None:
    source = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(source, "rb") as old, open(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as new:
        new.write(old.read())
        new.flush()
        os.fsync(new.fileno())
        _give(new.fileno(), os.fstat(source))


def _give(path: Path | int, like: os.stat_result) -> None:
    if os.geteuid() == 0:
        os.chown(path, like.st_uid, like.st_gid)
    os.chmod(path, stat.S_IMODE(like.st_mode))  # noqa: PTH101  # of a descriptor, too
