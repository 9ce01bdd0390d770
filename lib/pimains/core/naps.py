"""What a service waits for, and how it is stepped from one wait to the next."""

import select
from collections.abc import Callable, Generator
from typing import NamedTuple, Protocol, TypeAlias, TypeVar

from pimains.core.clock import Clock

_LONGEST_NAP_SECONDS = 1_000_000  # poll(2) counts milliseconds in an int
T = TypeVar("T")


class Stop(BaseException):
    """Raised inside a service's generator when it is told to stop (svc -d, svc -t)."""


class Readable(Protocol):
    """Anything with a file descriptor to wait for."""

    def fileno(self) -> int:
        """The descriptor."""


class Told(Readable, Protocol):
    """What tells a service to stop; readable when there was a signal."""

    def is_due(self, *, is_signalled: bool) -> bool:
        """Whether that is now; `is_signalled` where it was readable."""


class Nap(NamedTuple):
    """What a service waits for: `seconds` to pass, or one of `files` to become readable, whichever comes first."""

    seconds: float
    files: tuple[Readable, ...] = ()


Naps: TypeAlias = Generator[Nap, tuple[Readable, ...], None]


def seconds(seconds: float) -> Nap:
    """Wait for `seconds`."""
    return Nap(seconds)


def within(seconds: float, *files: Readable) -> Nap:
    """Wait until one of `files` is readable, at most `seconds`; the yield returns those that are."""
    return Nap(seconds, files)


def unstoppable(naps: Generator[Nap, tuple[Readable, ...], T], told: Callable[[], None]) -> Generator[Nap, tuple[Readable, ...], T]:
    """Go through `naps` to their end also when told to stop; `told` is called then, and is to see to it that one stops afterwards."""
    ready: tuple[Readable, ...] = ()
    try:
        nap = next(naps)
        while True:
            try:
                ready = yield nap
            except Stop:
                told()
                ready = ()
            nap = naps.send(ready)
    except StopIteration as end:
        value: T = end.value
        return value


def drive(naps: Naps, clock: Clock, stopping: Told) -> None:
    """Step a service until it ends, or is told to stop by `stopping`."""
    told = False
    try:
        nap = next(naps)
        while True:
            ready = poll(nap, clock, *(() if told else (stopping,)))
            if not told and stopping.is_due(is_signalled=stopping in ready):
                told = True
                nap = naps.throw(Stop())
            else:
                nap = naps.send(tuple(each for each in ready if each is not stopping))
    except (StopIteration, Stop):
        return
    finally:
        naps.close()  # its goodbye, also when waiting failed: a file that it had closed already


def poll(nap: Nap, clock: Clock, *more: Readable) -> tuple[Readable, ...]:
    """Sleep the nap; returns what became readable of its files and of `more`."""
    poller = select.poll()
    files = {file.fileno(): file for file in (*nap.files, *more)}
    for descriptor in files:
        poller.register(descriptor, select.POLLIN)
    events = poller.poll(min(max(0.0, clock.real_seconds(nap.seconds)), _LONGEST_NAP_SECONDS) * 1000)
    return tuple(files[descriptor] for descriptor, _ in events)
