"""Told to stop: a service does at once, or, where it has said that it may not be stopped now, when what it is needed for is over.

svc -t is TERM alone; svc -d is TERM and CONT (supervise.c), and so is what systemd sends when it stops all there is. A restart is no
stop. A machine that goes down is not held up: where supervise has ended, or systemd says `stopping`, which it does from the moment when
the job of a shutdown is queued, the service stops, whatever it is needed for.
"""

import os
import select
import signal
from contextlib import suppress

from pimains.core.instance import Instance
from pimains.core.naps import Readable

SYSTEM_STATE = ("systemctl", "is-system-running")
_PAIR_SECONDS = 0.5  # from TERM to the CONT that belongs to it
_ANSWER_SECONDS = 2.0
_SIGNALS = 4096


class Stopping:
    """Of one service; `wakeup` becomes readable with each signal, whose number it holds (signal.set_wakeup_fd)."""

    def __init__(self, me: Instance, wakeup: Readable) -> None:
        self._me = me
        self._wakeup = wakeup
        self._parent = os.getppid()
        self._is_told = False
        self._is_for_good = False

    def fileno(self) -> int:
        """For poll."""
        return self._wakeup.fileno()

    def is_due(self, *, is_signalled: bool) -> bool:
        """Whether the service is to stop now; asked after each nap, `is_signalled` where this was readable."""
        if is_signalled:
            self._hear()
        if not self._is_told or (self._is_for_good and os.getppid() == self._parent and self._me.needed_for()):
            return False
        self._me.say_beside("")
        return True

    def _hear(self) -> None:
        heard = self._read()
        if signal.SIGTERM not in heard and signal.SIGINT not in heard:
            return
        self._is_told = True
        if not (why := self._me.needed_for()):
            return
        if signal.SIGCONT not in heard and select.select([self._wakeup], [], [], _PAIR_SECONDS)[0]:
            heard += self._read()
        # one that was refused waits still: supervise wants the service down, and would not start it again after svc -t
        self._is_for_good |= signal.SIGCONT in heard
        if self._is_for_good and _is_machine_stopping():
            self._is_for_good = False
        if self._is_for_good:
            words = f"told to stop, which it does when this is over: {why} (svc -k stops it now)"
            print(words)
            self._me.say_beside(words)

    def _read(self) -> bytes:
        with suppress(BlockingIOError):
            return os.read(self._wakeup.fileno(), _SIGNALS)
        return b""


def _is_machine_stopping() -> bool:
    import subprocess  # a megabyte, and few are ever told to stop amid something

    try:
        said = subprocess.run(SYSTEM_STATE, capture_output=True, text=True, timeout=_ANSWER_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return said.returncode == -signal.SIGTERM or said.stdout.strip() == "stopping"
