"""The runner under every service: settings, privileges, signals, naps, status line and exit code.

The Python of a service is a generator that yields what it waits for: seconds, or files that may become readable
within some seconds. What it does before the first yield is start-up. To end it, Stop is raised at its yield: `finally`
is the goodbye, and a service that needs time for it catches Stop and yields on. A service whose library is asyncio is
a coroutine; there, cancellation takes the place of Stop.

    def meter(me: Instance, settings: MeterSettings) -> Naps:
        pulses = ...
        while True:
            ready = yield within(settings.INTERVAL, pulses)

    if __name__ == "__main__":
        run(meter, MeterSettings)

Exit codes: 0 told to stop, or a setting was edited; 111 anything unexpected (supervise tries again in a second).
"""

import os
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias, TypeVar

from pimains.core import alive, log, state
from pimains.core.errors import WrongSetting
from pimains.core.instance import Instance
from pimains.core.naps import Nap, Naps, Readable, Stop, drive, poll, seconds, within
from pimains.core.privileges import become, make_directories
from pimains.core.settings import Settings, from_environment
from pimains.core.stopping import Stopping

__all__ = ["Instance", "Nap", "Naps", "Readable", "Stop", "run", "seconds", "within"]  # what the module of a service needs

EXIT_TRY_AGAIN = 111
S = TypeVar("S", bound=Settings)


Main: TypeAlias = Callable[[Instance, S], Naps] | Callable[[Instance, S], Coroutine[object, object, None]]


def run(main: Main[S], settings: type[S], *, user: str | None = "pimains", owner: str | None = None, nice: int = 0) -> None:
    """Be the service whose directory is the current one; never returns.

    Started as root it becomes `user` (with all of the user's groups) unless that is None: then it stays root, or becomes `owner`
    by itself, whose directories are made for it. It gets the niceness `nice`
    (setpriority(2)): one that must not wait on a busy machine has less than 0.
    """
    log.never_wait()
    me = Instance(Path.cwd().name, Path.cwd())
    wakeup = _listen_for_signals()
    try:
        if nice:
            with suppress(PermissionError):  # not in every container
                os.setpriority(os.PRIO_PROCESS, 0, nice)
        make_directories(me, user or owner)
        if user is not None and os.geteuid() == 0:
            become(user)
        with suppress(OSError):  # no room in /run: its status line will say so
            alive.hold(me.run)
        given = from_environment(settings)
        me.starts()
        for path in given.exposed():
            me.complain(f"others may read the secret in {path}: sudo chmod 600 {path}")
        result = main(me, given)
        if isinstance(result, Coroutine):
            from pimains.core.coroutine import run_until_told  # asyncio costs nine megabytes

            run_until_told(result, wakeup.fileno())
        else:
            drive(result, me.clock, Stopping(me, wakeup))
        me.status("stopped")
    except WrongSetting as wrong:
        print(wrong)
        me.status(str(wrong), well=False)
        _wait_for_an_edit(me, settings, wakeup)
    except Exception as error:
        sys.excepthook(type(error), error, error.__traceback__)
        me.fails(error)
        sys.exit(EXIT_TRY_AGAIN)
    sys.exit(0)


class _Wakeup:
    """A pipe that a signal writes to, so that no signal is lost between a check and a sleep."""

    def __init__(self) -> None:
        self._out, inward = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(inward, warn_on_full_buffer=False)

    def fileno(self) -> int:
        """The end to wait at, where each signal is a byte."""
        return self._out


def _listen_for_signals() -> _Wakeup:
    wakeup = _Wakeup()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    return wakeup


def _wait_for_an_edit(me: Instance, settings: type[S], wakeup: Readable) -> None:
    try:
        watch = state.Watch(me.directory / "variables")
    except FileNotFoundError:  # replaced as a whole this moment
        return
    if _was_edited(me.directory / "variables", settings):
        return
    while True:
        ready = poll(within(3600, watch), me.clock, wakeup)
        if wakeup in ready or (watch in ready and watch.changed()):
            return


def _was_edited(variables: Path, settings: type[S]) -> bool:
    """Whether a file says something else than envdir(8) read from it before this process was started."""
    for name in settings.declared():
        try:
            with (variables / name).open("rb") as file:
                line = file.readline(4096)
        except OSError:  # not there, or a secret that only root may read
            continue
        if line.rstrip(b"\n").rstrip(b" \t").replace(b"\0", b"\n") != os.environb.get(name.encode(), b"")[:4096]:
            return True
    return False


def refuse_to_stop(me: Instance, needed_for: Callable[[], str]) -> None:
    """From now on svc -d waits for as long as `needed_for` tells what this service is needed for, "" for nothing (core.stopping)."""
    me.needed_for = needed_for
    signal.signal(signal.SIGCONT, lambda *_: None)


_M_ARENA_MAX, _M_MMAP_THRESHOLD = -8, -3  # malloc.h


def share_one_heap(large_bytes: int | None = None) -> None:
    """Threads that are still to come take their memory from this one's heap (mallopt(3)): several heaps grow by their gaps alone.

    With `large_bytes` a block of that size or more goes back to the kernel whenever it is freed: malloc would come to keep such ones.
    """
    import ctypes  # a megabyte, and few services have threads

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc's
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
        if large_bytes is not None:
            mallopt(_M_MMAP_THRESHOLD, large_bytes)
