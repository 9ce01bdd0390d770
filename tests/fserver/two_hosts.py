"""A file server and a client as two hosts: network namespaces with a cable between them, each with a house of its own.

The drive is a directory of the server, shared by its real sftp-server; the client's `systemctl start autofs` mounts it with
sshfs, in the client's own mount namespace. It hangs like any network share when its server is out of reach.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tests.kit import House, TestInstance, new_house, until

SECRET = "bXkgc2VjcmV0IG9mIDMyIGJ5dGVzIGZvciB0ZXN0cyE="
SERVER, CLIENT = "10.91.0.1", "10.91.0.2"
_SFTP_PORT = 2222
_SYSTEMCTL = """#!/bin/sh
echo "$1 $2" >>{log}
case "$1 $2" in
"start autofs")
    grep -q " {share} " /proc/self/mountinfo && exit 0
    exec sshfs -o directport={port} "$(cat {server}):{drive}" {share} ;;
"stop autofs")
    grep -q " {share} " /proc/self/mountinfo || exit 0
    exec umount {share} ;;
esac
"""


def run(*words: str | Path) -> None:
    subprocess.run([str(word) for word in words], check=True, capture_output=True)


class TwoHosts:
    """`server` and `client` are houses; the client's share is at `share` in its own mount namespace only."""

    def __init__(self, server: House, client: House, names: tuple[str, str]) -> None:
        self.server = server
        self.client = client
        self.names = names
        self.drive = server.root / "drive"
        self.share = client.root / "mnt/MDrive"
        self.is_cut = False
        self.systemctl_log = client.root / "systemctl.log"
        self.share_host = client.root / "share-host"  # from which host it is mounted
        self.share_host.write_text(SERVER)
        self.hosts = client.root / "hosts"  # /etc/hosts of the client, once `name_server` was called

    def name_server(self, *addresses: str) -> None:
        """Have the client find its server, which is called music.lan, at these addresses."""
        if not self.hosts.exists():
            self.hosts.touch()
            self.client.start()
            done = self.in_client("mount", "--bind", self.hosts, "/etc/hosts")
            assert done.returncode == 0, done.stderr
        self.hosts.write_text("127.0.0.1 localhost\n" + "".join(f"{address} music.lan\n" for address in addresses))

    def move_server(self, before: str, after: str) -> None:
        """Give the server another address, as a router may that has forgotten it."""
        run("ip", "-n", self.names[0], "address", "delete", f"{before}/24", "dev", "eth0")
        run("ip", "-n", self.names[0], "address", "add", f"{after}/24", "dev", "eth0")

    def mounter(self) -> int:
        """The process that serves the client's share: sshfs, its latest."""
        return max(self.mounters())

    def mounters(self) -> list[int]:
        """All of them: one whose server has gone without a word waits for its answer after it was unmounted by force, too."""
        return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit() and self._mounts(each)]

    def end_mounters(self) -> None:
        for pid in self.mounters():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _mounts(self, process: Path) -> bool:
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:  # it has just ended
            return False
        return words[0].endswith(b"sshfs") and bytes(self.share) in words

    def add_fserver(self, **variables: str) -> TestInstance:
        return self.server.add("fserver", **{"HOST": SERVER, "SECRET": SECRET, **variables})

    def add_fclient(self, **variables: str) -> TestInstance:
        settings = {"HOST": SERVER, "SECRET": SECRET, "MDRIVE": str(self.share), "MARKER": "Music", "NAME": "kitchen", **variables}
        return self.client.add("fclient", PATH=f"{self.client.root}/bin:{os.environ['PATH']}", **settings)

    def is_mounted(self, fclient: TestInstance) -> bool:
        """Whether the share is there, by the kernel's list for the client."""
        return f" {self.share} " in Path(f"/proc/{fclient.pid or self.client.pid}/mountinfo").read_text()

    def units(self) -> list[str]:
        """What systemctl was told, in order."""
        return self.systemctl_log.read_text().splitlines() if self.systemctl_log.exists() else []

    def in_client(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """A command on the client, where its mounts are."""
        return subprocess.run([*self._enter(), *map(str, words)], capture_output=True, text=True, check=False)

    def begin_in_client(self, *words: str | Path) -> subprocess.Popen[bytes]:
        """The same, without waiting for its end."""
        return subprocess.Popen([*self._enter(), *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def _enter(self) -> list[str]:
        return ["nsenter", f"--mount=/proc/{self.client.pid}/ns/mnt", f"--net=/proc/{self.client.pid}/ns/net"]

    def cut(self) -> None:
        """Drop every packet, in both directions, without a word to anybody."""
        self.lose("drop")
        self.is_cut = True

    def mend(self) -> None:
        self.is_cut = False
        run("ip", "netns", "exec", self.names[0], "nft", "flush", "ruleset")

    def lose(self, what: str) -> None:
        """Have nft do something with the server's packets: `drop`, or `numgen random mod 100 < 5 drop`."""
        hooks = "".join(f"chain {hook} {{ type filter hook {hook} priority 0; {what}; }}; " for hook in ("input", "output"))
        run("ip", "netns", "exec", self.names[0], "nft", f"table ip cable {{ {hooks}}}")


@contextmanager
def two_hosts(top: Path) -> Iterator[TwoHosts]:
    """Two hosts with a cable between them, below the directory `top`."""
    top.chmod(0o755)
    mark = top.name[-6:]
    names = (f"pm-s-{mark}", f"pm-c-{mark}")
    with ExitStack() as stack:
        for name in names:
            run("ip", "netns", "add", name)
            stack.callback(run, "ip", "netns", "delete", name)
        run("ip", "link", "add", "eth0", "netns", names[0], "type", "veth", "peer", "name", "eth0", "netns", names[1])
        for name, address in zip(names, (SERVER, CLIENT), strict=True):
            run("ip", "-n", name, "address", "add", f"{address}/24", "dev", "eth0")
            for device in ("lo", "eth0"):
                run("ip", "-n", name, "link", "set", device, "up")
        houses = []
        for name, directory in zip(names, ("server", "client"), strict=True):
            (top / directory).mkdir()
            # ip netns exec gives it a mount namespace of its own; a private one lets no mount out
            enter = ("ip", "netns", "exec", name, "unshare", "--mount", "--propagation", "private")
            houses.append(stack.enter_context(contextmanager(new_house)(top / directory, enter)))
        hosts = TwoHosts(houses[0], houses[1], names)
        stack.callback(hosts.end_mounters)
        (hosts.drive / "Music").mkdir(parents=True)
        hosts.share.mkdir(parents=True)
        _make_systemctl(hosts)
        sftp = ["tcpserver", "-RHl0", "0", str(_SFTP_PORT), "/usr/lib/openssh/sftp-server"]
        server = subprocess.Popen(["ip", "netns", "exec", names[0], *sftp])
        stack.callback(server.wait)
        stack.callback(server.terminate)
        yield hosts


def _make_systemctl(hosts: TwoHosts) -> None:
    program = hosts.client.root / "bin/systemctl"
    program.parent.mkdir()
    words = {"log": hosts.systemctl_log, "share": hosts.share, "port": _SFTP_PORT, "server": hosts.share_host, "drive": hosts.drive}
    program.write_text(_SYSTEMCTL.format(**words))
    program.chmod(0o755)


def seconds_until(condition: object, limit: float, what: str = "") -> float:
    """How long it took until `condition` held."""
    began = time.monotonic()
    until(condition, limit, what)  # type: ignore[arg-type]
    return time.monotonic() - began
