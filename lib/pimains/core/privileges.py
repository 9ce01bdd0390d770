"""Becoming the user a service runs as, with directories of its own."""

import grp
import os
import pwd

from pimains.core import paths
from pimains.core.errors import WrongSetting
from pimains.core.instance import Instance


def make_directories(me: Instance, user: str | None) -> None:
    """Make the instance's directories; as root they are given to `user` and to the group pimains."""
    for top, directory in ((paths.run(), me.run), (paths.lib(), me.lib)):
        for each in (top, directory):
            if each.is_dir():
                continue
            each.mkdir(parents=True, exist_ok=True)  # at boot all services come at once
            if os.geteuid() == 0:
                os.chown(each, _user_id(user) if user and each is directory else 0, _group())
                each.chmod(0o2775)


def _user_id(name: str) -> int:
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:  # `become` will say so
        return 0


def _group() -> int:
    try:
        return grp.getgrnam("pimains").gr_gid
    except KeyError:
        return 0


def become(user: str) -> None:
    """Give up root for `user` and all of the groups it is in (setuidgid would lose gpio and dialout).

    Raises WrongSetting when the machine has no such user.
    """
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise WrongSetting(f"this machine has no user {user!r}: install the package, or run adduser --system --group {user}") from None
    os.initgroups(user, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    os.environ["HOME"] = entry.pw_dir
    os.umask(0o002)
