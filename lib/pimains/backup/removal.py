"""Removing a whole directory by rm(1), which can be told to stop half-way."""

from pathlib import Path

from pimains.backup.program import BackupProgram
from pimains.core.errors import PimainsError
from pimains.core.naps import Readable
from pimains.core.plan.text import one_line


class CannotRemove(PimainsError):
    """Something is left; the text says why."""


def remove_tree(directory: Path, stop: Readable | None = None) -> None:
    """Remove `directory` and all below it, but nothing of another file system that is mounted in there.

    Raises Interrupted when `stop` becomes readable before all is gone, CannotRemove.
    """
    words = ["rm", "-rf", "--one-file-system", "--", str(directory)]
    said = b""
    with BackupProgram(words) as program:
        for _, complaints in program.says(stop):
            said = (said + complaints)[:4096]
        exit_code = program.exit_code()
    if exit_code:
        first = said.decode("utf-8", "replace").partition("\n")[0].removeprefix("rm: ")
        raise CannotRemove(one_line(first) or f"rm ended with {exit_code}")
