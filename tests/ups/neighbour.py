"""Another machine of the house: a network namespace with a cable to `here`, where this machine is, and a real sshd.

def test_it(nas):                       # the fixture in house/conftest.py
    nas.authorize()
    assert nas.told("order_down").answer == nas.boot_id
    assert nas.recorded() == ["off"]

Nothing here ever shuts a machine down: COMMAND is a recorder's path, and authorized_keys allows no other.
"""

import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from pimains.core.clock import boot_id
from pimains.ups.hosts import ssh
from tests.kit import TOP, House, until

HERE, THERE = "10.92.0.1", "10.92.0.2"
NOBODY = "10.92.0.9"
MAC = "02:00:00:00:92:02"
_PYTHON = "/usr/bin/python3"
_SSHD = "/usr/sbin/sshd"
_CONFIG = """Port 22
ListenAddress {there}
HostKey {top}/host_key
AuthorizedKeysFile {top}/authorized_keys
PidFile {top}/sshd.pid
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
"""
_RECORDER = """#!/bin/sh
echo off >>{top}/recorded
exec {top}/then
"""
# as a network card hears it while its machine is off: whatever the kernel of the machine would make of it
_LISTENER = """import socket
ear = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
print("listening", flush=True)
heard = b""
while heard != b"end":
    packet = ear.recv(2000)
    if packet[9] == socket.IPPROTO_UDP and packet[22:24] == bytes((0, 9)):
        heard = packet[28:]
        print(heard.hex(), flush=True)
"""
_END = f"import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'end', ('{THERE}', 9))"


class Told(NamedTuple):
    """What came of it, and how many seconds it took."""

    answer: str
    seconds: float


class Neighbour:
    """`directory` is hosts/nas of an instance here; `namespace` and `here` are the network namespaces."""

    def __init__(self, top: Path, namespace: str, here: str) -> None:
        self.top = top
        self.namespace = namespace
        self.here = here
        self.directory = top / "instance/hosts/nas"
        self.recorder = top / "recorder"
        self.boot_id = boot_id()
        self._sshd: subprocess.Popen[bytes] | None = None

    def set(self, name: str, value: str) -> None:
        """Change a setting of the host."""
        (self.directory / name).write_text(f"{value}\n")

    def then(self, script: str) -> None:
        """What its COMMAND does once it has recorded that it was given."""
        (self.top / "then").write_text(f"#!/bin/sh\n{script}\n")
        (self.top / "then").chmod(0o755)

    def authorize(self, line: str = "") -> None:
        """Put a line into its authorized_keys: the one that belongs to the key in `directory`."""
        key = (self.directory / "key.pub").read_text().strip()
        (self.top / "authorized_keys").write_text((line or ssh.authorized(str(self.recorder), key)) + "\n")

    def pin(self) -> None:
        """Take its host key for the right one."""
        (self.directory / "known_hosts").write_text("nas " + (self.top / "host_key.pub").read_text())

    def recorded(self) -> list[str]:
        """What its COMMAND was given."""
        file = self.top / "recorded"
        return file.read_text().splitlines() if file.exists() else []

    def new_host_key(self) -> None:
        """As after it was installed anew; a sshd that runs has to be started again."""
        (self.top / "host_key").unlink(missing_ok=True)
        keygen(self.top / "host_key")

    def start(self) -> None:
        """Start its sshd."""
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where it shuts its unprivileged part in
        words = ["ip", "netns", "exec", self.namespace, _SSHD, "-D", "-e", "-f", str(self.top / "sshd_config")]
        with (self.top / "sshd.log").open("ab") as log:
            self._sshd = subprocess.Popen(words, stdout=log, stderr=log, start_new_session=True)
        until((self.top / "sshd.pid").exists, what=lambda: (self.top / "sshd.log").read_text())

    def stop(self) -> None:
        """End its sshd and all that it started."""
        if self._sshd:
            os.killpg(self._sshd.pid, signal.SIGKILL)
            self._sshd.wait()
            (self.top / "sshd.pid").unlink(missing_ok=True)
            self._sshd = None
            listening = ("ip", "netns", "exec", self.namespace, "ss", "-Hltn")
            until(lambda: not output(*listening), what="the child of sshd that has its socket, too, to be gone")

    def until_connected(self, device: str) -> None:
        """Wait until a cable that was plugged in just now carries packets: the kernel drops them until then."""
        until(lambda: all(carries(name, device) for name in (self.here, self.namespace)), what=device)

    def reboot(self, boot_id: str) -> None:
        """As after a restart: all that a namespace cannot have of its own is told from a file, which takes the kernel's place."""
        self.stop()
        (self.top / "boot_id").write_text(f"{boot_id}\n")
        line = (self.top / "authorized_keys").read_text()
        (self.top / "authorized_keys").write_text(line.replace("/proc/sys/kernel/random/boot_id", str(self.top / "boot_id")))
        self.start()

    def freeze(self) -> None:
        """Its sshd neither answers nor ends."""
        assert self._sshd
        os.killpg(self._sshd.pid, signal.SIGSTOP)

    def is_off(self) -> None:
        """It has shut down: its network card hears, and nothing answers."""
        run("ip", "-n", self.namespace, "route", "add", "blackhole", f"{HERE}/32")
        self.stop()

    def is_on(self) -> None:
        """It has started."""
        run("ip", "-n", self.namespace, "route", "delete", "blackhole", f"{HERE}/32")
        self.start()

    def unplug(self) -> None:
        """Its cable is out."""
        run("ip", "-n", self.namespace, "link", "set", "eth0", "down")

    def told(self, what: str, *seconds: float) -> Told:
        """Have this machine, as user pimains, say that to it: a function of pimains.ups.hosts.talk."""
        environment = {**os.environ, "PYTHONPATH": f"{TOP / 'lib'}:{TOP}"}
        as_the_service = ["setpriv", "--reuid=pimains", "--regid=pimains", "--init-groups", _PYTHON, "-B", "-m", "tests.ups.say_to_host"]
        words = ["ip", "netns", "exec", self.here, *as_the_service, what, self.directory, *map(str, seconds)]
        said = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
        assert said.returncode == 0, said.stderr
        answer, seconds_taken = said.stdout.splitlines()
        return Told(answer, float(seconds_taken))

    def pimains(self, house: House, *words: str, at_terminal: str | None = None) -> "subprocess.CompletedProcess[str]":
        """`pimains WORDS` on this machine, of the instances of `house`; `at_terminal` is what somebody types there."""
        environment = {**os.environ, "PYTHONPATH": str(TOP / "lib"), "PIMAINS_ROOT": str(house.root)}
        all_words = ["ip", "netns", "exec", self.here, _PYTHON, "-B", "-m", "pimains.cli", *words, f"--servicedir={house.scan}"]
        master, terminal = os.openpty()
        try:
            os.write(master, f"{at_terminal or ''}\n".encode())
            stdin = subprocess.DEVNULL if at_terminal is None else terminal
            return subprocess.run(all_words, env=environment, stdin=stdin, capture_output=True, text=True, check=False)
        finally:
            os.close(master)
            os.close(terminal)

    @contextmanager
    def listening(self) -> Iterator[list[str]]:
        """What comes to its UDP port 9 meanwhile, in hexadecimal."""
        words = ["ip", "netns", "exec", self.namespace, _PYTHON, "-c", _LISTENER]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as listener:
            assert listener.stdout
            assert listener.stdout.readline() == "listening\n"
            heard: list[str] = []
            lines = listener.stdout
            hearing = threading.Thread(target=lambda: heard.extend(line.rstrip() for line in lines if line.rstrip() != b"end".hex()))
            hearing.start()
            try:
                yield heard
                run("ip", "netns", "exec", self.here, _PYTHON, "-c", _END)  # what was sent before has come by then
                hearing.join()
            finally:
                listener.terminate()
                hearing.join()


@contextmanager
def neighbour(top: Path) -> Iterator[Neighbour]:
    """One that is up, with its host key pinned, and whose authorized_keys is empty."""
    top.chmod(0o755)  # user pimains may go there, too
    names = (f"pm-n-{top.name[-6:]}", f"pm-h-{top.name[-6:]}")
    nas = Neighbour(top, *names)
    with ExitStack() as stack:
        for name in names:
            run("ip", "netns", "add", name)
            stack.callback(run, "ip", "netns", "delete", name)
        run("ip", "link", "add", "eth0", "netns", names[0], "address", MAC, "type", "veth", "peer", "name", "eth0", "netns", names[1])
        for name, address in zip(names, (THERE, HERE), strict=True):
            run("ip", "-n", name, "address", "add", f"{address}/24", "dev", "eth0")
            for device in ("lo", "eth0"):
                run("ip", "-n", name, "link", "set", device, "up")
        nas.until_connected("eth0")
        nas.directory.mkdir(parents=True)
        nas.recorder.write_text(_RECORDER.format(top=top))
        nas.recorder.chmod(0o755)
        nas.then("true")
        (top / "sshd_config").write_text(_CONFIG.format(top=top, there=THERE))
        for name, value in {"SSH": f"root@{THERE}", "COMMAND": str(nas.recorder), "MAC": MAC}.items():
            nas.set(name, value)
        keygen(nas.directory / "key")
        shutil.chown(nas.directory / "key", "pimains")
        nas.new_host_key()
        nas.pin()
        nas.start()
        stack.callback(nas.stop)
        yield nas


def keygen(path: Path) -> None:
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "pimains", "-f", path)


def carries(namespace: str, device: str) -> bool:
    links = json.loads(output("ip", "-n", namespace, "-json", "link", "show", device))
    return links[0]["operstate"] == "UP"


def run(*words: str | Path) -> None:
    output(*words)


def output(*words: str | Path) -> str:
    return subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True).stdout
