"""What a file system cannot hold of the files that are copied onto it, and how rsync goes on without.

It is tried out: the driver, the mount options and, for a share, the server decide it, not what the file system is called.
"""

import errno
import os
import struct
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from pimains.backup.removal import remove_tree

CANNOT = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)  # how a file system says that it never will
_ALL = 0xFFFFFFFF
# version 2; tag, rights and id of: owner, the user 1, group, mask, others (linux/posix_acl_xattr.h)
_ACL = struct.pack("<I" + 5 * "HHI", 2, 1, 6, _ALL, 2, 4, 1, 4, 4, _ALL, 16, 4, _ALL, 32, 0, _ALL)


class Lacking(NamedTuple):
    """What cannot be held, in words, and the options that have rsync go on without it."""

    what: str
    options: tuple[str, ...]


class _Trial(NamedTuple):
    """`what` rsync copies when one of `letters` or of `names` is among its options; `succeeds` on an empty file that is for trying."""

    what: str
    letters: str
    names: tuple[str, ...]
    succeeds: Callable[[Path], bool]
    root_only: bool = False

    @property
    def without(self) -> tuple[str, ...]:
        return tuple(f"--no-{name}" for name in self.names)


def lacking(directory: Path, options: Sequence[str]) -> list[Lacking]:
    """What the file system of `directory` cannot hold of what rsync is to copy by `options`.

    Nothing where it cannot be tried, as on a full drive: rsync will say what is wrong. Raises CannotRemove.
    """
    place = directory / ".pimains-trying"
    remove_tree(place)  # of one that was cut off
    try:
        place.mkdir(mode=0o700)
        (place / "file").touch()
        return [*_tried(place / "file", options), *_tried_attributes(place / "file", options)]
    except OSError:
        return []
    finally:
        remove_tree(place)


def _tried(file: Path, options: Sequence[str]) -> Iterator[Lacking]:
    for trial in _TRIALS:
        if _asks(options, trial.letters, trial.names) and not _holds(trial.succeeds, file, root_only=trial.root_only):
            yield Lacking(trial.what, trial.without)


def _tried_attributes(file: Path, options: Sequence[str]) -> list[Lacking]:
    """Each kind of extended attributes on its own: NFS has but those of users, an older tmpfs all others."""
    if not _asks(options, "X", ("xattrs",)):
        return []
    missing = [kind for kind in _ATTRIBUTES if not _holds(partial(_keeps_attribute, kind), file, root_only=kind != "user")]
    if "user" in missing and (len(missing) == len(_ATTRIBUTES) or os.geteuid() != 0):
        return [Lacking("extended attributes", ("--no-xattrs",))]
    # who names some has to name all that are left out (rsync(1), --xattrs)
    return [Lacking(_ATTRIBUTES[kind], (f"--filter=-x {kind}.*", "--filter=-x system.*")) for kind in missing]


def _holds(succeeds: Callable[[Path], bool], file: Path, *, root_only: bool) -> bool:
    if root_only and os.geteuid() != 0:
        return True
    try:
        return succeeds(file)
    except OSError as error:
        return error.errno not in CANNOT


def _asks(options: Sequence[str], letters: str, names: Sequence[str]) -> bool:
    """Whether options of rsync ask for what one of these stands for."""
    if any(f"--no-{name}" in options for name in names):
        return False
    short = {letter for word in options if not word.startswith("--") for letter in word[1:]} | ({"a"} if "--archive" in options else set())
    return not short.isdisjoint(letters) or any(f"--{name}" in options for name in names)


def _keeps_owner(file: Path) -> bool:
    os.chown(file, 1, 1)
    return file.stat().st_uid == 1


def _keeps_rights(file: Path) -> bool:
    kept = []
    for mode in (0o600, 0o640):  # FAT says yes and changes nothing
        file.chmod(mode)
        kept.append(file.stat().st_mode & 0o777 == mode)
    return all(kept)


def _keeps_acl(file: Path) -> bool:
    os.setxattr(file, "system.posix_acl_access", _ACL)
    return True


def _keeps_attribute(kind: str, file: Path) -> bool:
    os.setxattr(file, f"{kind}.pimains", b"tried")
    return True


def _keeps_link(file: Path) -> bool:
    (file.parent / "link").symlink_to("file")
    return True


def _keeps_hard_link(file: Path) -> bool:
    (file.parent / "second").hardlink_to(file)
    return True


def _keeps_pipe(file: Path) -> bool:
    os.mkfifo(file.parent / "pipe")
    return True


_ATTRIBUTES = {"user": "extended attributes", "security": "capabilities", "trusted": "trusted attributes"}
_TRIALS = (
    _Trial("owners", "oga", ("owner", "group"), _keeps_owner, root_only=True),
    _Trial("rights", "pa", ("perms",), _keeps_rights),
    _Trial("ACLs", "A", ("acls",), _keeps_acl),
    _Trial("links", "la", ("links",), _keeps_link),
    _Trial("hard links", "H", ("hard-links",), _keeps_hard_link),
    _Trial("pipes and devices", "Da", ("devices", "specials"), _keeps_pipe),
)
