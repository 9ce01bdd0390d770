"""What people and rules say of relays, each in files of their own, so that no writer ever undoes what another has said.

    /var/lib/pimains/relays/<n>.mode   people's: off, auto or on, and for how long (plan/modes.py); it outlives a reboot
    /run/pimains/relays/<n>.wish       a rule's or a script's: on or off, and why

Both are there before somebody writes, so that `echo` of the group pimains is enough; a file just emptied says nothing yet.
"""

import os
from contextlib import suppress
from pathlib import Path

from pimains.core import state
from pimains.core.plan.text import shortened
from pimains.core.privileges import group
from pimains.relays.plan import modes
from pimains.relays.plan.modes import Mode
from pimains.shared.relay_files import MODE, WISH, Said, read, write

__all__ = ["MODE", "WISH", "Said", "make", "mode", "read", "wish", "write"]  # those of others are this room's words, too
_WHY_LONGEST = 200
_NO_REASON = "no reason given"


def make(path: Path, text: str) -> None:
    """Put the file there that others may write, if it is not there yet. Raises OSError."""
    if not path.exists():
        state.write(path, text, mode=0o664)
    with suppress(PermissionError):  # somebody of the group has put his own there
        if os.geteuid() == 0 or group() in os.getgroups():
            os.chown(path, -1, group() or -1, follow_symlinks=False)
        path.chmod(0o664)


def mode(said: Said) -> Mode:
    """What a person says. Raises ValueError with a line for him."""
    return modes.parse(said.text)


def wish(said: Said) -> tuple[bool, str]:
    """Whether a rule wants it on, and why. Raises ValueError with a line for its author."""
    word, _, why = said.text.partition(" ")
    if word.lower() not in ("on", "off"):
        raise ValueError(f"{shortened(repr(said.text), 60)} is no wish (on or off, and why)")
    return word.lower() == "on", shortened(why.strip(), _WHY_LONGEST) or _NO_REASON
