"""A Debian to install packages in: a copy of a cached one, in namespaces of its own, gone when the test ends.

with debian_root("bookworm") as root:
    root.run("apt-get install -y ./x.deb")      # as root, in there; raises if it fails
    (root.top / "etc/hostname").read_text()

Nothing in it reaches the network or a process of this machine, and everything that was started in it ends with it.
"""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.kit import CACHE, TOP, until

RELEASES = ("bookworm", "trixie")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# what differs from the cached root lives in memory, or in a layer that others are put on; bash is process 1 in there,
# collects the dead, and ends when the test closes its input
HOLD = r"""
set -e
ip link set lo up
[ "$4" = layer ] || mount -t tmpfs tmpfs "$2"
mkdir "$2/upper" "$2/work" "$2/root"
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
cd "$2/root"
mount -t proc proc proc
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mount -t tmpfs tmpfs dev
for device in null zero full random urandom; do : >dev/$device; mount --bind /dev/$device dev/$device; done
mkdir -p run/lock srv/dist
mount --bind "$3" srv/dist
exec chroot . /bin/bash -c 'echo ready; while read -r _; do :; done'
"""
# what shell scripts begin with that boot a copy of a root
MACHINE = r"""
set -e
overlay() { # DIRECTORY LOWER: DIRECTORY/root shows LOWER, what is changed in there stays in memory
    mount -t tmpfs tmpfs "$1"
    cd "$1"
    mkdir upper work root
    mount -t overlay overlay -o "lowerdir=$2,upperdir=upper,workdir=work" root
    systemctl --root=root -q mask systemd-networkd-wait-online.service
}
boot() { # SECONDS: root, until it is powered off
    timeout --signal=TERM "$1" systemd-nspawn -q --register=no --keep-unit -D root -b --private-network >console 2>&1 || tail -n 20 console
}
"""


class DebianRoot:
    """One copy; `top` is its / as seen from outside."""

    def __init__(self, process: int) -> None:
        self.top = Path(f"/proc/{process}/root")
        self._enter = ["nsenter", "--target", str(process), "--mount", "--pid", "--net", f"--root={self.top}", f"--wd={self.top}"]
        self.started: list[subprocess.Popen[bytes]] = []

    def run(self, command: str, *, check: bool = True, path: str = PATH) -> str:
        """What a shell command says, both streams; AssertionError with that if it fails."""
        done = subprocess.run(
            [*self._enter, *self._environment(path), "/bin/sh", "-c", command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0 or not check, f"{command}\n{done.stdout}\nexit {done.returncode}"
        return done.stdout

    def says(self, words: str, command: str, seconds: float = 60) -> None:
        """Wait until a command says `words`."""
        until(lambda: words in self.run(command, check=False), seconds, f"{command} to say {words}")

    def install(self, packages: str) -> str:
        """apt-get install, from the .debs that are named; there is no network."""
        return self.run(f"apt-get install -y --no-install-recommends -o Dpkg::Use-Pty=0 {packages}")

    def connect(self, address: str) -> None:
        """Give it a network interface; nobody is at its other end."""
        net = ["nsenter", "--target", self.top.parent.name, "--net", "ip"]
        for words in ("link add lan0 type veth peer name lan1", f"addr add {address} dev lan0", "link set lan0 up", "link set lan1 up"):
            subprocess.run([*net, *words.split()], check=True)

    def start_svscan(self) -> None:
        """What daemontools-run does at boot, for /etc/service."""
        words = [*self._enter, *self._environment(PATH), "setsid", "svscan", "/etc/service"]
        self.started.append(subprocess.Popen(words, stdin=subprocess.DEVNULL))

    @staticmethod
    def _environment(path: str) -> list[str]:
        return ["/usr/bin/env", "-i", f"PATH={path}", "HOME=/root", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"]


@contextlib.contextmanager
def debian_root(release: str, aside: Path, *, on: Path | None = None, keep: bool = False, more: str = "") -> Iterator[DebianRoot]:
    """A copy of the cached root; /srv/dist in it is dist/.

    With `keep` what was changed stays as a layer in `aside`/upper, and `on` such a layer another copy can begin. `more` names
    a layer of packages that tests/run has put on that root.
    """
    cached = CACHE / f"root-{release}"
    assert cached.is_dir(), "tests/run makes the roots"
    lower = ":".join(str(layer) for layer in (on, more and CACHE / f"root-{release}-{more}/upper", cached) if layer)
    hold = ["/bin/sh", "-c", HOLD, "hold", lower, aside, TOP / "dist", "layer" if keep else "memory"]
    with subprocess.Popen(
        ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", *hold],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout and holder.stdout.readline() == "ready\n"
        (inside,) = Path(f"/proc/{holder.pid}/task/{holder.pid}/children").read_text().split()
        root = DebianRoot(int(inside))
        yield root
    for process in root.started:
        process.wait()
