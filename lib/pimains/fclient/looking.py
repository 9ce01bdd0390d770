"""Looking at a share for as long as it is said to be mounted: its server may be there while the share hangs.

sshfs may have been killed or frozen, the server may have another address by now, this machine may have slept: whoever touches the
share then waits without end. So a child touches it every second, which may hang as well, and whose silence tells.
"""

import os
import time
from pathlib import Path

from pimains.core.clock import Clock
from pimains.core.naps import Readable
from pimains.core.process.function import Forked
from pimains.shared.fileserver import mount

_EVERY_SECONDS = 1.0
# six tries of TCP's, whose pauses double from 0.2 s on; with the second before, the share is away five seconds after it began to hang
_PATIENCE_SECONDS = 3.4
_DOUBT_SECONDS = 1.0
_AFTER_SLEEP_SECONDS = 2.5  # what lies in a socket then has no meaning, and the first who looks waits
_ASKED_SECONDS = 2.0  # beats wake the service more often than that
_SLEPT_SECONDS = 3.0  # not asked for so long: nobody had a processor meanwhile, neither did the child
_READ_AT_ONCE = 4096
_GONE, _BROKEN = "gone", "broken"


class Looking:
    """Looks, from `begin` to `close`, for `marker` on what is mounted at `place`; `files` and `seconds_left` are for a service's naps."""

    def __init__(self, clock: Clock, place: Path, marker: str) -> None:
        self._clock = clock
        self._place = place
        self._marker = marker
        self._is_on = False
        self._child: Forked | None = None
        self._seen = -1  # a pipe, into which the child writes when it began to look and saw what it should
        self._last = self._asked = 0.0  # when the share was there for certain; when `trouble` was asked for
        self.is_broken = True  # whether what is wrong is that it hangs or fails, and not only that something is missing

    def __bool__(self) -> bool:
        return self._is_on

    @property
    def files(self) -> tuple[Readable, ...]:
        """What is readable as soon as something is wrong."""
        return (self._child,) if self._child else ()

    @property
    def is_in_doubt(self) -> bool:
        """Whether the share may soon have to be taken away."""
        return self._is_on and self._clock.monotonic() - self._last > _EVERY_SECONDS + _DOUBT_SECONDS

    def seconds_left(self) -> float:
        """Until its `trouble` has to be asked for in any case."""
        if not self._is_on:
            return float("inf")
        now = self._clock.monotonic()
        return max(0.0, min(self._patience(now), self._asked + _ASKED_SECONDS - now))

    def begin(self) -> None:
        """The share is there: look at it from now on."""
        self.close()
        self._last = self._asked = self._clock.monotonic()
        self._is_on, self.is_broken = True, True
        self._start()

    def close(self) -> None:
        """Look no more."""
        self._is_on = False
        self._let_go()

    def trouble(self) -> str:
        """Why the share has to be taken away, after which it is not looked at any more; "" while it is there. Never waits."""
        if not self._is_on:
            return ""
        now = self._clock.monotonic()
        slept, self._asked = now - self._asked, now
        if slept > _SLEPT_SECONDS:  # this machine, or this process
            self._last = now - _EVERY_SECONDS - _PATIENCE_SECONDS + _AFTER_SLEEP_SECONDS
            self._start()
        elif self._child is None:
            self._start()
        if self._child:
            self._read()
            if self._child.has_ended() and (why := self._why_it_ended()):
                self.close()
                return why
        if self._patience(now) > 0:
            return ""
        self.close()
        return f"no answer for {now - self._last:.1f} s"

    def _patience(self, now: float) -> float:
        return self._last + _EVERY_SECONDS + _PATIENCE_SECONDS - now

    def _start(self) -> None:
        self._let_go()
        self._seen, inward = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            self._child = Forked(lambda: _look_on(self._clock, self._place, self._marker, inward), keep=(inward,))
        except OSError:  # no room for another process: with the next step there may be
            self._let_go()
        finally:
            os.close(inward)

    def _let_go(self) -> None:
        if self._child:
            self._child.close()
        if self._seen >= 0:
            os.close(self._seen)
        self._child, self._seen = None, -1

    def _read(self) -> None:
        try:
            said = os.read(self._seen, _READ_AT_ONCE).split()
        except BlockingIOError:
            return
        if said:
            self._last = max(self._last, float(said[-1]))

    def _why_it_ended(self) -> str:
        """What it saw; "" if somebody ended it, so that another one has to look."""
        assert self._child  # noqa: S101  # its caller found it there
        try:
            kind, _, why = self._child.answer().partition(" ")
        except OSError:
            self._start()
            return ""
        self.is_broken = kind == _BROKEN
        return why


def _look_on(clock: Clock, place: Path, marker: str, inward: int) -> str:
    """In the child: look until something is wrong, or nobody wants to know any more."""
    while True:
        began = clock.monotonic()
        try:
            mount.look(place, marker)
        except OSError as error:
            return f"{_GONE if error.errno in mount.NOT_THERE else _BROKEN} {(error.strerror or str(error)).lower()}"
        if mount.mounted(place) is None:
            return f"{_GONE} nothing is mounted there any more"
        os.write(inward, f"{began:.2f}\n".encode())
        time.sleep(clock.real_seconds(_EVERY_SECONDS))
