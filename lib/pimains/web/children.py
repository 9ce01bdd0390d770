"""Verbs of pimains as child processes: each in a directory of its own, with so much time and output, ended when nobody waits for it.

A rule that a browser has sent is looked at there and nowhere else; `pimains rule` gives it a process of its own once more, which may write
nothing. One at a time for each who asks: the next one ends the one before.
"""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pimains.core.errors import PimainsError
from pimains.core.plan.sentences import duration

_AT_ONCE_MAX = 3
_WAITING_MAX = 12
_BYTES_MAX = 2 * 1024 * 1024
_LINE_BYTES_MAX = 2000
_CHUNK_BYTES = 64 * 1024
_END_SECONDS = 5.0
PROGRAM = "pimains.cli"
PREFIX = "draft-"  # of the names of their directories
_LOOK_SECONDS = 0.1  # how often it is looked whether somebody still waits
_KEPT = ("PATH", "PYTHONPATH", "PIMAINS_ROOT", "LANG", "TZ")  # of this service's environment: its own settings are nobody's


class Busy(PimainsError):
    """Too many ask at the same time."""


class Replaced(PimainsError):
    """Who asked has asked for something newer, or is gone."""


class Done(NamedTuple):
    """How it ended: its exit code, what it told, and its last line of what went wrong."""

    code: int
    told: bytes
    said: str


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
                return await _ended(words(directory), directory, seconds)


def environment() -> dict[str, str]:
    """What a child gets of this service's: PASSWORD is none of its business."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ}


async def pimains(words: list[str], seconds: float) -> Done:
    """A verb that looks at nothing a browser has sent. Raises PimainsError."""
    return await _ended(words, None, seconds)


async def _ended(words: list[str], directory: Path | None, seconds: float) -> Done:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-P", "-m", PROGRAM, *words),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=directory,
        env=environment(),
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(seconds):
            told, said = await asyncio.gather(_read(child.stdout), _read(child.stderr))
            code = await child.wait()
    except TimeoutError:
        raise PimainsError(f"it takes longer than {duration(seconds)}, and was ended") from None
    finally:
        await _end(child)
    return Done(code, told, said[-_LINE_BYTES_MAX:].decode("utf-8", "replace").strip().rpartition("\n")[2])


async def _read(stream: asyncio.StreamReader | None) -> bytes:
    found = bytearray()
    while stream and (chunk := await stream.read(_CHUNK_BYTES)):
        found += chunk
        if len(found) > _BYTES_MAX:
            raise PimainsError(f"it tells more than {_BYTES_MAX // 1024} KiB, and was ended")
    return bytes(found)


async def _end(child: asyncio.subprocess.Process) -> None:
    """With all that it has begun: its process group is its own."""
    if child.returncode is not None:
        return
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    with suppress(TimeoutError):
        async with asyncio.timeout(_END_SECONDS):
            for stream in (child.stdout, child.stderr):  # asyncio waits for the ends of both before it tells that a child has ended
                while stream and await stream.read(_CHUNK_BYTES):
                    pass
            await child.wait()
