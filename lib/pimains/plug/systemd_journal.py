"""systemd's journal, where it is kept over a reboot: when an earlier boot ended."""

import asyncio
import json


async def end_of_boot(boot_id: str) -> float | None:
    """The last that the journal took down in that boot, in seconds; None where no journal is kept or we may not read it.

    Fields as in systemd.journal-fields(7); the time is CLOCK_MONOTONIC of that boot, which no clock jump bends. The boot is
    named: which one is "the one before" (--boot=-1) depends on whether this boot is in the journal yet.
    """
    try:
        child = await asyncio.create_subprocess_exec(
            *("journalctl", f"--boot={boot_id.replace('-', '')}", "--lines=1", "--output=json", "--quiet", "--no-pager"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(30):
            said, _ = await child.communicate()
        return int(json.loads(said)["__MONOTONIC_TIMESTAMP"]) / 1e6
    except (OSError, TimeoutError, ValueError, KeyError, TypeError):
        return None
