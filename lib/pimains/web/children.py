"""Verbs of pimains that look at what a browser has sent: each in a directory of its own, ended when nobody waits for it.

A rule that a browser has sent is looked at there and nowhere else; `pimains rule` gives it a process of its own once more, which may write
nothing. One at a time for each who asks: the next one ends the one before.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from pimains.core.errors import PimainsError
from pimains.web.verbs import Done, ended

_AT_ONCE_MAX = 3
_WAITING_MAX = 12
_BYTES_MAX = 2 * 1024 * 1024
PREFIX = "draft-"  # of the names of their directories
_LOOK_SECONDS = 0.1  # how often it is looked whether somebody still waits


class Busy(PimainsError):
    """Too many ask at the same time."""


class Replaced(PimainsError):
    """Who asked has asked for something newer, or is gone."""


class Children:
    """All of this service; `directory` is where their own directories are made, in RAM."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        for left in directory.glob(f"{PREFIX}*"):  # by one that was killed
            shutil.rmtree(left, ignore_errors=True)
        self._room = asyncio.Semaphore(_AT_ONCE_MAX)
        self._waiting = 0
        self._of: dict[str, asyncio.Task[Done]] = {}

    async def run(
        self,
        who: str,
        words: Callable[[Path], list[str]],
        files: Mapping[str, str],
        seconds: float,
        is_waited_for: Callable[[], bool] = lambda: True,
    ) -> Done:
        """`pimains` with the `words` for the directory in which `files` lie, for somebody who is called `who`.

        Raises PimainsError with a line when it takes longer or tells too much, Busy and Replaced.
        """
        if self._waiting >= _WAITING_MAX:
            raise Busy("many rules are tried at this moment; try again in a few seconds")
        self.end(who)
        task = self._of[who] = asyncio.create_task(self._run(words, files, seconds))
        self._waiting += 1
        try:
            while not task.done():
                if not is_waited_for():
                    task.cancel()
                await asyncio.wait([task], timeout=_LOOK_SECONDS)
            return task.result()
        except asyncio.CancelledError:
            task.cancel()
            if (this := asyncio.current_task()) and this.cancelling():
                raise
            raise Replaced("something newer was asked for") from None
        finally:
            self._waiting -= 1
            if self._of.get(who) is task:
                del self._of[who]

    def end(self, who: str) -> None:
        """The one that is under way for `who`, if there is one."""
        if task := self._of.pop(who, None):
            task.cancel()

    async def _run(self, words: Callable[[Path], list[str]], files: Mapping[str, str], seconds: float) -> Done:
        async with self._room:
            with tempfile.TemporaryDirectory(prefix=PREFIX, dir=self._directory) as name:
                directory = Path(name)
                for path, text in files.items():
                    (directory / path).parent.mkdir(exist_ok=True)
                    (directory / path).write_text(text, encoding="utf-8")
                return await ended(words(directory), seconds, _BYTES_MAX, directory=directory)
