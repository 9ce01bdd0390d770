"""Pictures that were shown a moment ago, for whoever asks again before a reading has come."""

import os
from collections.abc import Hashable
from pathlib import Path

from pimains.collector.graphs.pictures import Picture

_PICTURES_MAX = 16  # a megabyte
_SECONDS_MAX = 60.0


class Recent:
    """Pictures of what is in the journal `path`; none of them is older than a minute, or than what any process has stored."""

    def __init__(self, path: Path) -> None:
        self._files = (path, path.with_name(f"{path.name}-wal"))
        self._pictures: dict[Hashable, tuple[object, float, Picture]] = {}

    def state(self) -> object:
        """Another one after each change of the journal (sqlite.org/walformat.html: what is stored is written into one of its files)."""
        return [(found.st_mtime_ns, found.st_size) for file in self._files if (found := _stat(file))]

    def get(self, name: Hashable, now: float) -> Picture | None:
        """The picture, if it would look the same now: in seconds since 1970, whose jumps make it another one."""
        state, at, picture = self._pictures.get(name, (None, 0.0, None))
        return picture if picture and 0 <= now - at < _SECONDS_MAX and state == self.state() else None

    def put(self, name: Hashable, state: object, now: float, picture: Picture) -> None:
        """It was drawn at `now` of a journal that was in this state before."""
        self._pictures.pop(name, None)
        self._pictures[name] = (state, now, picture)
        if len(self._pictures) > _PICTURES_MAX:
            del self._pictures[next(iter(self._pictures))]


def _stat(file: Path) -> os.stat_result | None:
    try:
        return file.stat()
    except OSError:
        return None
