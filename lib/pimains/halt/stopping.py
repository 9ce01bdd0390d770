"""How long this machine takes to stop once HALT_COMMAND was started: learned in the next boot from systemd's journal, where that is kept.

/var/lib/pimains/halt/stopping   BOOT SECONDS: in which boot HALT_COMMAND was started last, and when, by CLOCK_MONOTONIC

What is left then is little: the last act, after the file systems. A boot whose journal was not stopped was cut off, and tells nothing.
"""

import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress

from pimains.core import state
from pimains.core.clock import boot_id
from pimains.core.instance import Instance
from pimains.shared import boot_journal

_NAME = "stopping"
_SUBJECT = "halt HALT_COMMAND"
_LONGEST_SECONDS = 300.0  # who is up for longer was not shut down by it
_JOURNAL_SECONDS = 30.0


def begins(me: Instance) -> None:
    """HALT_COMMAND is about to be started; the shutdown itself brings that to the disk."""
    with suppress(OSError):  # of a full disk others have more to say
        state.write(me.lib / _NAME, f"{boot_id()} {time.monotonic():.1f}")


def learn(me: Instance) -> None:
    """How long the last one took, for the ledger."""
    boot, _, began = (me.kept(_NAME, str, "how long the last shutdown took is not learned") or "").partition(" ")
    if not boot or boot == boot_id():
        return
    end, started = _end_of(boot), state.number(began)
    if end and end.is_clean and started is not None and 0 < (seconds := end.at - started) <= _LONGEST_SECONDS:
        print(f"the last shutdown took {seconds:.1f} s from HALT_COMMAND on")
        me.with_ledger(lambda ledger: ledger.took(_SUBJECT, seconds))
    me.keep(_NAME, None)


def took(me: Instance) -> Sequence[float]:
    """What they took, in seconds, oldest first."""
    return me.with_ledger(lambda ledger: ledger.durations(_SUBJECT)) or ()


def _end_of(boot: str) -> boot_journal.End | None:
    try:
        done = subprocess.run(
            boot_journal.question(boot), stdin=subprocess.DEVNULL, capture_output=True, timeout=_JOURNAL_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return boot_journal.end(done.stdout)
