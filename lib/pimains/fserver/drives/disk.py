"""Disks of this machine: what a file system lies on, whether anybody still uses that, and which disks are behind USB."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

_BLOCK = Path("/sys/dev/block")  # links by MAJOR:MINOR to the devices (sysfs(5))
_DISKS = Path("/sys/block")
_BY_UUID = Path("/dev/disk/by-uuid")


def by_uuid(source: str) -> str:
    """A name of the device `source` that it keeps when it comes back after its power was off; `source` itself if it has none."""
    there = os.path.realpath(source)
    try:
        names = sorted(_BY_UUID.iterdir())
    except OSError:
        return source
    return next((str(name) for name in names if os.path.realpath(name) == there), source)


def number(source: str, device: str) -> str:
    """MAJOR:MINOR of what a file system lies on, by its source and its own number; "" when that is no block device of this machine."""
    if not device.startswith("0:"):
        return device
    if not source.startswith("/dev/"):
        return ""
    try:
        there = Path(source).stat()  # btrfs has numbers of its own
    except OSError:
        return ""
    return f"{os.major(there.st_rdev)}:{os.minor(there.st_rdev)}" if stat.S_ISBLK(there.st_mode) else ""


def whole(device: str) -> list[Path]:
    """The whole disks below a block device, as sysfs has them: through partitions, dm-crypt, LVM and RAID."""
    try:
        place = (_BLOCK / device).resolve(strict=True)
        if (place / "partition").exists():
            place = place.parent
        below = [(place / "slaves" / name / "dev").read_text(encoding="ascii").strip() for name in os.listdir(place / "slaves")]
    except OSError:
        return []
    return [disk for each in below for disk in whole(each)] or [place]


def on_usb() -> Iterator[Path]:
    """The whole disks behind USB, as sysfs has them."""
    for name in sorted(os.listdir(_DISKS)):
        place = (_DISKS / name).resolve()
        if any(part.startswith("usb") and part[3:].isdigit() for part in place.parts):
            yield place


def let_go(device: Path) -> str:
    """For pimains.core.process.function: have a whole disk write its cache; "" if nobody uses it or a part of it, else that somebody does.

    The kernel gives a device exclusively (O_EXCL, open(2)) only while no file system of any mount namespace, swap, RAID or
    device-mapper has it or a partition of it: also one that was unmounted lazily counts. Raises OSError.
    """
    try:
        handle = os.open(device, os.O_RDONLY | os.O_EXCL | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENXIO, errno.ENOMEDIUM):  # it has gone, or is a card reader without a card
            return ""
        if error.errno == errno.EBUSY:
            return f"{device.name} is still in use (by another mount namespace, swap, RAID or device-mapper)"
        raise
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    return ""
