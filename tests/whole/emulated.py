"""A machine with a kernel of its own, emulated by qemu: for what the kernel that the tests run on has not.

top is an empty directory; layers are what the machine's disk is made of, as for an overlay, the uppermost first.

    said = boot(top, [top / "layer/upper", CACHE / "root-trixie-nfs/upper", CACHE / "root-trixie"])

One of the layers holds the kernel. Where this machine has KVM its processors are ours; else they are emulated, and slow.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.kit import CACHE, TOP

# what runs what was put into /srv, and is told on the second serial line
UNIT = """[Unit]
After=multi-user.target
[Service]
ExecStart=/usr/bin/python3 /srv/{program}
StandardOutput=file:/dev/ttyS1
StandardError=file:/dev/ttyS1
TimeoutStopSec=5
ExecStopPost=systemctl poweroff --no-block
[Install]
WantedBy=multi-user.target
"""
# words: LAYERS DIRECTORY SIZE; a file system of what is in the layers
_IMAGE = r"""
set -e
mkdir "$2/root"
mount -t overlay overlay -o "lowerdir=$1" "$2/root"
mke2fs -q -t ext4 -d "$2/root" "$2/image" "$3"
"""


def check(bench: str) -> None:
    """Ends with one line where no machine can be made."""
    if os.geteuid() != 0 or not shutil.which("qemu-system-x86_64"):
        sys.exit(f"{bench}: only root may make the machine, and it runs in qemu (apt install qemu-system-x86)")


def has_kvm() -> bool:
    """Whether its processors may be ours; a KVM that does without the processor's help (pvm) does not get Debian's kernel started."""
    return os.access("/dev/kvm", os.R_OK | os.W_OK) and not {"vmx", "svm"}.isdisjoint(Path("/proc/cpuinfo").read_text().split())


def prepare(commands: str) -> None:
    """Functions of tests/prepare.sh."""
    cache = {**os.environ, "PIMAINS_CACHE": str(CACHE)}
    words = ["bash", "-euc", f". tests/prepare.sh; {commands}"]
    subprocess.run(words, cwd=TOP, env=cache, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)


def report(said: str, width: int) -> None:
    """Print the rows that the machine told, and end with what it said where it did not come to its end."""
    rows = [json.loads(line) for line in said.splitlines() if line.startswith("[")]
    for name, value in rows:
        print(f"{name:{width}} {value}")
    if not rows or rows[-1][0] != "done":
        sys.exit(f"it did not come to its end:\n{said}")


def image(top: Path, layers: Sequence[Path]) -> Path:
    """A disk with a file system of what is in the layers."""
    subprocess.run(["unshare", "--mount", "sh", "-c", _IMAGE, "image", ":".join(map(str, layers)), top, "1500M"], check=True)
    return top / "image"


def machine(layers: Sequence[Path], append: str = "", *, own_time: bool = False) -> list[str]:
    """The words that start it, with the kernel of a layer, and what more that is told; without disks, network and serial lines."""
    (kernel,) = (each for layer in layers for each in (layer / "boot").glob("vmlinuz-*"))
    ramdisk = kernel.with_name(kernel.name.replace("vmlinuz", "initrd.img"))
    by = ["-accel", "kvm", "-cpu", "host"] if has_kvm() and not own_time else ["-accel", "tcg", "-cpu", "max"]
    time = ["-icount", "shift=1,sleep=off", "-rtc", "clock=vm"] if own_time else ["-smp", "2"]
    words = ["qemu-system-x86_64", "-M", "q35", *by, *time, "-m", "1024", "-display", "none"]
    told = f"root=/dev/vda rw console=ttyS0 panic=-1 {append}".rstrip()
    return [*words, "-kernel", str(kernel), "-initrd", str(ramdisk), "-append", told, "-no-reboot"]


def boot(top: Path, layers: Sequence[Path], *, drives: Sequence[Path] = (), own_time: bool = False, seconds: float = 900) -> str:
    """What it says on its second serial line, until it is off.

    With `own_time` the machine has one processor, which is emulated in any case, and its clocks go by what that has done, 500
    instructions in a microsecond, and do not wait when it has nothing to do: how busy we are changes nothing in there.
    """
    words = [*machine(layers, own_time=own_time), "-nic", "none", "-serial", f"file:{top}/console", "-serial", f"file:{top}/said"]
    for each in (image(top, layers), *drives):
        words += ["-drive", f"file={each},format=raw,if=virtio,cache=unsafe"]
    try:
        subprocess.run(words, stdin=subprocess.DEVNULL, timeout=seconds, check=True)
    except subprocess.TimeoutExpired:
        print((top / "console").read_text(errors="replace")[-5000:], file=sys.stderr)
    return (top / "said").read_text(errors="replace")
