"""The demo's UPS: NUT's own upsd and dummy-ups, two machines that are shed and woken, and the messages that people get."""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from pimains.core.failure import in_words
from pimains.house.demo_site import Site, in_background, listening, tell
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

    def __init__(self, site: Site, ups: IO[str]) -> None:
        self.outage_seconds = int(os.environ.get(TESTS_OUTAGE_SECONDS) or OUTAGE_SECONDS)
        self.is_over = threading.Event()
        self._site = site
        self._ups = ups

    def cut(self, seconds: int | None = None) -> None:
        """The mains are gone, for so long."""
        tell(self._ups, f"outage {self.outage_seconds if seconds is None else seconds}")

    def is_known(self) -> bool:
        """Whether it was read."""
        return bool(self._site.value("ups", "battery.charge"))

    def is_on_battery(self) -> bool:
        """Whether that was seen."""
        return self._site.status("ups").startswith("on battery")

    def are_down(self) -> bool:
        """Whether both machines are proved down."""
        hosts = self._site.value("ups", "hosts")
        return all(f"{name} is down" in hosts for name in _MACHINES)


@contextlib.contextmanager
def supplied(site: Site) -> Iterator[Powered]:
    """All of it, the services and their hosts."""
    root = site.root
    password, authorized, messages = root / "ups-password.txt", root / "authorized", root / "messages"
    authorized.mkdir()
    password.touch(0o600)
    password.write_text(f"{secrets.token_urlsafe(24)}\n", encoding="ascii")
    os.mkfifo(messages)
    messages.chmod(0o622)
    macs = {name: _ethernet_address() for name in _MACHINES}
    machines = (*(f"{name}={mac}" for name, mac in macs.items()), "--authorized", str(authorized))
    with (
        site.program("ups", "--directory", str(root / "nut"), "--password", str(password)) as (ups, upsd),
        site.program("machines", *machines) as (_, said),
    ):
        place = listening(upsd)
        at = {words[0]: words[1:] for words in (listening(said) for _ in _MACHINES)}
        powered = Powered(site, ups)
        in_background(_tell_of_machines, site, said)
        told = os.fdopen(os.open(messages, os.O_RDWR), encoding="utf-8", errors="replace")
        in_background(_tell_messages, site, told, powered.is_over)
        site.command("create_service", "--service_name=notify", f"--notify_fifo={messages}", *site.create)
        words = (f"--ups=house@{place[0]}", "--username=pimains", f"--password=@{password}", f"--wake_after_seconds={_WAKE_AFTER_SECONDS}")
        site.command("create_service", "--service_name=ups", *words, *site.create)
        for name, (address, fingerprint) in at.items():
            when = [f"--after={_AFTER[name]}"] if name in _AFTER else [f"--shed-at=after {powered.outage_seconds // _SHED_AFTER}s"]
            how = [f"--ssh=root@{address}", f"--proof={address.rsplit(':', 1)[1]}", f"--mac={macs[name]}", *when]
            known = (f"--down-seconds-max={_DOWN_SECONDS_MAX}", f"--accept={fingerprint}")
            site.command("pimains", "ups", "host", "add", name, *how, *known, site.in_services)
            shutil.copy(site.services / "ups/hosts" / name / "key.pub", authorized / name)
        site.command("svc", "-t", str(site.services / "ups"))
        site.command("pimains", "ups", "host", "check", site.in_services)
        yield powered


def _tell_of_machines(site: Site, said: IO[str]) -> None:
    for line in said:
        site.say(f"({line.rstrip()})")


def _tell_messages(site: Site, messages: IO[str], is_over: threading.Event) -> None:
    for line in messages:
        name, _, text = line.rstrip().partition(":")
        if name == "summary":
            site.say(f"(message) {text}")
        if "the outage is over" in text:
            is_over.set()
