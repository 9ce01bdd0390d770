"""A function that may hang in the kernel (on a dead network share, a worn SD card), in a process of its own.

    forked = Forked(lambda: str(os.stat(path).st_dev))
    answer = yield from forked.wait(me.clock, 2.0)      # None: not within 2 s

Who does not answer in time is killed and left alone, also when even KILL cannot end it. Such a process keeps no file of this one
open. Cheaper than a program: nothing is started anew and what it imports does not stay in memory.
"""

import contextlib
import os
import select
import signal
from collections.abc import Callable, Generator

from pimains.core.clock import Clock
from pimains.core.naps import Nap, Readable, within

_LONGEST_ANSWER = 4096
_left_alone: set[int] = set()


class Forked:
    """`function` under way in a child process; readable when it has ended. It returns text, of which 4 KiB are handed on."""

    def __init__(self, function: Callable[[], str], keep: tuple[int, ...] = ()) -> None:
        _bury()
        self._output, inward = os.pipe2(os.O_CLOEXEC)
        self._pid = os.fork()
        if self._pid == 0:
            _be_the_child(function, inward, keep)
        os.close(inward)

    def fileno(self) -> int:
        """For poll."""
        return self._output

    def has_answered(self) -> bool:
        """Whether it has ended; never waits."""
        return bool(select.select([self._output], [], [], 0)[0])

    def answer(self) -> str:
        """What the function returned; call it when readable. Raises OSError, also for any other error of the function."""
        data = os.read(self._output, _LONGEST_ANSWER)
        self.close()
        number, _, text = data.decode("utf-8", "replace").partition(" ")
        if number != "0":
            raise OSError(int(number or 0), text or "it ended without an answer")
        return text

    def close(self) -> None:
        """Let go of it, ended or not."""
        if self._output < 0:
            return
        os.close(self._output)
        self._output = -1
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        _left_alone.add(self._pid)
        _bury()

    def wait(self, clock: Clock, seconds: float) -> Generator[Nap, tuple[Readable, ...], str | None]:
        """The answer, or None when there is none within `seconds`; raises as `answer` does."""
        deadline = clock.monotonic() + seconds
        try:
            while True:
                ready = yield within(max(0.0, deadline - clock.monotonic()), self)
                if self in ready:
                    return self.answer()
                if clock.monotonic() >= deadline:
                    return None
        finally:
            self.close()


class Standby(Forked):
    """A child that has done `prepare` already and waits for its `go`: what `function` needs is loaded by then.

    It ends without having done anything when it is closed, or when this process ends.
    """

    def __init__(self, prepare: Callable[[], object], function: Callable[[str], str]) -> None:
        outward, self._order = os.pipe2(os.O_CLOEXEC)

        def stand_by() -> str:
            prepare()
            order = os.read(outward, _LONGEST_ANSWER)
            return function(os.fsdecode(order)) if order else ""

        super().__init__(stand_by, keep=(outward,))
        os.close(outward)

    def go(self, order: str) -> None:
        """Have it call its function with `order`, some text; raises OSError when it is not there any more."""
        os.write(self._order, os.fsencode(order))

    def close(self) -> None:
        """Let go of it."""
        if self._order >= 0:
            os.close(self._order)
            self._order = -1
        super().close()


def leave_alone(function: Callable[[], object], seconds_max: float) -> None:
    """Have `function` done by a process that nobody waits for; after `seconds_max` it is ended, whatever it hangs in.

    What it prints goes into the log. It keeps no file of this one open.
    """
    between = os.fork()
    if between == 0:
        try:
            if os.fork() == 0:
                _forget_the_parent()
                signal.setitimer(signal.ITIMER_REAL, seconds_max)
                function()
        except Exception as error:  # it must not unwind into the parent's code
            print(f"{type(error).__name__}: {error}", flush=True)
        finally:
            os._exit(0)
    os.waitpid(between, 0)


def _forget_the_parent() -> None:
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))


def _be_the_child(function: Callable[[], str], inward: int, keep: tuple[int, ...]) -> None:
    answer = "5 "
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        # a connection that a hanging child keeps open would never look closed at its other end
        lowest = 3
        for handle in sorted((inward, *keep)):
            os.closerange(lowest, handle)
            lowest = handle + 1
        os.closerange(lowest, os.sysconf("SC_OPEN_MAX"))
        answer = f"0 {function()}"
    except OSError as error:
        answer = f"{error.errno or 5} {error.strerror or error}"
    except BaseException as error:  # whatever it is, it must not unwind into the parent's code
        answer = f"5 {type(error).__name__}: {error}"
    finally:
        os.write(inward, answer.encode("utf-8", "replace")[:_LONGEST_ANSWER])
        os._exit(0)


def _bury() -> None:
    """Take note of those that have ended, so that they are no zombies."""
    for pid in list(_left_alone):
        try:
            if os.waitpid(pid, os.WNOHANG)[0]:
                _left_alone.discard(pid)
        except ChildProcessError:
            _left_alone.discard(pid)
