"""systemd's journal, where it is kept over a reboot: when an earlier boot ended."""

import asyncio
from contextlib import suppress

from pimains.core.plan.budget import KILL_SECONDS
from pimains.shared import boot_journal


async def end_of_boot(boot_id: str, seconds_max: float = 30) -> float | None:
    """The last that the journal took down in that boot, in seconds; None where no journal is kept or we may not read it, or not in time."""
    try:
        end = boot_journal.end(await _said_by(boot_journal.question(boot_id), seconds_max))
    except (OSError, TimeoutError):
        return None
    return end.at if end else None


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
