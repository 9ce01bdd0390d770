"""Unmounting at a moment's notice: a process that has loaded all that it takes stands by while that may be needed soon.

On a small Pi loading it takes a tenth of a second, of which there are not many between a server that is gone and an `ls` that hangs.
"""

from collections.abc import Generator
from pathlib import Path

from pimains.core.clock import Clock
from pimains.core.naps import Nap, Readable
from pimains.core.process.function import Forked, Standby, leave_alone
from pimains.fclient import fuse_daemon
from pimains.shared.fileserver import mount

_SECONDS = 0.5  # the kernel has it out of the tree in a millisecond; tidying up on a dead server may take for ever


class Detacher:
    """Unmounts, sooner while it stands by."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._standby: Standby | None = None

    def stand_by(self) -> None:
        """Be ready."""
        if self._standby and self._standby.has_ended():  # somebody ended it
            self.stand_down()
        if not self._standby:
            self._standby = Standby(mount.load, _detach)

    def stand_down(self) -> None:
        """It is not to be expected any more."""
        if self._standby:
            self._standby.close()
        self._standby = None

    def detach(self, place: Path, *, by_force: bool) -> Generator[Nap, tuple[Readable, ...], str]:
        """One try to unmount what is mounted last at `place`; returns why it failed, '' if it did not."""
        try:
            answer = yield from self._begin(f"{'by force' if by_force else 'gently'} {place}").wait(self._clock, _SECONDS)
        except OSError as error:
            return (error.strerror or str(error)).lower()
        return f"no answer of the kernel within {_SECONDS:g} s" if answer is None else ""

    def _begin(self, order: str) -> Forked:
        standby, self._standby = self._standby, None
        if standby:
            try:
                standby.go(order)
            except OSError:  # somebody ended it
                standby.close()
            else:
                return standby
        return Forked(lambda: _detach(order))


def _detach(order: str) -> str:
    place = Path(order[order.index("/") :])
    if not order.startswith("by force"):
        return mount.detach(place, by_force=False)
    there, until = mount.mounted(place), fuse_daemon.now()
    try:
        return mount.detach(place, by_force=True)
    finally:
        if there and fuse_daemon.serves(there):
            leave_alone(lambda: fuse_daemon.end_those_of(there, until), fuse_daemon.SECONDS_MAX)
