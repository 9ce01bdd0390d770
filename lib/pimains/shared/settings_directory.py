"""A directory of settings, such as a relay has: a file for each, line 1 the value, then what it means."""

import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from pimains.core import state, templates
from pimains.core.errors import Misused, PimainsError, WrongSetting
from pimains.shared import variable_file

_LONGEST_VALUE = 4096


def read(directory: Path, names: Iterable[str]) -> dict[str, str]:
    """The values there are. Raises WrongSetting for a file that cannot be read."""
    values = {}
    for name in names:
        path = directory / name
        try:
            with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:  # nobody waits for a FIFO's writer
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise OSError(errno.EINVAL, f"is {'a directory' if path.is_dir() else 'no plain file'}")
                values[name] = templates.first_line(file.read(_LONGEST_VALUE).decode("utf-8", "replace"))
        except FileNotFoundError:
            continue
        except OSError as error:
            raise WrongSetting(f"{path}: {(error.strerror or str(error)).lower()}; a setting is a plain file") from None
    return values


def defaults(template: Path, names: Iterable[str]) -> dict[str, str]:
    """The values of a new one."""
    return read(template, names)


def make(directory: Path, template: Path, values: Mapping[str, str], finish: Callable[[Path], object] = lambda _: None) -> None:
    """Put it there with these values, all at once; `finish` gets it before anybody sees it.

    Raises Misused where there is one already, or PimainsError.
    """
    aside = directory.with_name(f".{directory.name}+new.{os.getpid()}")
    try:
        aside.mkdir(parents=True)
        for name, value in values.items():
            variable_file.write(aside / name, value, variable_file.meaning(template / name))
        finish(aside)
        aside.rename(directory)
        state.sync_directory(directory.parent)
    except OSError as error:
        shutil.rmtree(aside, ignore_errors=True)
        if directory.exists():  # somebody else has just made it
            raise there_already(directory) from None
        raise _refused(directory.parent, error) from None


def remove(directory: Path) -> None:
    """Take it away, all at once. Raises PimainsError."""
    aside = directory.with_name(f".{directory.name}+old.{os.getpid()}")
    try:
        directory.rename(aside)
        shutil.rmtree(aside)
    except OSError as error:
        raise _refused(directory.parent, error) from None


def there_already(directory: Path) -> Misused:
    """Nobody's settings are written over."""
    return Misused(f"{directory} is there already; its settings are files there")


def _refused(directory: Path, error: OSError) -> PimainsError:
    return PimainsError(f"{directory}: {'root may do that' if isinstance(error, PermissionError) else error.strerror}")
