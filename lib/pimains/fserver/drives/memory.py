"""What 50-drives and 60-usb did, so that it can be undone: /run/pimains-halt/drives, which only root may look at or change."""

import json
from contextlib import suppress
from typing import Any, NamedTuple

from pimains.core import paths, state


class Drive(NamedTuple):
    """A drive as it was mounted; `disks` are the whole disks below it, `now` is "unmounted" or "read-only"."""

    place: str
    source: str
    kind: str
    options: str
    disks: list[str]
    now: str


class Memory:
    """Written before anything is done, so that a step which was killed half-way is undone all the same."""

    def __init__(self) -> None:
        self.units: list[str] = []  # that were stopped, in that order
        self.drives: list[Drive] = []
        self.powerless: list[list[str]] = []  # the words for uhubctl that switch on again what was switched off
        self._path = paths.halt_memory() / "drives"
        with suppress(OSError, ValueError, TypeError, KeyError):
            known: dict[str, Any] = json.loads(state.read(self._path) or "{}")
            self.drives = [Drive(*each) for each in known["drives"]]
            self.units, self.powerless = known["units"], known["powerless"]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to undo."""
        return not (self.units or self.drives or self.powerless)

    def remember(self) -> None:
        """Write it down; raises OSError."""
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        if self.is_empty:
            state.remove(self._path)
        else:
            state.write(self._path, json.dumps({"units": self.units, "drives": self.drives, "powerless": self.powerless}), mode=0o600)
