"""Removing a whole directory by rm(1), which can be told to stop half-way."""

import os
import select
import subprocess
from pathlib import Path

from pimains.backup.rsync import Interrupted
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
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, "LC_ALL": "C.UTF-8"}) as child:
        errors, said, data = child.stderr, b"", b"-"
        while errors and data:
            if stop in select.select([errors, *([stop] if stop else [])], [], [])[0]:
                child.terminate()
                raise Interrupted("stopped half-way")
            data = os.read(errors.fileno(), 4096)
            said = (said + data)[:4096]
    if child.returncode:
        first = said.decode("utf-8", "replace").partition("\n")[0].removeprefix("rm: ")
        raise CannotRemove(one_line(first) or f"rm ended with {child.returncode}")
