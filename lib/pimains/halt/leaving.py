"""Told to stop amid a shutdown: whether this service may go, or whoever was told to cut the power would have nobody to call that off.

It may where supervise starts it again at once (svc -t, an upgrade's restart), and where the machine goes down. svc -d of a machine that
stays up is told from that by two things: supervise is alive and wants the service down, and systemd does not say `stopping`, which it
does (systemctl(1), is-system-running) from the moment when the job of a shutdown is queued until the end. Where nothing can be learned
the machine is taken to stay up: a plug that leaves the power on too long ruins nothing.
"""

import os
from collections.abc import Generator

from pimains.core.clock import Clock
from pimains.core.naps import Nap, Readable
from pimains.core.process.program import Beside, run_for
from pimains.core.stopping import SYSTEM_STATE
from pimains.core.supervisor import Supervisor

_ANSWER_SECONDS = 5.0
_TRIES = 2  # one that is ended by TERM may have met the shutdown itself


class HaltLeaving:
    """Of one shutdown; `beside` is looked after meanwhile."""

    def __init__(self, supervisor: Supervisor, clock: Clock, beside: Beside) -> None:
        self._supervisor = supervisor
        self._clock = clock
        self._beside = beside

    def is_harmless(self) -> Generator[Nap, tuple[Readable, ...], bool]:
        """Whether another process of this service goes on in a moment, or the machine goes down."""
        return (yield from self._supervisor.starts_again()) or (yield from self._machine_stops())

    def _machine_stops(self) -> Generator[Nap, tuple[Readable, ...], bool]:
        for _ in range(_TRIES):
            ending = yield from run_for(_ANSWER_SECONDS, [*SYSTEM_STATE], os.environ, _keep_quiet, self._clock, self._beside)
            if not ending.by_another:
                return ending.last_line == "stopping"
        return True


def _keep_quiet(line: str) -> None:  # what systemd says is no event
    pass
