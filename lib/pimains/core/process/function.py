"""A function in a process of its own: it may take long, hang in the kernel (on a dead network share, a worn SD card), need heavy modules.

    forked = Forked(lambda: str(os.stat(path).st_dev))
    answer = yield from forked.wait(me.clock, 2.0)      # None: not within 2 s

Who does not answer in time is killed, and left alone when even KILL cannot end it. Such a process keeps no file of this one open.
Cheaper than a program: nothing is started anew and what it imports does not stay in memory.
"""

import errno
import os
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import suppress

from pimains.core.clock import Clock
from pimains.core.errors import Away, Refused, WrongSetting
from pimains.core.naps import Nap, Readable, within
from pimains.core.plan.text import short_line
from pimains.core.process import left_alone

_LONGEST_ANSWER = 4096
_FOR_EVER = float("inf")
_ANSWER = "answer"
_AS_THEMSELVES = (WrongSetting, Refused, Away)


class Forked:
    """`function` under way in a child process; readable when it has ended. It returns text, of which 4 KiB are handed on.

    With `seconds_max` it may start programs, which are killed when it ends or is let go of; it is ended by its own alarm then, also when
    nobody waits for it any more. Without, it belongs to the process group of this one, and is killed with that.
    Of the files of this process it has those in `keep`. Raises OSError when there is no room for another process.
    """

    def __init__(self, function: Callable[[], str], seconds_max: float | None = None, keep: tuple[int, ...] = ()) -> None:
        self._seconds_max = seconds_max
        self._pid, self._handle, self._output = 0, -1, -1
        try:
            self._output, inward = os.pipe2(os.O_CLOEXEC)
            os.set_blocking(self._output, False)  # what the function has forked may keep the other end
            try:
                self._pid = _fork(lambda: _answer(function, inward, seconds_max, keep))
            finally:
                os.close(inward)
            self._handle = os.pidfd_open(self._pid)
        except OSError:
            self.close()
            raise

    def fileno(self) -> int:
        """For poll (pidfd_open(2))."""
        return self._handle

    def has_ended(self) -> bool:
        """Whether it has ended, so that `answer` may be called; never waits."""
        return self._how_it_ended() is not None

    def answer(self) -> str:
        """What the function returned; call it when it has ended.

        Raises WrongSetting, Refused, Away and OSError as the function did, and OSError (EIO) that names whatever else it was; it does so
        too for a signal that ended it; for its alarm, TimeoutError.
        """
        how, said = self._how_it_ended(), b""
        with suppress(BlockingIOError):
            said = os.read(self._output, _LONGEST_ANSWER)
        self.close()
        kind, _, text = said.decode("utf-8", "replace").partition(" ")
        if kind == _ANSWER:
            return text
        for error in _AS_THEMSELVES:
            if kind == error.__name__:
                raise error(short_line(text))
        if kind:
            raise OSError(int(kind), short_line(text))
        if how is None or how.si_code == os.CLD_EXITED:
            raise OSError(errno.EIO, "it ended without an answer")
        if how.si_status == signal.SIGALRM and self._seconds_max:
            raise TimeoutError(errno.ETIMEDOUT, f"no end within {self._seconds_max:g} s")
        raise OSError(errno.EIO, f"ended by {signal.Signals(how.si_status).name}")

    def close(self) -> None:
        """Let go of it, ended or not; never waits."""
        for handle in {self._handle, self._output} - {-1}:
            os.close(handle)
        self._handle = self._output = -1
        if not self._pid:
            return
        for kill in (os.kill, *([os.killpg] if self._seconds_max else [])):  # it may not have come to a group of its own yet
            with suppress(ProcessLookupError):
                kill(self._pid, signal.SIGKILL)
        left_alone.leave_alone(self._pid)
        self._pid = 0

    def wait(self, clock: Clock, seconds: float = _FOR_EVER) -> Generator[Nap, tuple[Readable, ...], str | None]:
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

    def _how_it_ended(self) -> os.waitid_result | None:
        """It stays a zombie: as long as it is one, nobody else gets the number of its process group."""
        return os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)


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

        try:
            super().__init__(stand_by, keep=(outward,))
        finally:
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

    def apart() -> None:
        _leave_the_parent(seconds_max)
        function()

    os.waitpid(_fork(lambda: _fork(apart)), 0)


def or_away(function: Callable[[], object]) -> Callable[[], str]:
    """`function` for a child that somebody starts again later: what it raises unexpectedly is traced in the log, and Away."""

    def guarded() -> str:
        try:
            function()
        except _AS_THEMSELVES:
            raise
        except Exception as error:
            sys.excepthook(type(error), error, error.__traceback__)
            raise Away(f"{type(error).__name__}: {error}") from None
        return ""

    return guarded


def _fork(be: Callable[[], object]) -> int:
    """Its process does nothing but `be`; signals that come before it has left this one wait until then. Raises OSError."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        pid = os.fork()
        if pid == 0:
            try:
                be()
            except BaseException as error:  # whatever it is, it must not unwind into the parent's code
                print(f"{type(error).__name__}: {error}", flush=True)
            finally:
                os._exit(0)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return pid


def _leave_the_parent(seconds_max: float | None, keep: tuple[int, ...] = ()) -> None:
    """In the child: its signals and files are its own from here on, and with `seconds_max` the programs that it starts."""
    if seconds_max:
        os.setsid()
        signal.setitimer(signal.ITIMER_REAL, seconds_max)
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    # a lock of the parent must end with the parent, and a connection kept open here would never look closed at its other end
    lowest = 3
    for handle in sorted(keep):
        os.closerange(lowest, handle)
        lowest = handle + 1
    os.closerange(lowest, os.sysconf("SC_OPEN_MAX"))
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _answer(function: Callable[[], str], inward: int, seconds_max: float | None, keep: tuple[int, ...]) -> None:
    """In the child: write what comes of `function`, a word that says what it is and then the text."""
    try:
        _leave_the_parent(seconds_max, (inward, *keep))
        said = f"{_ANSWER} {function()}"
    except _AS_THEMSELVES as error:
        said = f"{next(kind.__name__ for kind in _AS_THEMSELVES if isinstance(error, kind))} {error}"
    except OSError as error:
        said = f"{error.errno or errno.EIO} {error.strerror or error}"
    except BaseException as error:  # SystemExit, too
        said = f"{errno.EIO} {type(error).__name__}: {error}"
    with suppress(BrokenPipeError):  # nobody waits for it any more
        os.write(inward, said.encode("utf-8", "replace")[:_LONGEST_ANSWER])
