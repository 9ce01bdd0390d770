"""A file server's drive for tests: ext4 on a loop device, in a mount namespace of the test, with a systemctl and a uhubctl beside it."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pimains.core import templates
from pimains.create_service import making
from tests.kit import TOP, until

# the words of systemctl that pimains says, for the units in the directory units: a file each, holding what triggers it
_SYSTEMCTL = """#!/bin/sh
cd {root}/units || exit 1
full() {{ case $1 in *.*) echo "$1" ;; *) echo "$1.service" ;; esac; }}
case $1 in
show)
    shift 3
    for name; do
        name=$(full "$name")
        state=inactive; [ ! -e "$name" ] || state=active
        printf 'Id=%s\\nActiveState=%s\\nTriggeredBy=%s\\n\\n' "$name" "$state" "$(cat "triggers-$name" 2>/dev/null)"
    done ;;
stop | start)
    name=$(full "$2")
    echo "$1 $name" >>{root}/systemctl.log
    for started in triggers-*; do
        [ "$1" = start ] && [ -e "${{started#triggers-}}" ] && [ "$(cat "$started")" = "$name" ] || continue
        echo "$name: what it starts runs already, refusing."
        exit 1
    done
    if [ "$1" = start ]; then : >"$name"; else rm -f "$name"; fi
    [ ! -x "on-$1-$name" ] || exec "./on-$1-$name" ;;
esac
"""


# uhubctl 2.5's command line and words, for hubs at locations 2 and 4; every call is written down
_UHUBCTL = """#!/bin/sh
echo "$* with $(grep -c ' {place} ' /proc/self/mountinfo) mounted" >>{root}/uhubctl.log
location=
while getopts a:l:p: option; do
    case $option in
    a) case $OPTARG in 0 | 1) ;; *) echo "No action specified"; exit 1 ;; esac ;;
    l) location=$OPTARG ;;
    p) ;;
    *) printf 'Invalid command line syntax!\\nRun with -h to get usage info.\\n' >&2; exit 1 ;;
    esac
done
[ "$location" = 2 ] || [ "$location" = 4 ] || {{
    printf 'No compatible devices detected at location %s!\\nRun with -h to get usage info.\\n' "$location" >&2
    exit 1
}}
echo "Current status for hub $location [1d6b:0003 Linux xHCI Host Controller]"
"""


class Server:
    """The drive is at `place` in the namespaces of the process `pid` only."""

    def __init__(self, root: Path, pid: int) -> None:
        self.root = root
        self.pid = pid
        self.place = root / "drive"
        self.units = root / "units"
        self.disks: list[str] = []
        for directory in (self.place, self.units, root / "bin", root / "run/pimains", root / "etc/service"):
            directory.mkdir(parents=True, exist_ok=True)
        self.program("systemctl", _SYSTEMCTL.format(root=root))
        self.program("uhubctl", _UHUBCTL.format(root=root, place=self.place))

    @classmethod
    def below(cls, root: Path, pid: int) -> "Iterator[Server]":
        """For fixtures: takes its disks away again."""
        server = cls(root, pid)
        try:
            yield server
        finally:
            for device in server.disks:
                server.inside("umount", device)
                subprocess.run(["losetup", "--detach", device], check=True)

    def program(self, name: str, text: str) -> None:
        path = self.root / "bin" / name
        path.write_text(text)
        path.chmod(0o755)

    def inside(self, *words: str | Path, **more: str) -> "subprocess.CompletedProcess[str]":
        """A command where the drive is mounted."""
        return subprocess.run(
            ["nsenter", f"--mount=/proc/{self.pid}/ns/mnt", *map(str, words)],
            env={**os.environ, **self.environment, **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    @contextmanager
    def user(self, *words: str | Path) -> "Iterator[subprocess.Popen[bytes]]":
        """A program that is at work where the drive is mounted; it has a hold of it by now, and ends with the context at the latest."""
        process = subprocess.Popen(["nsenter", f"--mount=/proc/{self.pid}/ns/mnt", *map(str, words)], start_new_session=True)
        try:
            until(lambda: str(self.place) in self.inside("ls", "-l", f"/proc/{process.pid}/cwd", f"/proc/{process.pid}/fd").stdout)
            yield process
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    @property
    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": str(TOP / "lib"), "PIMAINS_ROOT": str(self.root), "PATH": f"{self.root}/bin:{os.environ['PATH']}"}

    def make_disk(self, name: str = "disk") -> str:
        """A loop device with a file system, there until the test ends."""
        image = self.root / name
        with image.open("wb") as file:
            file.truncate(16 << 20)
        subprocess.run(["mkfs.ext4", "-q", image], check=True)
        words = ["losetup", "--find", "--show", image]
        device = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        self.disks.append(device)
        return device

    def mount(self, device: str = "") -> None:
        done = self.inside("mount", "-o", "noatime", device or self.make_disk(), self.place)
        assert done.returncode == 0, done.stdout

    @property
    def mounted(self) -> str:
        """How the drive is mounted by the kernel's list: "", "ro,noatime", ..."""
        lines = [line.split() for line in Path(f"/proc/{self.pid}/mountinfo").read_text().splitlines()]
        return next((line[5] for line in reversed(lines) if line[4] == str(self.place) and "autofs" not in line), "")

    def put_on_usb(self, device: str, slaves: str = "") -> None:
        """Have sysfs, inside, say that a disk is behind USB; a mapped one lies on `slaves`."""
        name = Path(device).name
        there = f"/sys/devices/{'virtual' if slaves else 'pci0/usb2/2-1/2-1:1.0/host0'}/block/{name}"
        number = f"{os.major(os.stat(device).st_rdev)}:{os.minor(os.stat(device).st_rdev)}"
        script = f"""
            [ -d /sys/dev/block/here ] || {{ mount -t tmpfs sys /sys && mkdir -p /sys/dev/block/here /sys/block; }}
            mkdir -p {there}/slaves && echo {number} >{there}/dev
            ln -s {there} /sys/block/{name} && ln -s {there} /sys/dev/block/{number}
            [ -z "{slaves}" ] || ln -s /sys/block/{Path(slaves).name} {there}/slaves/{Path(slaves).name}
        """
        done = self.inside("sh", "-ec", script)
        assert done.returncode == 0, done.stdout

    def said_to_uhubctl(self) -> list[str]:
        log = self.root / "uhubctl.log"
        return log.read_text().splitlines() if log.exists() else []

    def add_fserver(self, name: str = "fserver", **variables: str) -> None:
        settings = {"MDRIVE": str(self.place), "STOP_UNITS": "", **variables}
        making.create(templates.all_of_them()["fserver"], self.root / "etc/service", name, settings)

    def add_unit(self, name: str, triggered_by: str = "", on_stop: str = "") -> None:
        """A unit that runs."""
        (self.units / name).touch()
        if triggered_by:
            (self.units / f"triggers-{name}").write_text(triggered_by)
        if on_stop:
            hook = self.units / f"on-stop-{name}"
            hook.write_text(f"#!/bin/sh\n{on_stop}\n")
            hook.chmod(0o755)

    def running(self) -> set[str]:
        """The units that run."""
        return {path.name for path in self.units.iterdir() if not path.name.startswith(("on-", "triggers-"))}

    def said_to_systemctl(self) -> list[str]:
        log = self.root / "systemctl.log"
        return log.read_text().splitlines() if log.exists() else []

    def step(self, name: str, seconds: float = 20, called_off: str = "", **more: str) -> "subprocess.CompletedProcess[str]":
        """Run a shipped halt step, as the halt service does."""
        more |= {"PIMAINS_REASON": "good night", **({"PIMAINS_CALLED_OFF": called_off} if called_off else {})}
        return self.inside(TOP / "services/fserver/halt.d" / name, PIMAINS_BUDGET_SECONDS=str(seconds), **more)

    def begin_step(self, name: str, seconds: float = 20) -> "subprocess.Popen[str]":
        """The same, without waiting for its end."""
        words = ["nsenter", f"--mount=/proc/{self.pid}/ns/mnt", TOP / "services/fserver/halt.d" / name]
        more = {"PIMAINS_REASON": "good night", "PIMAINS_BUDGET_SECONDS": str(seconds)}
        return subprocess.Popen(words, env={**os.environ, **self.environment, **more}, stdout=subprocess.PIPE, text=True)


@contextmanager
def file_server() -> Iterator[Server]:
    """A file server without a service that runs, and without a drive yet."""
    with tempfile.TemporaryDirectory(prefix="pimains-drives-", ignore_cleanup_errors=True) as top:
        Path(top).chmod(0o755)
        words = ["unshare", "--mount", "--propagation", "private", "--kill-child", "--fork", "cat"]
        with subprocess.Popen(words, stdin=subprocess.PIPE) as holder:
            children = Path(f"/proc/{holder.pid}/task/{holder.pid}/children")
            until(lambda: children.read_text().split(), what="the namespace")
            pid = int(children.read_text())
            until(lambda: Path(f"/proc/{pid}/comm").read_text() == "cat\n", what="the namespace to be private")
            with contextmanager(Server.below)(Path(top), pid) as server:
                yield server
            assert holder.stdin
            holder.stdin.close()
