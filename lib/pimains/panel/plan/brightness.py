"""How bright the boards are at which time of day."""

import re
from typing import NamedTuple

LEVEL_MAX = 7
_LEVEL = re.compile(rf"[0-{LEVEL_MAX}]")
_FROM = re.compile(rf"([01]?[0-9]|2[0-3]):([0-5][0-9])=([0-{LEVEL_MAX}])")


class Brightness(NamedTuple):
    """A `level`, and others from some minutes of a day on, in their order."""

    level: int
    changes: tuple[tuple[int, int], ...]

    def at(self, minute: int | None) -> int:
        """The level at so many minutes since midnight; None where nobody knows the time. A change holds until the next one."""
        if minute is None or not self.changes:
            return self.level
        return next((level for begin, level in reversed(self.changes) if begin <= minute), self.changes[-1][1])


def parse(text: str) -> Brightness:
    """What "2 22:00=0 07:00=2" says. Raises ValueError."""
    first, *others = text.split()
    matches = [_FROM.fullmatch(word) for word in others]
    if not _LEVEL.fullmatch(first) or None in matches:
        raise ValueError
    changes = {int(match[1]) * 60 + int(match[2]): int(match[3]) for match in matches if match}
    if len(changes) < len(others):
        raise ValueError
    return Brightness(int(first), tuple(sorted(changes.items())))
