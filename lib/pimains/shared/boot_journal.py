"""systemd's journal, where it is kept over a reboot: when an earlier boot ended. What to ask journalctl, and what its answer says."""

import json
from typing import NamedTuple

_STOPPED = "d93fb3c9c24d451a97cea615ce59c00b"  # SD_MESSAGE_JOURNAL_STOP (sd-messages.h): little comes after it, but the file systems


class End(NamedTuple):
    """When the journal of a boot ends, by CLOCK_MONOTONIC, in seconds, which no clock jump bends; `is_clean`: it was stopped."""

    at: float
    is_clean: bool


def question(boot_id: str) -> tuple[str, ...]:
    """The words of a journalctl(1) for `end`.

    The boot is named: which one is "the one before" (--boot=-1) depends on whether this boot is in the journal yet.
    """
    return ("journalctl", f"--boot={boot_id.replace('-', '')}", "--lines=1", "--output=json", "--quiet", "--no-pager")


def end(said: bytes) -> End | None:
    """From what it said, with fields as in systemd.journal-fields(7); None where no journal is kept, or we may not read it."""
    try:
        last = json.loads(said)
        return End(int(last["__MONOTONIC_TIMESTAMP"]) / 1e6, last.get("MESSAGE_ID") == _STOPPED)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
