"""The file that somebody imports, for user pimains: as root the program opens it, and nothing else, before it becomes that user.

Everything in a collector's directory is what user pimains, who faces the network, may have made of it: a link, a FIFO, a journal that
SQLite would roll back into whatever the link leads to. So root opens no database there.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from pimains.core.errors import PimainsError
from pimains.shared.readings.collectors_journal import become_the_collectors_user

_COPIES = "/var/tmp"  # noqa: S108  # a directory of its own there; a file may be larger than the memory, in which /tmp may lie


@contextmanager
def given_file(path: Path) -> Iterator[Path]:
    """Where the collector's user, who we become, can read it: as long as needed in a copy, if nobody but root may read it."""
    if os.geteuid() != 0:
        yield path
        return
    try:
        files = [(path.open("rb"), path.name)]
    except OSError as error:
        raise PimainsError(f"{path}: {error.strerror}") from None
    with ExitStack() as opened:
        opened.enter_context(files[0][0])
        with suppress(FileNotFoundError):  # what a database has not put away yet
            files.append((opened.enter_context(_log_of(path).open("rb")), _log_of(path).name))
        become_the_collectors_user()
        if os.access(path, os.R_OK):
            yield path
            return
        with tempfile.TemporaryDirectory(prefix="pimains-import-", dir=_COPIES) as directory:
            for file, name in files:
                with Path(directory, name).open("wb") as target:
                    shutil.copyfileobj(file, target, 1 << 20)
            copy = Path(directory, path.name)
            try:
                yield copy
            except PimainsError as error:  # people know the file that they gave
                error.args = (str(error).replace(str(copy), str(path)),)
                raise


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")
