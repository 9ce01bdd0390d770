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

import grp
import os
import pwd
import select
import signal
import sys
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias, TypeVar

from pimains.core import log, paths, state
from pimains.core.clock import Clock, SystemClock
from pimains.core.errors import WrongSetting
from pimains.core.settings import Settings, from_environment

if TYPE_CHECKING:
    from pimains.core.ledger import Ledger

EXIT_TRY_AGAIN = 111
_LONGEST_NAP_SECONDS = 1_000_000  # poll(2) counts milliseconds in an int
S = TypeVar("S", bound=Settings)


class Stop(BaseException):
    """Raised inside a service's generator when it is told to stop (svc -d, svc -t)."""


class Readable(Protocol):
    """Anything with a file descriptor to wait for."""

    def fileno(self) -> int:
        """The descriptor."""


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


class Instance:
    """What a service is told about itself, and where it leaves word for others.

    `directory` is the service directory, `name` its last part.
    """

    def __init__(self, name: str, directory: Path, clock: Clock | None = None) -> None:
        self.name = name
        self.directory = directory
        self.clock = clock or SystemClock()
        self._could_not_write = ""

    @property
    def run(self) -> Path:
        """/run/pimains/<instance>: its state until the next boot."""
        return paths.run() / self.name

    @property
    def lib(self) -> Path:
        """/var/lib/pimains/<instance>: its state that outlives a reboot."""
        return paths.lib() / self.name

    @property
    def ledger(self) -> "Ledger":
        """Where actuations are written down."""
        from pimains.core.ledger import Ledger  # sqlite3 costs a megabyte that an idle service need not have

        return Ledger(clock=self.clock)

    def status(self, line: str, *, well: bool = True) -> None:
        """Say in the words of the user how things stand; `well` is whether nobody needs to look after it."""
        if well:
            self.leave("unwell", None)
        elif line != state.read(self.run / "unwell"):
            self.leave("unwell", line)
        if line != state.read(self.run / "status"):
            self.leave("status", line)

    def starts(self) -> None:
        """Before its service has said anything: whether it is well stays as it was, until the service knows."""
        self.leave("status", "starting")

    def complain(self, line: str) -> None:
        """Log an error and keep it for `pimains status` as the last one."""
        print(line)
        self.leave("error", line)

    def fails(self, error: Exception) -> None:
        """Its last words; the traceback is in the log."""
        line = f"{type(error).__name__}: {error}"
        self.leave("error", line)
        self.status(f"failed, trying again: {line}", well=False)

    def leave(self, name: str, line: str | None) -> None:
        """Write the state file /run/pimains/<instance>/`name`, or remove it for None.

        A full disk is said once and keeps no service from its work; so nothing that others rely on is left this way.
        """
        try:
            if line is None:
                state.remove(self.run / name)
            else:
                state.write(self.run / name, line)
            self._could_not_write = ""
        except OSError as error:
            why = f"cannot write to {self.run}: {error.strerror}"
            if why != self._could_not_write:
                print(why)
            self._could_not_write = why


Main: TypeAlias = Callable[[Instance, S], Naps] | Callable[[Instance, S], Coroutine[object, object, None]]


def run(main: Main[S], settings: type[S], *, user: str | None = "pimains", nice: int = 0) -> None:
    """Be the service whose directory is the current one; never returns.

    Started as root it becomes `user` (with all of the user's groups) unless that is None, with the niceness `nice`
    (setpriority(2)): one that must not wait on a busy machine has less than 0.
    """
    log.never_wait()
    me = Instance(Path.cwd().name, Path.cwd())
    wakeup = _listen_for_signals()
    try:
        if nice:
            with suppress(PermissionError):  # not in every container
                os.setpriority(os.PRIO_PROCESS, 0, nice)
        make_directories(me, user)
        if user is not None and os.geteuid() == 0:
            become(user)
        given = from_environment(settings)
        me.starts()
        result = main(me, given)
        if isinstance(result, Coroutine):
            from pimains.core.coroutine import run_until_told  # asyncio costs nine megabytes

            run_until_told(result, wakeup.fileno())
        else:
            drive(result, me.clock, wakeup)
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


def drive(naps: Naps, clock: Clock, wakeup: Readable) -> None:
    """Step a service until it ends; a byte at `wakeup` means stop."""
    told = False
    try:
        nap = next(naps)
        while True:
            ready = poll(nap, clock, *(() if told else (wakeup,)))
            if not told and wakeup in ready:
                told = True
                nap = naps.throw(Stop())
            else:
                nap = naps.send(ready)
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


class _Wakeup:
    """A pipe that a signal writes to, so that no signal is lost between a check and a sleep."""

    def __init__(self) -> None:
        self._out, inward = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(inward, warn_on_full_buffer=False)

    def fileno(self) -> int:
        """The end to wait at."""
        return self._out


def _listen_for_signals() -> _Wakeup:
    wakeup = _Wakeup()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    return wakeup


def make_directories(me: Instance, user: str | None) -> None:
    """Make the instance's directories; as root they are given to `user` and to the group pimains."""
    for top, directory in ((paths.run(), me.run), (paths.lib(), me.lib)):
        for each in (top, directory):
            if each.is_dir():
                continue
            each.mkdir(parents=True)
            if os.geteuid() == 0:
                os.chown(each, _user_id(user) if user and each is directory else 0, _group())
                each.chmod(0o2775)


def _user_id(name: str) -> int:
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:  # `become` will say so
        return 0


def _group() -> int:
    try:
        return grp.getgrnam("pimains").gr_gid
    except KeyError:
        return 0


def become(user: str) -> None:
    """Give up root for `user` and all of the groups it is in (setuidgid would lose gpio and dialout).

    Raises WrongSetting when the machine has no such user.
    """
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise WrongSetting(f"this machine has no user {user!r}: install the package, or run adduser --system --group {user}") from None
    os.initgroups(user, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    os.environ["HOME"] = entry.pw_dir
    os.umask(0o002)


def _wait_for_an_edit(me: Instance, settings: type[S], wakeup: Readable) -> None:
    watch = state.Watch(me.directory / "variables")
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
