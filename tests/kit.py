"""What tests start real things with: a scan directory of its own under a real svscan, and waiting for events.

def test_it(house):                     # the fixture in tests/conftest.py
    halt = house.add("halt", HALT_COMMAND=house.recorder)
    house.until(lambda: halt.status == "ready")
    halt.set("STEP_SECONDS_MAX", "5"); halt.svc("-t")
"""

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TypeVar

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "lib"))

from pimains.core import state, templates  # noqa: E402  # only findable now, when a benchmark is started by itself
from pimains.core.clock import SystemClock  # noqa: E402  # only findable now, when a benchmark is started by itself
from pimains.core.naps import Nap, Readable, poll  # noqa: E402  # only findable now, when a benchmark is started by itself
from pimains.create_service import making  # noqa: E402  # only findable now, when a benchmark is started by itself

T = TypeVar("T")
CACHE = Path(os.environ.get("PIMAINS_CACHE") or Path("~/.cache/pimains").expanduser())


def until(condition: Callable[[], object], seconds: float = 60, what: str | Callable[[], str] = "") -> None:
    """Wait until `condition` holds, looking often; fails the test after `seconds`, which a machine that is busy may need.

    `what` says what was waited for, or, called only then, how things stand.
    What takes long to look at, such as what a program says, is looked at less often: others wait beside it.
    """
    began = looked = time.monotonic()
    while not condition():
        now = time.monotonic()
        assert now < began + seconds, f"not within {seconds} s: {what() if callable(what) else what or condition}"
        time.sleep(min(max(0.005, 2 * (now - looked)), 0.25))
        looked = time.monotonic()


def to_the_end(naps: Generator[Nap, tuple[Readable, ...], T]) -> T:
    """What `naps` returns, once they are over; raises as they do."""
    try:
        nap = next(naps)
        while True:
            nap = naps.send(poll(nap, SystemClock()))
    except StopIteration as end:
        value: T = end.value
        return value


def is_closed(pipe: int) -> bool:
    """Whether nobody has the other end of a pipe any more, which does not block."""
    try:
        return os.read(pipe, 100) == b""
    except BlockingIOError:
        return False


def free_port() -> int:
    """A TCP and UDP port that nobody has, and that nobody is given who asks the kernel for any: it takes those from 32768 on.

    No two tests at a time get the same one, also not in several processes.
    """
    with Path(tempfile.gettempdir(), f"pimains-ports-{os.getuid()}").open("a+") as counter:
        fcntl.flock(counter, fcntl.LOCK_EX)
        counter.seek(0)
        port = int(counter.read() or 0)
        while True:
            port = port + 1 if 12000 <= port < 32000 else 12000
            with (
                contextlib.suppress(OSError),
                socket.create_server(("127.0.0.1", port)),
                socket.socket(type=socket.SOCK_DGRAM) as datagrams,
            ):
                datagrams.bind(("127.0.0.1", port))
                break
        counter.truncate(0)
        counter.write(str(port))
    return port


class TestInstance:
    """One service directory of the test's house."""

    __test__ = False

    def __init__(self, house: "House", name: str) -> None:
        self.house = house
        self.name = name
        self.directory = house.scan / name
        self.run = house.root / "run/pimains" / name
        self.lib = house.root / "var/lib/pimains" / name

    @property
    def status(self) -> str:
        """The status line."""
        return self.read("status")

    def read(self, name: str) -> str:
        """A state file below /run/pimains/<instance>, '' when it is not there."""
        try:
            return (self.run / name).read_text().strip()
        except FileNotFoundError:
            return ""

    @property
    def log(self) -> str:
        """Everything the instance said, as far as multilog has written it by now: wait for what it is to say."""
        directory = self.house.root / "var/log/pimains" / self.name
        while True:
            with contextlib.suppress(FileNotFoundError):  # multilog has just begun a new one
                return "".join(path.read_text(errors="replace") for path in sorted(directory.glob("[@c]*")))

    def until_logged(self, *words: str) -> None:
        """Wait until each of these is in the log: multilog writes it a moment after the service said it."""
        for each in words:
            until(lambda each=each: each in self.log, what=f"{each!r} in the log of {self.name}")  # type: ignore[misc]

    def story(self) -> str:
        """How it stands, for who wonders why."""
        said = subprocess.run(["svstat", self.directory], capture_output=True, text=True, check=True).stdout
        places = [f"{path} {path.lstat().st_mode:o}" for top in (self.run, self.lib) for path in sorted((top, *top.rglob("*")))]
        return "\n".join([said, f"status: {state.read(self.run / 'status')}", *places[:60], self.log[-6000:]])

    @property
    def pid(self) -> int:
        """The process under supervise; 0 when it is down."""
        said = subprocess.run(["svstat", self.directory], capture_output=True, text=True, check=True).stdout
        return int(said.split("(pid ")[1].split(")")[0]) if "(pid " in said else 0

    def set(self, name: str, value: str) -> None:
        """Edit a variable as a user would, with echo."""
        (self.directory / "variables" / name).write_text(value + "\n")

    def svc(self, *options: str) -> None:
        """svc -d, -u, -t, ..."""
        subprocess.run(["svc", *options, self.directory], check=True)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to the process under supervise, as soon as there is one."""
        until(lambda: self.pid, what=f"{self.name} to be up")
        if pid := self.pid:  # 0 would be everybody in the test's own process group
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


class House:
    """A root of its own, a scan directory, and a real svscan on it. Nothing in it can halt the machine."""

    def __init__(self, root: Path, enter: tuple[str, ...] = ()) -> None:
        self.root = root
        self.enter = enter  # the words before svscan's, such as: ip netns exec NAME
        self.scan = root / "etc/service"
        self.scan.mkdir(parents=True)
        for directory in ("run/pimains", "var/lib/pimains", "var/log/pimains", "etc/pimains"):
            (root / directory).mkdir(parents=True)  # as the package makes them: root's
        with contextlib.suppress(LookupError, PermissionError):
            shutil.chown(root / "var/log/pimains", "pimains-log", "adm")
            (root / "var/log/pimains").chmod(0o2755)
        self.halted = root / "halted"  # what the recorder wrote: one line for each time the machine would have halted
        self.closing = contextlib.ExitStack()  # for what a test opened in it
        self._svscan: subprocess.Popen[bytes] | None = None
        self._looks = False

    @property
    def pid(self) -> int:
        """svscan's, once the house is open: its namespaces are those of the house."""
        assert self._svscan is not None
        return self._svscan.pid

    @property
    def recorder(self) -> str:
        """A HALT_COMMAND that only writes down when it was started (CLOCK_BOOTTIME, seconds)."""
        script = self.root / "record-halt"
        if not script.exists():
            script.write_text(f'#!/bin/sh\nread -r uptime rest </proc/uptime\necho "$uptime $*" >>{self.halted}\n')
            script.chmod(0o755)
        return f"{script} -P now"

    def add(self, service: str, name: str | None = None, *, pythonpath: str = "", svscan: bool = True, **variables: str) -> TestInstance:
        """Make an instance of a service, with some variables of its own, by the code of create_service, and let svscan find it.

        Without `svscan` the next one does that: then both are found at once, which saves five seconds.

        Wrong values are written too: create_service would refuse them, an editor would not.
        """
        name = name or service
        settings = {"PIMAINS_ROOT": str(self.root), "PYTHONPATH": ":".join(filter(None, (str(TOP / "lib"), pythonpath))), **variables}
        making.create(templates.all_of_them()[service], self.scan, name, settings)
        instance = TestInstance(self, name)
        if not svscan:
            return instance
        self.start()
        # svscan looks every five seconds: what it would start next is started now
        supervised = [each / "supervise/ok" for each in (instance.directory, instance.directory / "log")]
        until(lambda: all(each.exists() for each in supervised), what="svscan to find the instance")
        return instance

    def until(self, condition: Callable[[], object], seconds: float = 60, what: str | Callable[[], str] = "") -> None:
        """Wait for an event in the house."""
        until(condition, seconds, what)

    def halts(self) -> list[str]:
        """The times the machine would have been halted."""
        return self.halted.read_text().splitlines() if self.halted.exists() else []

    def open(self) -> None:
        """Enter its namespaces. svscan first looks when the first instance is to be found, which would else wait for five seconds."""
        if self._svscan is not None:
            return
        # as svscanboot does it: env - PATH; only the test's time zone, if it has one of its own, is that of the house as well
        environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
        environment |= {"TZ": os.environ["TZ"]} if "TZ" in os.environ else {}
        words = [*self.enter, "sh", "-c", 'read -r _; exec svscan "$0" </dev/null', self.scan]
        self._svscan = subprocess.Popen(words, env=environment, stdin=subprocess.PIPE, start_new_session=True)
        self._until_it_is("sh", "-c", "read")  # by then it is in its namespaces

    def start(self) -> None:
        """Let svscan run."""
        self.open()
        if self._looks:
            return
        self._looks = True
        assert self._svscan is not None
        assert self._svscan.stdin is not None
        with self._svscan.stdin as told:
            told.write(b"look\n")
        self._until_it_is("svscan")

    def _until_it_is(self, *words: str) -> None:
        until(lambda: Path(f"/proc/{self.pid}/cmdline").read_text().startswith("\0".join(words)), what=words[0])

    def close(self) -> None:
        """End everything that was started, by its pid."""
        self.closing.close()
        if self._svscan is None:
            return
        self._svscan.terminate()
        self._svscan.wait()
        directories = [d for top in self.scan.iterdir() for d in (top, top / "log") if (d / "supervise").exists()]
        subprocess.run(["svc", "-dxk", *directories], check=False)
        with contextlib.suppress(AssertionError):
            until(lambda: not any(_is_supervised(directory) for directory in directories), 20)
        with contextlib.suppress(ProcessLookupError):  # what svscan had begun only just now
            os.killpg(self._svscan.pid, signal.SIGKILL)


def _is_supervised(directory: Path) -> bool:
    return subprocess.run(["svok", directory], check=False).returncode == 0


H = TypeVar("H", bound=House)


def new_house(root: Path, enter: tuple[str, ...] = (), kind: type[H] = House) -> Iterator[H]:  # type: ignore[assignment]
    """For fixtures."""
    root.chmod(0o755)
    house = kind(root, enter)
    try:
        yield house
    finally:
        house.close()
