"""A piece of work that is under way beside everything else that a service waits for."""

from pimains.core.clock import Clock
from pimains.core.naps import Nap, Naps, Readable


class Background:
    """One at a time; true while there is one. `files` and `seconds_left` are for the service's naps, after which it calls `go_on`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._work: Naps | None = None
        self._nap = Nap(0)
        self._ends = 0.0

    def __bool__(self) -> bool:
        return self._work is not None

    @property
    def files(self) -> tuple[Readable, ...]:
        """What it waits for."""
        return self._nap.files if self else ()

    def seconds_left(self) -> float:
        """Until it goes on in any case."""
        return max(0.0, self._ends - self._clock.monotonic()) if self else float("inf")

    def begin(self, work: Naps) -> None:
        """Do this instead of what is under way."""
        self.close()
        self._work = work
        self._step(work, None)

    def go_on(self, ready: tuple[Readable, ...]) -> None:
        """One step, if what it waits for has come."""
        if self._work and (self.seconds_left() == 0 or any(file in ready for file in self.files)):
            self._step(self._work, ready)

    def close(self) -> None:
        """Give it up."""
        if self._work:
            self._work.close()
        self._work = None

    def _step(self, work: Naps, ready: tuple[Readable, ...] | None) -> None:
        try:
            self._nap = next(work) if ready is None else work.send(ready)
            self._ends = self._clock.monotonic() + self._nap.seconds
        except StopIteration:
            if self._work is work:
                self._work = None
