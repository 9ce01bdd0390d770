"""Machines that boot and power off: systemd-nspawn, systemd as process 1, a bridge between them and nobody else on it.

with machines(aside, layers, {"music": "10.92.0.1", "kitchen": "10.92.0.2"}) as (music, kitchen):
    music.boot()
    music.run("systemctl is-system-running --wait")       # as root, in there; raises if it fails
    music.run("systemctl poweroff"); music.until_off(20)
    music.ledger()                                        # read from its file system, when it is off

Each has a file system of its own on top of `layers`, in memory, which outlasts a power-off, and an unused ext4 drive, /dev/drive.
They live in a process namespace of their own: whatever happens, they end with the process that holds it, and a shutdown in there is
one of theirs.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pimains.core.ledger import Entry, Ledger
from tests.kit import until

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NAMESPACES = ("pid", "mnt", "net", "ipc", "uts")
_DRIVE_MEGABYTES = 16
_WANTS_TO_BOOT_AGAIN = 133  # what systemd-nspawn --keep-unit says to the service that started it
# words: DIRECTORY LAYERS MACHINE...; answers the drives' loop devices, then does what it is told by lines until its input is closed
HOLD = r"""
set -e
mount -t tmpfs tmpfs "$1"
mount -t proc proc /proc
cd "$1"
lower=$2
shift 2
ip link add lan type bridge
ip link set lan up
for machine; do
    mkdir "$machine" "$machine/upper" "$machine/work" "$machine/root"
    mount -t overlay overlay -o "lowerdir=$lower,upperdir=$machine/upper,workdir=$machine/work" "$machine/root"
    truncate -s MEGABYTESM "$machine/drive"
    mkfs.ext4 -q "$machine/drive"
    # let go of at once, it lasts as long as it is open: nothing is left over, however this ends
    drive=$(losetup --find --show "$machine/drive")
    exec {kept}<"$drive"
    losetup --detach "$drive"
    echo "$drive"
done
exec 3>&1
while read -r words; do $words >&2 && echo done >&3 || echo failed >&3; done
""".replace("MEGABYTES", str(_DRIVE_MEGABYTES))
# words: NAME COMMAND...; each machine has control groups of its own, or two would take each other's processes for theirs
_IN_CONTROL_GROUPS = r"""
set -e
while read -r _ _ _ _ place _ rest; do
    case "$rest" in
    *"- cgroup2 "* | *"- cgroup "*name=systemd*)
        mkdir -p "$place/$0"
        echo $$ >"$place/$0/cgroup.procs" ;;
    esac
done </proc/self/mountinfo
exec "$@"
"""


class CannotBoot(Exception):
    """This machine cannot hold others; the text says why."""


class Machine:
    """One of them; `top` is its / as seen from outside, which is there while it is off too."""

    def __init__(self, holder: "Holder", name: str, address: str, drive: str) -> None:
        self._holder = holder
        self.name = name
        self.address = address
        self.directory = holder.directory / name
        self.top = self.directory / "root"
        self._drive = drive
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._inside: list[int] = []  # its namespaces: once it is off, nothing can be started in them any more
        self.write("etc/hostname", name)
        self.write("etc/systemd/network/10-lan.network", f"[Match]\nName=host0\n[Network]\nAddress={address}/24")

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """A file of its administrator's."""
        (self.top / path).parent.mkdir(parents=True, exist_ok=True)
        (self.top / path).write_text(text + "\n")
        (self.top / path).chmod(mode)

    def boot(self) -> None:
        """Switch it on; returns when its process 1 runs."""
        assert self.is_off, f"{self.name} is on"
        words = [
            "systemd-nspawn",
            "-q",
            "--register=no",
            "--keep-unit",
            "-b",
            "-D",
            str(self.directory.relative_to(self._holder.directory) / "root"),
        ]
        words += [f"--machine={self.name}", "--network-bridge=lan", f"--bind={self._drive}:/dev/drive"]
        words += [f"--bind={device}" for device in ("/dev/fuse", "/dev/autofs") if Path(device).exists()]
        with (self.directory / "console").open("ab") as console:
            self._nspawn = subprocess.Popen(
                [*self._holder.enter, "sh", "-c", _IN_CONTROL_GROUPS, f"{self.name}-{self._holder.mark}", *words],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
            )
        until(lambda: self.is_off or self._process_1(), what=f"{self.name} to boot")
        leader = self._process_1()
        if not leader:
            raise CannotBoot(self.console[-2000:])
        self._inside = [os.open(f"/proc/{leader}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind in _NAMESPACES]
        for kind, handle in zip(_NAMESPACES, self._inside, strict=True):
            assert os.fstat(handle).st_ino != Path(f"/proc/self/ns/{kind}").stat().st_ino, f"{self.name} shares our {kind} namespace"
        until(lambda: Path(f"/proc/{leader}/root/run/systemd/private").exists(), what=f"{self.name} to obey systemctl")

    def run(self, command: str, *, check: bool = True, seconds: float = 60, stdin: str = "") -> str:
        """What a shell command says, both streams; AssertionError with that if it fails."""
        assert self._inside, f"{self.name} is off"
        enter = [
            f"--{'mount' if kind == 'mnt' else kind}=/proc/self/fd/{handle}" for kind, handle in zip(_NAMESPACES, self._inside, strict=True)
        ]
        environment = ["/usr/bin/env", "-i", f"PATH={PATH}", "HOME=/root", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"]
        done = subprocess.run(
            ["nsenter", *enter, *environment, "/bin/sh", "-c", command],
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            pass_fds=self._inside,
            timeout=seconds,
        )
        assert done.returncode == 0 or not check, f"{self.name}: {command}\n{done.stdout}\nexit {done.returncode}"
        return done.stdout

    def read(self, path: str) -> str:
        """A file in there as its processes see it, '' when it is not there."""
        leader = self._process_1()
        try:
            return Path(f"/proc/{leader}/root", path).read_text(errors="replace").strip() if leader else ""
        except OSError:
            return ""

    def status(self, instance: str) -> str:
        """The status line of a service."""
        return self.read(f"run/pimains/{instance}/status")

    def has_mounted(self, place: str) -> str:
        """The type of the file system that is mounted there, '' if none is."""
        mounts = [line.split(" - ") for line in self.read("proc/1/mountinfo").splitlines()]
        kinds = [after.split()[0] for before, after in mounts if before.split()[4] == place]
        return kinds[-1] if kinds and kinds[-1] != "autofs" else ""

    def ledger(self) -> list[Entry]:
        """All that it has written down, oldest first."""
        assert self.is_off, f"{self.name} is on"
        # read in a copy: SQLite resolves the path, and from out here it leads elsewhere
        with tempfile.TemporaryDirectory() as aside:
            for path in (self.top / "var/lib/pimains").glob("ledger.sqlite*"):
                shutil.copy(path, aside)
            if (services := self.top / "var/lib/pimains/ledger").is_dir():
                shutil.copytree(services, Path(aside, "ledger"))
            return Ledger(Path(aside, "ledger.sqlite")).entries(limit=1000)[::-1]

    def drive_says(self) -> dict[str, str]:
        """What dumpe2fs(8) tells about its drive."""
        assert self.is_off, f"{self.name} is on"
        said = subprocess.run(["dumpe2fs", "-h", self.directory / "drive"], capture_output=True, text=True, check=True).stdout
        return {name: value.strip() for name, _, value in (line.partition(":") for line in said.splitlines())}

    @property
    def console(self) -> str:
        """Everything that was on its screen."""
        return (self.directory / "console").read_text(errors="replace")

    @property
    def is_off(self) -> bool:
        """Whether it has powered off, or was never on."""
        return self._nspawn is None or self._nspawn.poll() is not None

    def until_off(self, seconds: float) -> float:
        """Wait until it has powered off by itself; returns how long that took."""
        return self._until_ended(seconds, 0, "power off")

    def until_it_starts_again(self, seconds: float) -> float:
        """Wait until it has rebooted by itself: it is off then, and `boot` lets it go on; returns how long that took."""
        return self._until_ended(seconds, _WANTS_TO_BOOT_AGAIN, "reboot")

    def _until_ended(self, seconds: float, code: int, what: str) -> float:
        began = time.monotonic()
        until(lambda: self.is_off, seconds, lambda: f"{self.name} to {what}; on its screen: {self.console[-1500:]}")
        self._let_go()
        assert self._nspawn is not None
        assert self._nspawn.returncode == code, self.console[-2000:]
        return time.monotonic() - began

    def switch_off(self) -> None:
        """Its power button, if it is on: systemd-nspawn has it power off in order. Never by force: what runs in it would go on."""
        if not self.is_off and self._nspawn is not None:
            for child in _children(self._nspawn.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGTERM)
            self._nspawn.wait(100)
        self._let_go()

    def plug_cable(self, *, in_: bool) -> None:
        """Put its cable into the switch or pull it out; the cable's own end sees nothing of it, as behind a second switch."""
        self._holder.do(f"ip link set vb-{self.name} {'master lan' if in_ else 'nomaster'}")

    def _process_1(self) -> int:
        """Its process 1, as this machine knows it; 0 when there is none."""
        if self.is_off or self._nspawn is None:
            return 0
        below = [grandchild for child in _children(self._nspawn.pid) for grandchild in _children(child)]
        for process in below:
            with contextlib.suppress(OSError):
                if Path(f"/proc/{process}/comm").read_text() == "systemd\n" and _number_inside(process) == "1":
                    return process
        return 0

    def _let_go(self) -> None:
        for handle in self._inside:
            os.close(handle)
        self._inside = []


class Holder:
    """The process that holds what the machines stand on: mounts, the bridge, the drives."""

    def __init__(self, directory: Path, layers: Sequence[Path], names: Sequence[str]) -> None:
        hold = ["/bin/bash", "-c", HOLD, "hold", str(directory), ":".join(map(str, layers)), *names]
        self._process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", *hold],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin and self._process.stdout and self._process.stderr
        self.mark = f"pimains-{self._process.pid}"
        self.drives = [line for _ in names if (line := self._process.stdout.readline().strip())]
        if len(self.drives) != len(names):
            raise CannotBoot(self._process.communicate()[1].strip())
        (inside,) = _children(self._process.pid)
        self.directory = Path(f"/proc/{inside}/root{directory}")
        self.enter = ["nsenter", "--target", str(inside), "--mount", "--pid", "--net", f"--wd={self.directory}"]

    def do(self, words: str) -> None:
        """A command in there."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(f"{words}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n", words

    def close(self) -> None:
        """Everything that is left in there ends now."""
        self._process.communicate()
        # walk passes over what others take away meanwhile, which rglob does not
        for group, _, _ in os.walk("/sys/fs/cgroup", topdown=False):
            if any(part.endswith(f"-{self.mark}") for part in Path(group).parts):
                with contextlib.suppress(OSError):  # what was in it is still ending
                    Path(group).rmdir()


@contextlib.contextmanager
def machines(aside: Path, layers: Sequence[Path], addresses: Mapping[str, str]) -> Iterator[list[Machine]]:
    """Machines that are off, made of `layers` (the topmost first)."""
    holder = Holder(aside, layers, list(addresses))
    made = [Machine(holder, name, address, drive) for (name, address), drive in zip(addresses.items(), holder.drives, strict=True)]
    try:
        yield made
    finally:
        for machine in made:
            machine.switch_off()
        holder.close()


def _children(process: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    return []


def _number_inside(process: int) -> str:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(line.split()[-1] for line in lines if line.startswith("NSpid:"))
