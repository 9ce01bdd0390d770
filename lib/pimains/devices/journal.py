"""systemd's journal, where it is kept over a reboot: when the previous boot ended."""

import asyncio
import json
from typing import NamedTuple


class LastWord(NamedTuple):
    """The last thing the journal took down in a boot."""

    boot_id: str
    monotonic_seconds: float


async def last_word_of_previous_boot() -> LastWord | None:
    """The end of the boot before this one; None where no journal is kept or we may not read it.

    Fields as in systemd.journal-fields(7); the monotonic time is CLOCK_MONOTONIC of that boot, which no clock jump bends.
    """
    try:
        child = await asyncio.create_subprocess_exec(
            *("journalctl", "--boot=-1", "--lines=1", "--output=json", "--quiet", "--no-pager"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(30):
            said, _ = await child.communicate()
    except (OSError, TimeoutError):
        return None
    return parse(said)


def parse(said: bytes) -> LastWord | None:
    """What journalctl --output=json said."""
    try:
        entry = json.loads(said)
        return LastWord(str(entry["_BOOT_ID"]), int(entry["__MONOTONIC_TIMESTAMP"]) / 1e6)
    except (ValueError, KeyError, TypeError):
        return None
