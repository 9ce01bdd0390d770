"""The demo's UPS: NUT's own upsd and dummy-ups, two machines that are shed and woken, and the messages that people get."""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from pimains.core import state
from pimains.core.errors import PimainsError
from pimains.core.failure import in_words
from pimains.house.ports import magic_packets

PACKAGES = ("nut-server", "openssh-client", "python3-asyncssh", "python3-nut2")
OUTAGE_SECONDS = 90
TESTS_OUTAGE_SECONDS = "PIMAINS_DEMO_OUTAGE_SECONDS"  # in the environment of a test that has not so much time
_SHED_AFTER = 9  # that part of the outage
_WAKE_AFTER_SECONDS = 5
_DOWN_SECONDS_MAX = 60
_MACHINES = ("nas", "tv")
_AFTER = {"tv": "nas"}
_ANY_ADDRESS = ("192.0.2.1", 9)  # of a network for examples: nothing is sent there


def missing() -> str:
    """What they need and this machine has not, as words for apt; "" if it has all."""
    modules = subprocess.run(["/usr/bin/python3", "-c", "import asyncssh, nut2"], capture_output=True, check=False)
    return "" if modules.returncode == 0 and Path("/lib/nut/dummy-ups").exists() and shutil.which("ssh") else " ".join(PACKAGES)


def cannot_wake() -> str:
    """Why no magic packet would be heard here; "" if one is."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        try:
            way.connect(_ANY_ADDRESS)
        except OSError:
            return "this machine is on no network, and magic packets go to one"
    try:
        magic_packets().close()
    except OSError as error:
        return f"UDP port 9, where magic packets come to: {in_words(error)}"
    return ""


def _ethernet_address() -> str:
    """One that no card has (the bit for addresses given locally is set), and hardly another demo beside this one."""
    return ":".join(f"{byte:02x}" for byte in b"\x02" + secrets.token_bytes(5))


class Powered:
    """The UPS and what hangs on it."""

    def __init__(self, root: Path, ups: IO[str]) -> None:
        self.outage_seconds = int(os.environ.get(TESTS_OUTAGE_SECONDS) or OUTAGE_SECONDS)
        self.is_over = threading.Event()
        self._root = root
        self._ups = ups

    def cut(self) -> None:
        """The mains are gone."""
        self._ups.write(f"outage {self.outage_seconds}\n")
        self._ups.flush()

    def is_known(self) -> bool:
        """Whether it was read."""
        return bool(state.read(self._run / "battery.charge"))

    def is_on_battery(self) -> bool:
        """Whether that was seen."""
        return (state.read(self._run / "status") or "").startswith("on battery")

    def are_down(self) -> bool:
        """Whether both machines are proved down."""
        return all(f"{name} is down" in (state.read(self._run / "hosts") or "") for name in _MACHINES)

    @property
    def _run(self) -> Path:
        return self._root / "run/pimains/ups"


@contextlib.contextmanager
def supplied(root: Path, create: tuple[str, ...], command: Callable[..., None], environment: dict[str, str]) -> Iterator[Powered]:
    """All of it, the services and their hosts made by `command`."""
    password, authorized, messages = root / "ups-password.txt", root / "authorized", root / "messages"
    authorized.mkdir()
    password.touch(0o600)
    password.write_text(f"{secrets.token_urlsafe(24)}\n", encoding="ascii")
    os.mkfifo(messages)
    messages.chmod(0o622)
    services = f"--servicedir={root / 'etc/service'}"
    house_ups = ("ups", "--directory", str(root / "nut"), "--password", str(password))
    macs = {name: _ethernet_address() for name in _MACHINES}
    machines = ("machines", *(f"{name}={mac}" for name, mac in macs.items()), "--authorized", str(authorized))
    with _program(environment, *house_ups) as (ups, upsd), _program(environment, *machines) as (_, said):
        place = _listening(upsd)
        at = {words[0]: words[1:] for words in (_listening(said) for _ in _MACHINES)}
        powered = Powered(root, ups)
        _in_background(_tell_of_machines, said)
        _in_background(_tell_messages, os.fdopen(os.open(messages, os.O_RDWR), encoding="utf-8", errors="replace"), powered.is_over)
        command("create_service", "--service_name=notify", f"--notify_fifo={messages}", *create)
        words = (f"--ups=house@{place[0]}", "--username=pimains", f"--password=@{password}")
        command("create_service", "--service_name=ups", *words, f"--wake_after_seconds={_WAKE_AFTER_SECONDS}", *create)
        for name, (address, fingerprint) in at.items():
            when = [f"--after={_AFTER[name]}"] if name in _AFTER else [f"--shed-at=after {powered.outage_seconds // _SHED_AFTER}s"]
            how = [f"--ssh=root@{address}", f"--proof={address.rsplit(':', 1)[1]}", f"--mac={macs[name]}", *when]
            command(
                "pimains", "ups", "host", "add", name, *how, f"--down-seconds-max={_DOWN_SECONDS_MAX}", f"--accept={fingerprint}", services
            )
            shutil.copy(root / "etc/service/ups/hosts" / name / "key.pub", authorized / name)
        command("svc", "-t", str(root / "etc/service/ups"))
        command("pimains", "ups", "host", "check", services)
        yield powered


@contextlib.contextmanager
def _program(environment: dict[str, str], module: str, *words: str) -> Iterator[tuple[IO[str], IO[str]]]:
    """One of the simulated house's, which ends with its standard input; yields that and its output."""
    all_words = ["/usr/bin/python3", "-PuWignore", "-m", f"pimains.house.{module}", *words]
    with subprocess.Popen(all_words, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdin is not None  # noqa: S101  # they are pipes
        assert program.stdout is not None  # noqa: S101  # the same
        try:
            yield program.stdin, program.stdout
        finally:
            program.stdin.close()


def _listening(said: IO[str]) -> list[str]:
    """What stands after LISTENING in the next line."""
    first, *words = said.readline().split() or [""]
    if first != "LISTENING":
        raise PimainsError("a program of the simulated house did not start")
    return words


def _tell_of_machines(said: IO[str]) -> None:
    for line in said:
        print(f"  ({line.rstrip()})", flush=True)


def _tell_messages(messages: IO[str], is_over: threading.Event) -> None:
    for line in messages:
        name, _, text = line.rstrip().partition(":")
        if name == "summary":
            print(f"  (message) {text}", flush=True)
        if "the outage is over" in text:
            is_over.set()


def _in_background(function: Callable[..., None], *given: object) -> None:
    threading.Thread(target=function, args=given, daemon=True).start()
