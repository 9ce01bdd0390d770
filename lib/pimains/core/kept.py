"""What is damaged is kept, never overwritten: `face` becomes `face.corrupt-1`, and three of each at most."""

import errno
import os
from pathlib import Path

KEPT = 3


def free_name(path: Path, directory: int | None = None) -> Path | None:
    """Under which name the damaged `path`, below the open `directory`, is kept; None where three are already."""
    return next((name for name in _names(path) if not _is_there(name, directory)), None)


def also_named(path: Path) -> Path | None:
    """Under which of these names the damaged `path` lies already: who kept it was killed before another stood in its place."""
    return next((name for name in _names(path) if _is_there(name, None) and name.samefile(path)), None)


def _names(path: Path) -> list[Path]:
    return [path.with_name(f"{path.name}.corrupt-{number}") for number in range(1, KEPT + 1)]


def _is_there(name: Path, directory: int | None) -> bool:
    try:
        os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def set_aside(path: Path) -> Path:
    """Rename what is damaged, or a directory in a file's place; its new name. Raises OSError, also where three are kept already."""
    return set_aside_as(path, path)


def set_aside_as(path: Path, name: Path) -> Path:
    """The same, as one of those called `name`."""
    aside = free_name(name)
    if aside is None:
        raise FileExistsError(errno.EEXIST, f"{KEPT} damaged ones lie beside it already", str(path))
    path.rename(aside)
    return aside
