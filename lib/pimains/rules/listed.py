"""The names of the files in RULES_FILES: people put one there, or take it away, and rules see it."""

import os
from contextlib import suppress
from pathlib import Path

from pimains.core import state
from pimains.core.privileges import group

_NAMES_MAX = 200


def make_for_group(directory: Path) -> None:
    """Make a directory of the service's own in which members of group pimains put files."""
    with suppress(OSError):
        directory.mkdir(exist_ok=True)
        if directory.stat().st_uid == os.geteuid():
            with suppress(PermissionError):
                os.chown(directory, -1, group() or -1)
            directory.chmod(0o2775)


class Listed:
    """`names` is None while the directory is not there, or may not be read."""

    def __init__(self, directory: Path) -> None:
        self.names: list[str] | None = None
        self._directory = directory
        self._watch: state.Watch | None = None
        self.look()

    @property
    def watch(self) -> state.Watch | None:
        """What to wait for; None while the directory is not there."""
        return self._watch

    def changed(self) -> bool:
        """Whether there are other names than before; never waits."""
        if self._watch is None:
            return False
        names = self._watch.changed()
        if "." in names:
            self._watch.close()
            self._watch = None
        return bool(names) and self.look()

    def look(self) -> bool:
        """Whether there are other names than before."""
        before = self.names
        if self._watch is None:
            with suppress(OSError):
                self._watch = state.Watch(self._directory, new_directories=True)
        try:
            self.names = sorted(name for name in os.listdir(self._directory) if not name.startswith("."))[:_NAMES_MAX]
        except OSError:
            self.names = None
        return self.names != before

    def close(self) -> None:
        """Watch nothing more."""
        if self._watch is not None:
            self._watch.close()
