"""Mounted shares and drives, without ever hanging on a dead one.

What is mounted is read from the kernel's list (proc_pid_mountinfo(5)), which no share can hold up. Whatever touches the share
itself is a function for pimains.core.process.function: `look`, `sync` and `detach`.
"""

import errno
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

MNT_FORCE, MNT_DETACH, UMOUNT_NOFOLLOW = 1, 2, 8  # umount(2)
NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM)  # of a share that answers, in contrast to one that is broken
_HOLDERS_NAMED = 5


class Mount(NamedTuple):
    """What is mounted at a place: the type ("nfs4") and source ("music:/MDrive") of its file system, and how it is mounted there."""

    place: Path
    kind: str
    source: str
    options: str = ""  # of the place, such as "rw,noatime"
    device: str = ""  # MAJOR:MINOR
    of_file_system: str = ""  # its own options, such as "rw,vers=4.2,addr=10.0.0.1"

    @property
    def address(self) -> str:
        """The numeric address that a share comes from, as far as the kernel's list tells; "" for a name, and for what is no share."""
        for option in self.of_file_system.split(","):
            if option.startswith("addr="):  # nfs(5), mount.cifs(8)
                return option.removeprefix("addr=")
        host = re.match(r"(?://|[^/\[:]*@)?\[?(?P<host>[0-9.]+|[0-9a-f:]+(?:%[^]]+)?)\]?:?/", self.source)
        return host["host"] if host else ""


def mounted(place: Path) -> Mount | None:
    """The file system mounted last at `place`; None if there is none, or only autofs waiting to mount one.

    `place` has to be spelled as it was mounted: links are not followed, because that could hang.
    """
    found = [each for each in mounts() if each.place == place]
    return found[-1] if found and found[-1].kind != "autofs" else None


def last_mounted(place: Path) -> Mount | None:
    """What has to be unmounted next before `place` is: the last one mounted below it (NFS mounts exports inside exports), or itself."""
    below = [each for each in mounts() if place in each.place.parents and each.kind != "autofs"]
    return below[-1] if below else mounted(place)


def mounts() -> list[Mount]:
    """Everything that is mounted; what is mounted on another comes after it."""
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    found = []
    for line in lines:
        before, _, after = line.partition(" - ")
        kind, source, of_file_system, *_ = [*after.split(" "), "", ""]
        _, _, device, _, place, options, *_ = before.split(" ")
        found.append(Mount(Path(_unescape(place)), kind, _unescape(source), options, device, of_file_system))
    return found


def holding(path: Path) -> Path:
    """The place where the file system that holds `path` is mounted; follows links, may hang."""
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    places = {_unescape(line.split(" ")[4]) for line in lines}
    there = path.resolve()
    return next(each for each in (there, *there.parents) if str(each) in places or each == each.parent)


def look(place: Path, marker: str) -> str:
    """Touch `marker` on the share at `place` (the share itself if ''), so that an automounter mounts it; may hang.

    Returns where `place` really is, which is elsewhere for a link. Raises OSError while it is not there, or its server is not.
    """
    # with the slash the root of what is mounted there is meant, which autofs has to mount first
    os.stat(f"{place}/{marker}")
    with suppress(PermissionError, NotImplementedError):
        os.statvfs(place)  # the server itself is asked this, while a name is remembered for a while by NFS and by sshfs
    return os.path.realpath(place)


def sync(place: Path) -> str:
    """Have the kernel write what waits for the file system at `place`, and no other (syncfs(2)); may take long. Raises OSError."""
    handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _system_call(place, "syncfs", handle)
    finally:
        os.close(handle)
    return ""


def is_waiting(place: Path) -> bool:
    """Whether whoever touches `place` has something mounted there (autofs)."""
    return any(each.place == place and each.kind == "autofs" for each in mounts())


def load() -> None:
    """Load what `detach` needs: for a process that stands by for it."""
    import ctypes  # noqa: F401  # the process has it then


def detach(place: Path, *, by_force: bool) -> str:
    """Take away what is mounted last at `place`; may hang on a share whose server is away.

    By force: requests under way fail, and it is gone from the tree at once even if it is in use. Raises OSError.
    """
    flags = UMOUNT_NOFOLLOW | (MNT_FORCE | MNT_DETACH if by_force else 0)
    _system_call(place, "umount2", os.fsencode(place), flags)
    return ""


def _system_call(place: Path, name: str, *arguments: bytes | int) -> None:
    import ctypes  # half a megabyte, for which the child pays that runs this

    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), str(place))


def holders(place: Path) -> list[str]:
    """Who keeps a share or drive busy, as "name (pid) at file": processes with a file, a mapping or their directory on it; five at most.

    Swap files and loop devices on it are named, too. Only links below /proc and /sys are read, so a dead share does not hold it up.
    """
    found: list[str] = []
    for pid in (name for name in os.listdir("/proc") if name.isdigit() and name != str(os.getpid())):
        if len(found) < _HOLDERS_NAMED and (file := _held(Path("/proc", pid), str(place))):
            found.append(f"{_name(pid)} ({pid}) at {file}")
    files = {line.split(" ")[0]: "swap" for line in _text(Path("/proc/swaps")).splitlines()}
    files |= {_text(each).strip(): each.parts[3] for each in Path("/sys/block").glob("loop*/loop/backing_file")}
    return found + [f"{user} at {file}" for file, user in files.items() if file.startswith(f"{place}/")]


def _held(process: Path, place: str) -> str:
    """The first file of a process that is on `place`; "" when there is none."""
    links = [process / "cwd", process / "root", process / "exe"]
    for directory in ("fd", "map_files"):
        try:
            links += [process / directory / name for name in os.listdir(process / directory)]
        except OSError:  # it has just ended, or is not ours to see
            continue
    targets = map(_target, links)
    return next((target for target in targets if target == place or target.startswith(place.rstrip("/") + "/")), "")


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""


def _name(pid: str) -> str:
    return _text(Path("/proc", pid, "comm")).strip() or "?"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _unescape(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)
