"""The file of a setting in an instance's variables/: line 1 is its value, the lines after it say what it is."""

import contextlib
import os
from pathlib import Path

from pimains.core import state


def meaning(path: Path) -> str:
    """What the lines after the first say. Raises OSError."""
    return path.read_text(encoding="utf-8", errors="replace").partition("\n")[2].strip()


def write(path: Path, value: str, words: str, *, is_secret: bool = False) -> None:
    """Put `value` there, with `words` that say what it is; whose it is stays. Raises OSError."""
    mode, owner = 0o600 if is_secret else 0o644, None
    with contextlib.suppress(FileNotFoundError):
        before = path.stat()
        mode, owner = before.st_mode & (0o600 if is_secret else 0o777), (before.st_uid, before.st_gid)
    state.write(path, f"{value}\n{words}" if words else value, durable=True, mode=mode)
    if owner is not None and os.geteuid() == 0:
        os.chown(path, *owner)
