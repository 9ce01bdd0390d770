"""What people and rules say of relays, each in files of their own, so that no writer ever undoes what another has said.

    /var/lib/pimains/relays/<n>.mode   people's: off, auto or on, and for how long (plan/modes.py); it outlives a reboot
    /run/pimains/relays/<n>.wish       a rule's or a script's: on or off, and why; or lost, and why

Both are there before somebody writes, so that `echo` of the group pimains is enough; a file just emptied says nothing yet.
"""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pimains.core import state
from pimains.core.plan.text import one_line, shortened
from pimains.core.privileges import group
from pimains.shared.relays.plan import modes
from pimains.shared.relays.plan.modes import Mode

SERVICE = "relays"  # its name is that of its only instance
MODE, WISH = "mode", "wish"
LOST = "lost"
_BYTES_MAX = 4096
_WHY_LONGEST = 200
_NO_REASON = "no reason given"


class Said(NamedTuple):
    """What a file says, in one line, and when it was written: its mtime, in nanoseconds."""

    text: str
    written_ns: int


def make(path: Path, text: str) -> None:
    """Put the file there that others may write, if it is not there yet. Raises OSError."""
    if not path.exists():
        state.write(path, text, mode=0o664)
    with suppress(PermissionError):  # somebody of the group has put his own there
        if os.geteuid() == 0 or group() in os.getgroups():
            os.chown(path, -1, group() or -1, follow_symlinks=False)
        path.chmod(0o664)


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
        file.write(f"{text}\n")
        file.flush()
        file.truncate()  # afterwards: on a full disk what it held would be gone, and nothing said


def mode(said: Said) -> Mode:
    """What a person says. Raises ValueError with a line for him."""
    return modes.parse(said.text)


def wish(said: Said) -> tuple[bool | None, str]:
    """Whether a rule wants it on, None where it cannot tell, and why. Raises ValueError with a line for its author."""
    word, _, why = said.text.partition(" ")
    if word.lower() not in ("on", "off", LOST):
        raise ValueError(f"{shortened(repr(said.text), 60)} is no wish (on, off or lost, and why)")
    return None if word.lower() == LOST else word.lower() == "on", shortened(why.strip(), _WHY_LONGEST) or _NO_REASON
