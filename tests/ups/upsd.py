"""A real upsd with dummy UPSes behind it, on a port of its own; who may use it is anna, with PASSWORD.

with Upsd(tmp_path, "eaton", "cellar") as upsd:
    upsd.say("eaton", status="OB LB", charge="12")
    upsd.kill_driver("eaton")
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.kit import free_port, until

PROGRAMS = Path("/lib/nut")
PASSWORD = 'open "sesame" \\o/ #1 = 2'
VARIABLES = {
    "ups.status": "OL",
    "battery.charge": "100",
    "battery.runtime": "1800",
    "ups.load": "20",
    "input.voltage": "230",
    "output.voltage": "229",
}
USERS = r"""
[anna]
    password = "open \"sesame\" \\o/ \#1 = 2"
    upsmon primary
    instcmds = ALL
[bert]
    password = bert
    upsmon secondary
[tester]
    password = tester
    actions = SET
"""
_LONG = {"status": "ups.status", "charge": "battery.charge", "runtime": "battery.runtime", "load": "ups.load"}


class Upsd:
    """Drivers first, then upsd, as `with` begins; all ended with it. `certificate` is for STARTTLS, `override` said by each UPS.

    The words of `enter` come before each program's (tests/ups/nut_versions.py).
    """

    def __init__(
        self,
        directory: Path,
        *names: str,
        users: str = USERS,
        certificate: tuple[Path, Path] | None = None,
        override: Mapping[str, str] = {},  # read only
        max_age: int = 15,
        enter: tuple[str, ...] = (),
    ) -> None:
        self.names = names or ("eaton",)
        self.enter = enter
        self.port = free_port()
        self.directory = directory / f"nut-{self.port}"
        self.directory.mkdir()
        self.state = Path(tempfile.mkdtemp(prefix="pimains-nut-"))  # its sockets: the path of a test's own directory may be too long
        self._environment = {
            "PATH": os.environ["PATH"],
            "NUT_CONFPATH": str(self.directory),
            "NUT_STATEPATH": str(self.state),
            "NUT_ALTPIDPATH": str(self.state),
        }
        self._drivers: dict[str, subprocess.Popen[bytes]] = {}
        self._upsd: subprocess.Popen[bytes] | None = None
        conf = f"LISTEN 127.0.0.1 {self.port}\nSTATEPATH {self.state}\nMAXAGE {max_age}\n"
        if certificate:
            conf += self._database(certificate)
        self._write("upsd.conf", conf)
        self._write("upsd.users", users)
        says = "".join(f" override.{name} = {_quoted(value)}\n" for name, value in override.items())
        ups = "[{0}]\n driver = dummy-ups\n port = {0}.dev\n mode = dummy-once\n{1}"
        self._write("ups.conf", "".join(ups.format(each, says) for each in self.names))
        for each in self.names:
            self._write(f"{each}.dev", "".join(f"{name}: {value}\n" for name, value in VARIABLES.items()))

    def __enter__(self) -> "Upsd":
        try:
            for each in self.names:
                self.start_driver(each)
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        for each in self.names:
            self.kill_driver(each)
        shutil.rmtree(self.state, ignore_errors=True)

    def start(self) -> None:
        """Let upsd run, until it knows each UPS whose driver runs."""
        self._upsd = self._begin("upsd", "-F")
        until(self._listens, 30, "upsd to listen")
        for each in self._drivers:
            self.until_known(each)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End upsd; what it knew of FSD is forgotten."""
        if self._upsd:
            _end(self._upsd, number)
            self._upsd = None

    def reboot(self, status: str) -> None:
        """As when its machine starts again, with each UPS in that state."""
        self.stop()
        for each in self.names:
            self.kill_driver(each)
            self._write(f"{each}.dev", "".join(f"{name}: {value}\n" for name, value in {**VARIABLES, "ups.status": status}.items()))
            self.start_driver(each)
        self.start()

    def show_certificate(self, certificate: tuple[Path, Path]) -> None:
        """Another one than it was made with, from its next start on."""
        shutil.rmtree(self.directory / "certificates")
        self._database(certificate)

    def freeze(self) -> None:
        """Have upsd stop where it is: its kernel still takes connections."""
        assert self._upsd
        os.kill(self._upsd.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._upsd
        os.kill(self._upsd.pid, signal.SIGCONT)

    def start_driver(self, name: str) -> None:
        """Let a UPS be there."""
        self._drivers[name] = self._begin("dummy-ups", "-F", "-a", name)
        until((self.state / f"dummy-ups-{name}").exists, 30, f"the driver of {name}")

    def kill_driver(self, name: str) -> None:
        """As when its USB cable is pulled."""
        if driver := self._drivers.pop(name, None):
            _end(driver, signal.SIGKILL)
        (self.state / f"dummy-ups-{name}").unlink(missing_ok=True)

    def freeze_driver(self, name: str) -> None:
        """Its data are stale soon."""
        os.kill(self._drivers[name].pid, signal.SIGSTOP)

    def say(self, name: str, **variables: str) -> None:
        """Have the UPS say these from now on: status, charge, runtime, load; returns when upsd knows it."""
        with self.talk("tester", "tester") as ask:
            for short, value in variables.items():
                assert ask(f'SET VAR {name} {_LONG[short]} "{value}"').startswith("OK")
            for short, value in variables.items():
                until(lambda short=short, value=value: f'"{value}"' in ask(f"GET VAR {name} {_LONG[short]}"), 30, value)  # type: ignore[misc]

    def until_known(self, name: str) -> None:
        """Wait until upsd has its data, and not only its driver."""
        with self.talk() as ask:
            until(lambda: "OL" in ask(f"GET VAR {name} ups.status") or "OB" in ask(f"GET VAR {name} ups.status"), 30, f"data of {name}")

    @contextlib.contextmanager
    def talk(self, user: str = "", password: str = "") -> Iterator["Asking"]:
        """Ask upsd in lines of its protocol that are answered in one."""
        with self.connect(10) as connection:
            asking = Asking(connection)
            if user:
                assert asking(f"USERNAME {user}") == asking(f"PASSWORD {password}") == "OK"
            yield asking

    def connect(self, seconds: float) -> socket.socket:
        """A connection to it; for one that is in another network namespace there is another kind of this class."""
        return socket.create_connection(("127.0.0.1", self.port), seconds)

    def _begin(self, program: str, *words: str) -> "subprocess.Popen[bytes]":
        user = ("-u", "root") if os.getuid() == 0 else ()
        log = (self.directory / "log").open("ab")
        with log:
            return subprocess.Popen([*self.enter, PROGRAMS / program, *words, *user], env=self._environment, stdout=log, stderr=log)

    def _listens(self) -> bool:
        assert self._upsd
        assert self._upsd.poll() is None, (self.directory / "log").read_text()
        with contextlib.suppress(OSError), self.connect(1):
            return True
        return False

    def _write(self, name: str, text: str) -> None:
        (self.directory / name).write_text(text)
        (self.directory / name).chmod(0o640)

    def _database(self, certificate: tuple[Path, Path]) -> str:
        """Debian's upsd finds its certificate in a database of NSS's."""
        both, certificates = self.directory / "both.p12", self.directory / "certificates"
        certificates.mkdir()
        words = ["openssl", "pkcs12", "-export", "-passout", "pass:nss", "-name", "upsd", "-in", certificate[0], "-inkey", certificate[1]]
        subprocess.run([*words, "-out", both], check=True)
        (self.directory / "password").write_text("nss\n")
        subprocess.run(["certutil", "-N", "-d", f"sql:{certificates}", "-f", self.directory / "password"], check=True)
        words = ["pk12util", "-i", both, "-W", "nss", "-d", f"sql:{certificates}", "-k", self.directory / "password"]
        subprocess.run(words, check=True, capture_output=True)
        return f'CERTPATH {certificates}\nCERTIDENT "upsd" "nss"\n'


class Asking:
    """Asks one line, gets one line."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def __call__(self, line: str) -> str:
        self._connection.sendall(f"{line}\n".encode())
        answer = b""
        while not answer.endswith(b"\n"):
            answer += self._connection.recv(4096) or b"\n"
        return answer.decode().rstrip()


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("#", "\\#")
    return f'"{escaped}"'


def _end(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    process.send_signal(number)
    process.send_signal(signal.SIGCONT)
    process.wait(10)
