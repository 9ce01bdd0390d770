"""Kills the service that has this in its PYTHONPATH at the boundary of a phase, once: $PIMAINS_ROOT/kill/at says which, and on which side.

A step of a host counts as one, too: nas=ordered.

forced before: as its outage file is about to say that it is forced. forced after: as soon as it does, before anything is done about it.
"""

import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path


class _Killer:
    """Looks at what Python tells of (sys.addaudithook); each look at it is told of, too."""

    def __init__(self, wanted: Path) -> None:
        self._wanted = wanted
        self._is_written = False

    def look(self, event: str, about: tuple[object, ...]) -> None:
        """Kill, if it is that."""
        if self._is_written:
            self._kill()
        if event != "os.rename" or about[1] != "outage":
            return
        with suppress(FileNotFoundError):
            phase, side = self._wanted.read_text().split()
            with open(os.open(str(about[0]), os.O_RDONLY, dir_fd=about[2])) as file:
                outage = json.load(file)
            is_it = phase in (outage["phase"], *(f"{name}={host.get('step')}" for name, host in outage["hosts"].items()))
            if is_it and side == "before":
                self._kill()
            self._is_written = is_it

    def _kill(self) -> None:
        self._is_written = False
        self._wanted.unlink()
        os.kill(os.getpid(), signal.SIGKILL)


sys.addaudithook(_Killer(Path(os.environ.get("PIMAINS_ROOT", "/"), "kill/at")).look)
