"""A journal whose file was removed, or another put in its place, while it is open: everything it has goes into a new file there.

The kernel keeps what is open until it is closed; without a name it would be lost then. SQLite notices nothing where it keeps a
write-ahead log (https://www.sqlite.org/howtocorrupt.html, 4.2), and leaves alone what lies beside the name when it closes.
"""

import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from pimains.core import broken_sqlite, kept, state
from pimains.core.broken_sqlite import BESIDE


def inodes(path: Path) -> dict[str, int]:
    """Which files stand at `path` and where SQLite keeps more beside it, by what is added to its name."""
    return {suffix: broken_sqlite.inode(path.with_name(path.name + suffix)) for suffix in ("", *BESIDE)}


def no_place(path: Path) -> str:
    """What to do where its directory is gone as well, which root alone can make; '' where that is there."""
    if path.parent.is_dir():
        return ""
    brings_back = f"sudo install -d -o pimains {path.parent}"
    return f"{path.parent} is gone; {brings_back} brings all readings back, a restart before that loses them"


def put_back(connection: sqlite3.Connection, path: Path, own: Mapping[str, int]) -> str:
    """Write what `connection` has to `path`; `own` are the files it opened. What became of the file, to be said behind its name.

    Raises sqlite3.Error and OSError; then nothing has changed.
    """
    new = path.with_name(f".{path.name}.new")
    broken_sqlite.remove(new)
    connection.execute("vacuum main into ?", (str(new),))
    (rows,) = connection.execute("select count(*) from main.readings").fetchone()
    state.sync_file(new)
    what, aside = "was removed while it was in use", None
    if os.path.lexists(path):
        aside = kept.set_aside(path)
        what = f"another file was put in its place while it was in use (svc -d comes first): that is kept as {aside.name}"
    for suffix in BESIDE:
        beside = path.with_name(path.name + suffix)
        if not os.path.lexists(beside):
            continue
        if aside is None or broken_sqlite.inode(beside) == own[suffix]:
            state.remove(beside)
        else:  # it belongs to the other one
            beside.rename(aside.with_name(aside.name + suffix))
    new.rename(path)
    state.sync_directory(path.parent)
    return f"{what}; its {rows} readings are in a new one"
