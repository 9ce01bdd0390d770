"""Verbs of `pimains` as child processes: bounded in time and in what they tell, and gone when nobody waits any more."""

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from pimains.core.errors import PimainsError
from pimains.core.plan.sentences import duration
from pimains.core.plan.text import short_line

PROGRAM = "pimains.cli"
_ANSWER_BYTES_MAX = 1 << 20
_LINE_BYTES_MAX = 2000
_CHUNK_BYTES = 64 * 1024
_END_SECONDS = 5.0
_NICE = 10  # a page waits, a service does not
_KEPT = ("PATH", "PYTHONPATH", "PIMAINS_ROOT", "LANG", "TZ")  # of this service's environment: its own settings are nobody's


class Said(PimainsError):
    """What the verb says in place of an answer."""


class TooLate(PimainsError):
    """It takes longer than it may, and was ended."""


class TooMuch(PimainsError):
    """It tells more than it may, and was ended."""


class Done(NamedTuple):
    """How it ended: its exit code, what it told, and its last line of what went wrong."""

    code: int
    told: bytes
    said: str


async def answer(*words: str, seconds: float) -> Any:
    """The JSON that `pimains WORDS...` prints, whatever its exit code. Raises Said, also where that takes longer than `seconds`."""
    try:
        done = await ended(list(words), seconds, _ANSWER_BYTES_MAX, nice=_NICE)
    except OSError as error:
        raise Said(f"pimains {words[0]} cannot be started: {(error.strerror or str(error)).lower()}") from None
    except TooLate:
        raise Said(f"pimains {words[0]} does not answer within {seconds:g} s") from None
    except TooMuch:
        raise Said("it says more than is read") from None
    try:
        return json.loads(done.told)
    except ValueError:
        line = done.said or _last_line(done.told)
        raise Said(short_line(line.removeprefix("pimains: ")) if line else f"pimains {words[0]} says nothing") from None


def environment() -> dict[str, str]:
    """What a child gets of this service's: PASSWORD is none of its business."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ}


async def ended(words: list[str], seconds: float, bytes_max: int, *, directory: Path | None = None, nice: int = 0) -> Done:
    """How `pimains WORDS...` ended, at work in `directory`. Raises TooLate, TooMuch, and OSError where it cannot be started."""
    child = await asyncio.create_subprocess_exec(
        *(("nice", "-n", str(nice)) if nice else ()),
        *(sys.executable, "-P", "-m", PROGRAM, *words),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=directory,
        env=environment(),
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(seconds):
            told, said = await asyncio.gather(_read(child.stdout, bytes_max), _read(child.stderr, bytes_max))
            code = await child.wait()
    except TimeoutError:
        raise TooLate(f"it takes longer than {duration(seconds)}, and was ended") from None
    finally:
        await _end(child)
    return Done(code, told, _last_line(said[-_LINE_BYTES_MAX:]))


def _last_line(text: bytes) -> str:
    return text.decode("utf-8", "replace").strip().rpartition("\n")[2]


async def _read(stream: asyncio.StreamReader | None, bytes_max: int) -> bytes:
    found = bytearray()
    while stream and (chunk := await stream.read(_CHUNK_BYTES)):
        found += chunk
        if len(found) > bytes_max:
            raise TooMuch(f"it tells more than {bytes_max // 1024} KiB, and was ended")
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
