"""Disks of this machine: what a file system lies on, whether anybody still uses that, and which disks are behind USB."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

_BLOCK = Path("/sys/dev/block")  # links by MAJOR:MINOR to the devices (sysfs(5))
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
    with_number = Path(source)
    if device.startswith("0:") and source.startswith("/"):  # btrfs has numbers of its own
        try:
            there = with_number.stat()
        except OSError:
            return ""
        return f"{os.major(there.st_rdev)}:{os.minor(there.st_rdev)}" if stat.S_ISBLK(there.st_mode) else ""
    return "" if device.startswith("0:") else device


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
    with_dots = Path("/sys/block")
    for name in sorted(os.listdir(with_dots)):
        place = (with_dots / name).resolve()
        if any(part.startswith("usb") and part[3:].isdigit() for part in place.parts):
            yield place


def is_free(disk: Path) -> str:
    """For pimains.core.forked: "" if nobody uses the whole disk or a part of it, else who cannot be told but does.

    The kernel gives a device exclusively (O_EXCL, open(2)) only while no file system of any mount namespace, swap, RAID or
    device-mapper has it or a partition of it, also one that was unmounted lazily.
    """
    try:
        handle = os.open(f"/dev/{disk.name}", os.O_RDONLY | os.O_EXCL | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        return f"{disk.name} is {'still in use' if error.errno == 16 else (error.strerror or str(error)).lower()}"
    os.close(handle)
    return ""


def flush(source: str) -> str:
    """For pimains.core.forked: have a block device write its own cache (fsync(2)). Raises OSError."""
    handle = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    return ""
