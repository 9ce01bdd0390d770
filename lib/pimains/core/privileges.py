"""Becoming the user a service runs as, with directories of its own."""

import grp
import os
import pwd
import stat
from contextlib import suppress
from pathlib import Path

from pimains.core import paths, state
from pimains.core.errors import WrongSetting
from pimains.core.instance import Instance

_ANYBODY = stat.S_IWGRP | stat.S_IWOTH
_READ_BY_ALL = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH
_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def make_directories(me: Instance, user: str | None) -> None:
    """Make the instance's directories below /run/pimains and /var/lib/pimains, and bring old ones into the shape they have now.

    As root: in those two only root makes, renames and removes entries; the instance's belong to `user` (None: root), and nobody
    else writes there. A link of root's in the place of one leads to where the administrator keeps it, and is left alone.
    """
    for top, name in ((paths.run(), me.run.name), (paths.lib(), me.lib.name)):
        if os.geteuid() != 0:
            (top / name).mkdir(parents=True, exist_ok=True)
            continue
        top.mkdir(parents=True, exist_ok=True)  # at boot all services come at once
        directory = os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _give(directory, 0, 0)
            _make_own(directory, name, *_identity(user))
            if user and _identity(user)[0]:
                _give_back(directory, name, top / name, *_identity(user))
            if top == paths.lib():
                _make_own(directory, paths.SERVICES_LEDGER, *_identity("pimains"))
                if _identity("pimains")[0]:
                    _give_back(directory, paths.SERVICES_LEDGER, top / paths.SERVICES_LEDGER, *_identity("pimains"))
                _take_over(directory, paths.LEDGER, also_of=_identity("pimains")[0])
                _take_over(directory, f"{paths.LEDGER}-journal")
                _let_all_read(directory, paths.LEDGER)
        finally:
            os.close(directory)


def group() -> int:
    """The group pimains: those who may command services. 0 on a machine without it."""
    try:
        return grp.getgrnam("pimains").gr_gid
    except KeyError:
        return 0


def _identity(user: str | None) -> tuple[int, int]:
    try:
        entry = pwd.getpwnam(user or "root")
    except KeyError:  # `become` will say so
        return 0, 0
    return entry.pw_uid, entry.pw_gid


def _give(directory: int, user: int, of_group: int) -> bool:
    """Whether others might have written there until now."""
    status = os.fstat(directory)
    was_open = status.st_uid != user or bool(status.st_mode & _ANYBODY)
    if was_open or status.st_gid != of_group or status.st_mode & stat.S_IRWXU != stat.S_IRWXU:
        os.fchown(directory, user, of_group)
        os.fchmod(directory, 0o755)
    return was_open


def _make_own(top: int, name: str, user: int, of_group: int) -> None:
    """The directory `name` in the open `top`, which is root's alone."""
    while True:
        with suppress(FileExistsError):
            os.mkdir(name, 0o755, dir_fd=top)
        try:
            directory = os.open(name, _OPEN_DIRECTORY, dir_fd=top)
            break
        except OSError:
            status = os.stat(name, dir_fd=top, follow_symlinks=False)
            if stat.S_ISLNK(status.st_mode) and status.st_uid == 0:
                return
            os.unlink(name, dir_fd=top)
    try:
        if _give(directory, user, of_group) and user == 0:
            for each in os.listdir(directory):
                _take_over(directory, each)
    finally:
        os.close(directory)


def _give_back(top: int, name: str, path: Path, user: int, of_group: int) -> None:
    """Root's files in a directory of `user`'s, and in those in it, which he could not write: a copy that was put back with sudo.

    Those in a directory where others may put files, too, stay whose they are.
    """
    try:
        directory = os.open(name, _OPEN_DIRECTORY, dir_fd=top)
    except OSError:  # a link of root's, or one that was never made
        return
    try:
        status = os.fstat(directory)
        if status.st_uid != user or status.st_mode & stat.S_ISVTX:
            return
        for each in os.listdir(directory):
            found = os.stat(each, dir_fd=directory, follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode):
                _give_back(directory, each, path / each, user, of_group)
            elif stat.S_ISREG(found.st_mode) and found.st_uid == 0 and found.st_nlink == 1:
                _give_file(directory, each, path / each, user, of_group)
    except FileNotFoundError:  # its own service is still at work there
        return
    finally:
        os.close(directory)


def _give_file(directory: int, name: str, path: Path, user: int, of_group: int) -> None:
    """As it is found open: whatever is put in its place meanwhile is not given away."""
    try:
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    except OSError:
        return
    try:
        status = os.fstat(handle)
        if stat.S_ISREG(status.st_mode) and status.st_uid == 0 and status.st_nlink == 1:
            os.fchown(handle, user, of_group)
            os.fchmod(handle, stat.S_IMODE(status.st_mode) & 0o777 | 0o600)
            if path.is_relative_to(paths.lib()):
                print(f"{path}: belonged to root: it is this service's again")
    finally:
        os.close(handle)


def _take_over(directory: int, name: str, *, also_of: int = 0) -> None:
    """What lay in a directory of root's while others wrote there, too: root's stays, as a new file that nobody else has open.

    So does a file of the user `also_of`; what strangers have put there goes.
    """
    try:
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return
    if stat.S_ISDIR(status.st_mode):
        if status.st_uid != 0:
            import shutil  # brings every packer along: half a megabyte

            shutil.rmtree(name, dir_fd=directory)
        return
    if not stat.S_ISREG(status.st_mode) or status.st_uid not in (0, also_of) or status.st_nlink > 1:
        os.unlink(name, dir_fd=directory)
    elif status.st_uid != 0 or status.st_mode & _ANYBODY:
        _copy_anew(directory, name)


def _let_all_read(directory: int, name: str) -> None:
    """Root's file, which services read, too: a copy that was put back under another umask."""
    with suppress(OSError):
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
        try:
            status = os.fstat(handle)
            if stat.S_ISREG(status.st_mode) and status.st_uid == 0 and status.st_mode & _READ_BY_ALL != _READ_BY_ALL:
                os.fchmod(handle, stat.S_IMODE(status.st_mode) & 0o777 | _READ_BY_ALL)
        finally:
            os.close(handle)


def _copy_anew(directory: int, name: str) -> None:
    """Whoever had the old file open can change the new one no more."""
    import shutil  # brings every packer along: half a megabyte

    aside = f".{name}.{os.getpid()}"
    state.remove_from(directory, aside)
    source = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    copy = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=directory)
    with open(source, "rb") as old, open(copy, "wb") as new:
        if not stat.S_ISREG(os.fstat(source).st_mode):
            raise OSError(f"{name} was replaced")
        shutil.copyfileobj(old, new)
        new.flush()
        os.fchmod(copy, stat.S_IMODE(os.fstat(source).st_mode) & ~_ANYBODY & 0o777)
        os.fsync(copy)
    os.rename(aside, name, src_dir_fd=directory, dst_dir_fd=directory)


def become(user: str) -> None:
    """Give up root for `user` and all of the groups it is in (setuidgid would lose gpio and dialout).

    Raises WrongSetting when the machine has no such user.
    """
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        of = "--group" if user == "pimains" else "--ingroup pimains"
        raise WrongSetting(f"this machine has no user {user!r}: install the package, or run adduser --system {of} {user}") from None
    os.initgroups(user, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    os.environ["HOME"] = entry.pw_dir
    os.umask(0o022)
