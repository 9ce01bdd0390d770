"""Libraries that a Debian package brings, and that this machine may lack: the service then starts all the same and says what to install.

    with Needed("python3-aiohttp") as library:
        from aiohttp import web
    ...
    library.must_be_there(me)

Whatever the module names before that is not evaluated: `from __future__ import annotations`.
"""

from pathlib import Path
from types import TracebackType
from typing import Self

from pimains.core.errors import WrongSetting


class Needed:
    """The imports in its `with` may find that `package` is missing."""

    def __init__(self, package: str) -> None:
        self._package = package
        self._missing = ""

    def must_be_there(self, directory: Path) -> None:
        """Raises WrongSetting, which tells the user of the service in `directory` what to do."""
        if self._missing:
            raise WrongSetting(f"the Python module {self._missing} is missing: apt install {self._package}, then svc -t {directory}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> bool:
        if isinstance(error, ModuleNotFoundError):
            self._missing = error.name or str(error)
        return bool(self._missing)
