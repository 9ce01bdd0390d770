"""A collector's journal for who only looks into it: rows of what its service stores meanwhile."""

import os
import sqlite3
from pathlib import Path


def opened(path: Path) -> sqlite3.Connection:
    """The journal in the file `path`, for people who may read the file and not write it. Raises sqlite3.OperationalError."""
    # without its -wal beside it nobody has it open, and who may not write there could not open it otherwise
    how = "mode=ro" if path.with_name(f"{path.name}-wal").exists() or os.access(path.parent, os.W_OK) else "immutable=1"
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", timeout=10, isolation_level=None, uri=True)
    connection.execute("select 1 from sources, imports limit 1")
    return connection
