"""What every halt step is told, and how it waits: it has a deadline and nothing else to do."""

import os
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pimains.core.clock import SystemClock
from pimains.core.ledger_beside import LedgerNote
from pimains.core.naps import Nap, Readable, poll

if TYPE_CHECKING:
    from pimains.core.ledger import Ledger

OUT_OF_TIME = 124  # as timeout(1) ends: the halt service grants such a step more next time
_GOODBYE_SECONDS = 1.0
_UNTOLD_SECONDS = 60.0
T = TypeVar("T")


class Step:
    """One step: how long it has, why the machine goes down, and whether it is to be undone (`called_off` says why)."""

    def __init__(self) -> None:
        self.clock = SystemClock()
        self.seconds = float(os.environ.get("PIMAINS_BUDGET_SECONDS") or _UNTOLD_SECONDS)
        self.reason = os.environ.get("PIMAINS_REASON", "")
        self.called_off = os.environ.get("PIMAINS_CALLED_OFF", "")
        self._deadline = _started(self.clock) + self.seconds - _GOODBYE_SECONDS

    @property
    def left(self) -> float:
        """Seconds until it has to be done, never less than a little: what was begun so late is still begun."""
        return max(0.2, self._deadline - self.clock.monotonic())

    def pause(self, seconds: float) -> None:
        """Let some time pass."""
        poll(Nap(seconds), self.clock)

    def write_down(self, subject: str, action: str) -> None:
        """Into the ledger, which may take a moment: no machine is kept up by it."""
        cause = self.called_off or self.reason
        self.wait_for(LedgerNote(self, lambda ledger: ledger.record(subject, action, cause)).written())

    @property
    def ledger(self) -> "Ledger":
        """That of this machine."""
        from pimains.core.ledger import Ledger  # costs SQLite's memory, which a child takes with it

        return Ledger()

    def complain(self, line: str) -> None:
        """The halt service prints it."""
        print(line)

    def wait_for(self, work: Generator[Nap, tuple[Readable, ...], T]) -> T:
        """What `work` returns; raises as it does."""
        try:
            nap = next(work)
            while True:
                nap = work.send(poll(nap, self.clock))
        except StopIteration as end:
            value: T = end.value
            return value


def _started(clock: SystemClock) -> float:
    """When this process was: on a small Pi, Python itself needs a good part of a second (proc_pid_stat(5), field 22)."""
    ticks = int(Path("/proc/self/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19])
    return ticks / os.sysconf("SC_CLK_TCK") * clock.speed
