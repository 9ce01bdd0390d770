"""systemd's journal, where it is kept over a reboot: when an earlier boot ended."""

import asyncio
import json
from contextlib import suppress

from pimains.core.plan.budget import KILL_SECONDS


async def end_of_boot(boot_id: str, seconds_max: float = 30) -> float | None:
    """The last that the journal took down in that boot, in seconds; None where no journal is kept or we may not read it, or not in time.

    Fields as in systemd.journal-fields(7); the time is CLOCK_MONOTONIC of that boot, which no clock jump bends. The boot is
    named: which one is "the one before" (--boot=-1) depends on whether this boot is in the journal yet.
    """
    words = ("journalctl", f"--boot={boot_id.replace('-', '')}", "--lines=1", "--output=json", "--quiet", "--no-pager")
    try:
        said = await _said_by(words, seconds_max)
        return int(json.loads(said)["__MONOTONIC_TIMESTAMP"]) / 1e6
    except (OSError, TimeoutError, ValueError, KeyError, TypeError):
        return None


async def _said_by(words: tuple[str, ...], seconds_max: float) -> bytes:
    """What a program prints; it is ended when nobody waits for it any more. Raises OSError, TimeoutError."""
    child = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL)
    try:
        async with asyncio.timeout(seconds_max):
            said, _ = await child.communicate()
        return said
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
            with suppress(TimeoutError):
                await asyncio.wait_for(child.wait(), KILL_SECONDS)
