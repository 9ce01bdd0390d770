"""What each client of this machine has up, or may have: a file for each instance, so that no unit is stopped that another one needs.

/run/pimains/<instance>/holds   line 1 the share's place, line 2 its units, line 3 `leaving` once it does not need them any more
"""

import os
from pathlib import Path

from pimains.core import paths, state

_NAME = "holds"
_LEAVING = "leaving"


class Holds:
    """What the instance `name` holds."""

    def __init__(self, name: str) -> None:
        self._path = paths.run() / name / _NAME

    def __bool__(self) -> bool:
        """Whether it holds anything."""
        return self._path.exists()

    def what(self) -> tuple[str, list[str]]:
        """The share's place, "" if there is none, and its units."""
        place, units, _ = _read(self._path)
        return place, units

    def begin(self, place: Path, units: list[str]) -> None:
        """From now on it may hold these. Raises OSError."""
        state.write(self._path, f"{place}\n{' '.join(units)}")

    def needs_no_units(self) -> None:
        """Before any of them is stopped: of two that leave at the same time at least one then sees that nobody else needs it."""
        place, units, _ = _read(self._path)
        if place:
            state.write(self._path, f"{place}\n{' '.join(units)}\n{_LEAVING}")

    def end(self) -> None:
        """It holds nothing any more."""
        state.remove(self._path)

    def who_else_needs(self, unit: str) -> str:
        """The name of another instance that does; "" if there is none."""
        for other in sorted(paths.run().glob(f"*/{_NAME}")):
            place, units, is_leaving = _read(other)
            if other != self._path and _is_a_clients(other) and place and not is_leaving and _whole(unit) in map(_whole, units):
                return other.parent.name
        return ""


def _read(path: Path) -> tuple[str, list[str], bool]:
    place, units, is_leaving, *_ = [*(state.read(path) or "").split("\n"), "", "", ""]
    return place, units.split(), is_leaving == _LEAVING


def _is_a_clients(path: Path) -> bool:
    """Whether nobody but a client, who is root, can have put it there: the directories of other services are user pimains's."""
    try:
        return path.parent.stat().st_uid == os.geteuid()
    except FileNotFoundError:
        return False


def _whole(unit: str) -> str:
    return unit if "." in unit else f"{unit}.service"
