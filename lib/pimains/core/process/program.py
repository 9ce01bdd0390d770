"""A program that gets so many seconds: then TERM, then KILL, and then it is left alone.

`run_for` tells how it ended, whatever that was. `Programs` starts those of one service, systemd units and the hooks of the administrator
among them, and raises Failed for one that does not do what it should.
"""

import os
import signal
import stat
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import NamedTuple

from pimains.core.clock import Clock
from pimains.core.errors import PimainsError
from pimains.core.naps import Nap, Readable, within
from pimains.core.plan.budget import KILL_SECONDS, TERM_SECONDS
from pimains.core.process.child import Child

_OUT_OF_TIME = 124


class Patience(NamedTuple):
    """How long a program that was ended is waited for, in seconds: after TERM, and after KILL."""

    term: float
    kill: float


_UNTIL_IT_OBEYS = Patience(TERM_SECONDS, KILL_SECONDS)
_OTHERS_WAIT = Patience(1.0, 0.0)  # a share or a drive is in the way of somebody's halt


class Failed(PimainsError):
    """A program did not do what it should; the text says which and why."""


class Ending(NamedTuple):
    """How a program ended: `exit_code` is None when even KILL did not end it or it was not started at all."""

    exit_code: int | None
    outlasted: bool
    seconds: float
    last_line: str

    @property
    def is_done(self) -> bool:
        """Whether it did what it was for."""
        return self.exit_code == 0 and not self.outlasted

    @property
    def was_too_short(self) -> bool:
        """Whether it would have needed more time: it says that by ending as timeout(1) does, or does not end at all."""
        return self.outlasted or self.exit_code == _OUT_OF_TIME

    @property
    def by_another(self) -> bool:
        """Whether somebody else than we ended it, by TERM."""
        return self.exit_code == -signal.SIGTERM and not self.outlasted

    def __str__(self) -> str:
        if self.outlasted:
            how = "was stopped" if self.exit_code is not None else "not even KILL ended it, left alone"
            return f"hung, {how} after {self.seconds:.1f} s"
        if self.is_done:
            return f"done in {self.seconds:.1f} s"
        code = "" if self.exit_code is None else f" (exit {self.exit_code})" if self.exit_code > 0 else f" (signal {-self.exit_code})"
        return f"failed{code}: {self.last_line or 'it said nothing'}"


class Beside(NamedTuple):
    """What else is looked after while a program runs: `look` is called whenever `watch` is readable."""

    watch: Readable
    look: Callable[[], None]


def run_for(
    seconds: float, words: list[str], environment: Mapping[str, str], say: Callable[[str], None], clock: Clock, beside: Beside
) -> Generator[Nap, tuple[Readable, ...], Ending]:
    """Run a program for `seconds` at most, and a little until it has obeyed TERM or KILL; `say` gets its lines.

    It goes on when this is closed half-way.
    """
    try:
        child = Child(words, environment, say)
    except OSError as error:
        return Ending(None, False, 0.0, f"{words[0]}: {error.strerror}")
    try:
        return (yield from _until_it_ends(child, seconds, _UNTIL_IT_OBEYS, clock, beside))
    finally:
        child.close()


class Programs:
    """Starts programs for one service; what they print goes into its log. One is killed when nobody waits for its end any more."""

    def __init__(self, clock: Clock, seconds_max: float, environment: Mapping[str, str], say: Callable[[str], None] = print) -> None:
        self._clock = clock
        self._seconds_max = seconds_max
        self._environment = {**os.environ, **environment}
        self._say = say

    def unit(self, verb: str, unit: str) -> Generator[Nap, tuple[Readable, ...], None]:
        """`systemctl start` or `stop` of a unit; raises Failed."""
        yield from self.run(["systemctl", verb, unit], f"systemctl {verb} {unit}")

    def hook(self, directory: Path | None, name: str) -> Generator[Nap, tuple[Readable, ...], None]:
        """The executable `name` in the hooks directory, if there is one; raises Failed, also for one that others may write."""
        if directory is None:
            return
        try:
            status = (directory / name).stat()
        except OSError:
            return
        if status.st_uid not in (0, os.geteuid()) or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise Failed(f"{directory / name} is not run: only root may be able to write it (chown root, chmod 755)")
        yield from self.run([str(directory / name)], f"hook {name}")

    def run(self, words: list[str], what: str) -> Generator[Nap, tuple[Readable, ...], None]:
        """A program that ends with 0 in time; raises Failed, whose text is the last line of what it said, which is not said beside that."""
        last: list[str] = []

        def say(line: str) -> None:
            while last:
                self._say(last.pop())
            last.append(f"{what}: {line}")

        try:
            child = Child(words, self._environment, say)
        except OSError as error:
            raise Failed(f"{what}: {(error.strerror or str(error)).lower()}") from None
        try:
            ending = yield from _until_it_ends(child, self._seconds_max, _OTHERS_WAIT, self._clock)
        finally:
            if not child.has_ended():
                child.signal(signal.SIGKILL)
            child.close()
        if ending.exit_code == 0 or ending.outlasted:
            for line in last:
                self._say(line)
        if ending.outlasted:
            raise Failed(f"{what}: not done within {self._seconds_max:g} s, left alone")
        if ending.exit_code != 0:
            raise Failed(f"{what}: {ending.last_line or f'exit code {ending.exit_code}'}")


def _until_it_ends(
    child: Child, seconds: float, patience: Patience, clock: Clock, beside: Beside | None = None
) -> Generator[Nap, tuple[Readable, ...], Ending]:
    """Wait for `seconds`, then end it."""
    started = end = clock.monotonic()
    more: tuple[Readable, ...] = (beside.watch,) if beside else ()
    output: tuple[Readable, ...] = (child.output,)
    outlasted = False
    for allowed, then in ((seconds, signal.SIGTERM), (patience.term, signal.SIGKILL), (patience.kill, None)):
        end += allowed
        while not child.has_ended() and clock.monotonic() < end:
            ready = yield within(end - clock.monotonic(), child, *more, *output)
            if child.output in ready and not child.output.read():
                output = ()
            if beside and beside.watch in ready:
                beside.look()
        if child.has_ended() or then is None:
            break
        outlasted = True
        child.signal(then)
    child.output.drain()
    return Ending(child.exit_code, outlasted, clock.monotonic() - started, child.output.last_line)
