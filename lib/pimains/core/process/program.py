"""A program that gets so many seconds: then TERM, then KILL, and then it is left alone."""

import signal
from collections.abc import Callable, Generator, Mapping
from typing import NamedTuple

from pimains.core.clock import Clock
from pimains.core.naps import Nap, Readable, within
from pimains.core.plan.ending import KILL_SECONDS, TERM_SECONDS
from pimains.core.process.child import Child

_OUT_OF_TIME = 124


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
    """Run a program for `seconds` at most, and a little until it has obeyed TERM or KILL; `say` gets its lines."""
    started = clock.monotonic()
    try:
        child = Child(words, environment, say)
    except OSError as error:
        return Ending(None, False, 0.0, f"{words[0]}: {error.strerror}")
    output: tuple[Readable, ...] = (child.output,)
    end = started
    for allowed, then in ((seconds, signal.SIGTERM), (TERM_SECONDS, signal.SIGKILL), (KILL_SECONDS, None)):
        end += allowed
        while not child.has_ended() and clock.monotonic() < end:
            ready = yield within(end - clock.monotonic(), child, beside.watch, *output)
            if child.output in ready and not child.output.read():
                output = ()
            if beside.watch in ready:
                beside.look()
        if child.has_ended() or then is None:
            break
        child.signal(then)
    child.close()
    took = clock.monotonic() - started
    return Ending(child.exit_code, took >= seconds, took, child.output.last_line)
