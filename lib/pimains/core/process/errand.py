"""A short-lived process of our own for one job that may take long, hang, or need heavy modules.

The job's exception is its outcome. A job that hangs is ended by its alarm, whatever it hangs in.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from typing import NamedTuple

from pimains.core.errors import Away, Refused, WrongSetting
from pimains.core.plan.text import short_line

DONE, REFUSED, SETTING, AWAY = "done", "refused", "setting", "away"
_EXIT_CODES = {0: DONE, 78: SETTING, 100: REFUSED}  # 78: EX_CONFIG of sysexits.h; anything else: AWAY
_LONGEST = 2000


class Outcome(NamedTuple):
    """How a job ended: `kind` is DONE, REFUSED (never again), SETTING (a person has to edit something) or AWAY (try later)."""

    kind: str
    words: str


class Errand:
    """One job, under way in a process of its own; readable when it has ended."""

    def __init__(self, job: Callable[[], None], seconds_max: float) -> None:
        self._seconds_max = seconds_max
        self._words = b""
        self._pipe, inward = os.pipe2(os.O_CLOEXEC)
        everything = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        self._pid = os.fork()
        if self._pid == 0:
            _do_and_exit(job, inward, seconds_max)
        signal.pthread_sigmask(signal.SIG_SETMASK, everything)
        os.close(inward)
        os.set_blocking(self._pipe, False)

    def fileno(self) -> int:
        """For poll."""
        return self._pipe

    def outcome(self) -> Outcome | None:
        """How it ended; None while it is under way."""
        with contextlib.suppress(BlockingIOError):
            while part := os.read(self._pipe, _LONGEST):
                self._words = (self._words + part)[-_LONGEST:]
            return self._reap()
        return None

    def end(self) -> None:
        """Kill it, and everything it started."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        self._reap()

    def _reap(self) -> Outcome:
        os.close(self._pipe)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)  # what it started, should it have left anything behind
        _, status = os.waitpid(self._pid, 0)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM:
            return Outcome(AWAY, f"no end within {self._seconds_max:g} s")
        if os.WIFSIGNALED(status):
            return Outcome(AWAY, f"ended by {signal.Signals(os.WTERMSIG(status)).name}")
        return Outcome(_EXIT_CODES.get(os.waitstatus_to_exitcode(status), AWAY), short_line(self._words.decode("utf-8", "replace")))


def _do_and_exit(job: Callable[[], None], words: int, seconds_max: float) -> None:
    """Do the job and exit; the signals of the parent are not for this process."""
    code = 111
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
            signal.signal(number, signal.SIG_DFL)
        os.setpgid(0, 0)
        os.closerange(3, words)  # a lock of the parent must end with the parent
        os.closerange(words + 1, 1024)
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        signal.setitimer(signal.ITIMER_REAL, seconds_max)
        job()
        code = 0
    except (WrongSetting, Refused, Away) as error:
        code = {WrongSetting: 78, Refused: 100}.get(type(error), 111)
        os.write(words, str(error).encode("utf-8", "replace"))
    except Exception as error:
        sys.excepthook(type(error), error, error.__traceback__)
        os.write(words, f"{type(error).__name__}: {error}".encode("utf-8", "replace"))
    finally:
        os._exit(code)
