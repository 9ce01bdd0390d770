"""Files in which people and rules say what they want of a relay, and that went: they are made again, as those who write need them there."""

import os
from collections.abc import Callable
from pathlib import Path

_SECONDS = 1.0  # some editors take the old file away before they put a new one there


class LostFiles:
    """Those that went; `look` hears of those in whose place something else stands, as Troubles does."""

    def __init__(self, look: Callable[[str, str], None]) -> None:
        self._look = look
        self._at: dict[Path, float] = {}

    def look(self, path: Path, is_heard: bool, now: float) -> None:
        """Whether something was heard there, by the time of the board."""
        trouble = ""
        if not is_heard:
            if not os.path.lexists(path):
                self._at.setdefault(path, now + _SECONDS)
            elif path.is_symlink() or not path.is_file():
                trouble = f"{path}: is no plain file"
        self._look(path.name, trouble)

    @property
    def due_at(self) -> float:
        """When one is to be made again."""
        return min(self._at.values(), default=float("inf"))

    def due(self, now: float) -> list[Path]:
        """Those that nobody has put there meanwhile."""
        over = [path for path, at in self._at.items() if at <= now]
        for path in over:
            del self._at[path]
        return [path for path in over if not os.path.lexists(path)]
