"""The files in which somebody says what he wants of a relay, from both ends: those who say it, and the service relays.

    /var/lib/pimains/relays/<n>.mode   people's, by `pimains relay`, echo or the keys of a panel
    /run/pimains/relays/<n>.wish       a rule's or a script's

The service keeps them, for the group pimains to write into them in place.
"""

import errno
import os
import stat
from pathlib import Path
from typing import NamedTuple

from pimains.core.plan.text import one_line

SERVICE = "relays"  # its name is that of its only instance
MODE, WISH = "mode", "wish"
_BYTES_MAX = 4096


class Said(NamedTuple):
    """What a file says, in one line, and when it was written: its mtime, in nanoseconds."""

    text: str
    written_ns: int


def read(path: Path) -> Said | None:
    """None when it says nothing, is no plain file or cannot be read."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        about = os.fstat(handle)
        text = os.read(handle, _BYTES_MAX) if stat.S_ISREG(about.st_mode) else b""
    except OSError:
        return None
    finally:
        os.close(handle)
    line = one_line(text.partition(b"\n")[0].decode("utf-8", "replace"))
    return Said(line, about.st_mtime_ns) if line else None


def write(path: Path, text: str) -> None:
    """Say something there, as whoever may write the file. Raises OSError; a link, which may lead anywhere, is not followed."""
    handle = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(handle, "w", encoding="utf-8") as file:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode) or about.st_nlink > 1:
            raise FileExistsError(errno.EEXIST, "is no plain file", str(path))
        file.truncate(0)
        file.write(f"{text}\n")
