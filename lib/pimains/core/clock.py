"""Time: intervals that no clock jump can bend, and the wall time that people read."""

import os
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Protocol

_TIME_ERROR = 5


class Clock(Protocol):
    """What a service may know of time."""

    def monotonic(self) -> float:
        """Seconds since boot, never jumping; the only clock for intervals."""

    def wall(self) -> float:
        """Seconds since 1970, as far as this machine knows; only for people and protocols."""

    def real_seconds(self, seconds: float) -> float:
        """How long to really wait for `seconds` of this clock to pass."""

    def is_synchronised(self) -> bool:
        """Whether wall time comes from a time server, and not from where this machine left off or what somebody typed."""


class SystemClock:
    """The machine's own clocks; PIMAINS_SPEED=60 lets an hour pass in a minute, for rehearsals."""

    def __init__(self) -> None:
        self.speed = float(os.environ.get("PIMAINS_SPEED") or 1)

    def monotonic(self) -> float:
        """Seconds since boot (CLOCK_BOOTTIME: it goes on while the machine sleeps), the same in every process."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) * self.speed

    def wall(self) -> float:
        """Seconds since 1970; in a rehearsal, too, it is the same time in every process, and keeps step with `monotonic`."""
        return time.time() if self.speed == 1 else time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + self.monotonic()

    def real_seconds(self, seconds: float) -> float:
        """Seconds to wait on the machine."""
        return seconds / self.speed

    def is_synchronised(self) -> bool:
        """As the kernel has it from whoever disciplines its clock (adjtimex(2))."""
        asks_only = bytes(256)
        return _adjtimex()(asks_only) not in (-1, _TIME_ERROR)


class FakeClock:
    """A clock that moves only when told, so that hours pass in milliseconds."""

    def __init__(self, monotonic: float = 100.0, wall: float = 1_790_000_000.0) -> None:
        self._monotonic = monotonic
        self._wall = wall
        self.synchronised = False

    def monotonic(self) -> float:
        """Seconds since the imagined boot."""
        return self._monotonic

    def wall(self) -> float:
        """Seconds since 1970, as the imagined machine believes."""
        return self._wall

    def real_seconds(self, seconds: float) -> float:  # noqa: ARG002  # as the protocol Clock has it
        """Nothing is really waited for."""
        return 0.0

    def is_synchronised(self) -> bool:
        """As the test says."""
        return self.synchronised

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass on both clocks."""
        self._monotonic += seconds
        self._wall += seconds

    def jump(self, seconds: float) -> None:
        """Set the wall clock, as NTP or a person would; the monotonic clock does not notice."""
        self._wall += seconds


@cache  # each new one is garbage that has to be looked for
def _adjtimex() -> Callable[[bytes], int]:
    import ctypes  # a megabyte, and most services never ask

    function = ctypes.CDLL(None).adjtimex
    return lambda words: int(function(ctypes.create_string_buffer(words, len(words))))


@cache
def boot_id() -> str:
    """The kernel's name for this boot (proc(5), /proc/sys/kernel/random/boot_id)."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
