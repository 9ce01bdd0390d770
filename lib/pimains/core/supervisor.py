"""Telling svc -t, after which a service is back in a moment, from svc -d and from a machine that goes down: all are a TERM."""

import grp
import os
from collections.abc import Generator
from pathlib import Path

from pimains.core.naps import Nap, Readable, seconds

_STATUS_BYTES = 18
_WANT = 17  # supervise.c, pidchange() and announce(): 'u', 'd' or 0
_SETTLING_SECONDS = 0.1


class Supervisor:
    """The supervise above this service; make one at the start, while still root if it was started so."""

    def __init__(self, directory: Path) -> None:
        self._status = directory / "supervise/status"
        self._parent = os.getppid()
        if os.geteuid() == 0:
            _let_group_pass(directory / "supervise")

    def starts_again(self) -> Generator[Nap, tuple[Readable, ...], bool]:
        """After a TERM: whether this service will be started again at once."""
        # supervise writes down what it wants after it has sent the signal, and when the machine goes down it ends too
        yield seconds(_SETTLING_SECONDS)
        return os.getppid() == self._parent and self._wants_up()

    def _wants_up(self) -> bool:
        try:
            status = self._status.read_bytes()
        except OSError:
            return False
        return len(status) == _STATUS_BYTES and status[_WANT] != ord("d")


def _let_group_pass(directory: Path) -> None:
    """supervise makes its directory 0700; what is in it keeps its own modes."""
    try:
        os.chown(directory, -1, grp.getgrnam("pimains").gr_gid)
        directory.chmod(0o710)
    except (KeyError, OSError):
        return
