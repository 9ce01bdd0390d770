"""Verbs of `pimains` as children: bounded in time and in what they say, and gone when nobody waits any more."""

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress
from typing import Any

from pimains.core.errors import PimainsError
from pimains.core.plan.text import short_line
from pimains.web.children import environment

_BYTES_MAX = 1 << 20
_NICE = 10  # a page waits, a service does not


class Said(PimainsError):
    """What the verb says in place of an answer."""


async def answer(*words: str, seconds: float) -> Any:
    """The JSON that `pimains WORDS...` prints, whatever its exit code. Raises Said, also where that takes longer than `seconds`."""
    try:
        child = await asyncio.create_subprocess_exec(
            *("nice", "-n", str(_NICE), sys.executable, "-P", "-m", "pimains.cli", *words),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            env=environment(),
            limit=_BYTES_MAX,
        )
    except OSError as error:
        raise Said(f"pimains {words[0]} cannot be started: {(error.strerror or str(error)).lower()}") from None
    try:
        async with asyncio.timeout(seconds):
            told, complained = await asyncio.gather(_all(child.stdout), _all(child.stderr))
            await child.wait()
    except TimeoutError:
        raise Said(f"pimains {words[0]} does not answer within {seconds:g} s") from None
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            await child.wait()
    try:
        return json.loads(told)
    except ValueError:
        lines = (complained or told).decode("utf-8", "replace").strip().splitlines()
        raise Said(short_line(lines[-1].removeprefix("pimains: ")) if lines else f"pimains {words[0]} says nothing") from None


async def _all(stream: asyncio.StreamReader | None) -> bytes:
    found = bytearray()
    while stream and (chunk := await stream.read(64 * 1024)):
        if len(found) + len(chunk) > _BYTES_MAX:
            raise Said("it says more than is read")
        found += chunk
    return bytes(found)
