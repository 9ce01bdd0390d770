#!/usr/bin/env python3
"""A file server and its client with a real NFSv4 share, mounted hard by autofs: what hangs when the server is out of reach, how long.

    tests/bench/nfs_machine.py

Needs root and qemu-system-x86. Without KVM it takes minutes, and its processors are slow: see when fclient noticed and what came after.
The client is a network namespace of the same machine, with a cable of its own. Allowed: 5 s from the cut until it is unmounted, 1 s
for an ls of the directory above at any time.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2] / "lib")]

from debian_root import debian_root  # noqa: E402  # only findable now
from kit import CACHE, TOP  # noqa: E402  # only findable now

_PACKAGES = "dbus autofs nfs-common nfs-kernel-server iproute2 udev linux-image-cloud-amd64"
_FSTAB = "/dev/vda / ext4 defaults 0 1\n/dev/vdb /MDrive ext4 noatime,noauto,x-systemd.automount 0 2\n"
_UNIT = """[Unit]
After=multi-user.target
[Service]
ExecStart=/usr/bin/python3 /srv/nfs_inside.py
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


def main() -> None:
    """Make the machine, let it run, print what it measured."""
    if os.geteuid() != 0 or not shutil.which("qemu-system-x86_64"):
        sys.exit("nfs_machine.py: only root may make the machine, and it runs in qemu (apt install qemu-system-x86)")
    prepare = f". tests/prepare.sh; packages; roots; package_layer nfs trixie {_PACKAGES}"
    cache = {**os.environ, "PIMAINS_CACHE": str(CACHE)}
    subprocess.run(["bash", "-euc", prepare], cwd=TOP, env=cache, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    with tempfile.TemporaryDirectory(prefix="pimains-bench-") as top:
        said = run_machine(Path(top))
    rows = [json.loads(line) for line in said.splitlines() if line.startswith("[")]
    for name, value in rows:
        print(f"{name:64} {value}")
    if not rows or rows[-1][0] != "done":
        sys.exit(f"it did not come to its end:\n{said}")


def run_machine(top: Path) -> str:
    """What it says on its second serial line, until it is off."""
    layers = [top / "layer/upper", CACHE / "root-trixie-nfs/upper", CACHE / "root-trixie"]
    (top / "layer").mkdir()
    with debian_root("trixie", top / "layer", on=layers[1], keep=True) as root:
        root.install("/srv/dist/pimains_*.deb")
        (root.top / "etc/fstab").write_text(_FSTAB)
        (root.top / "etc/hostname").write_text("music\n")
        (root.top / "etc/systemd/system/day.service").write_text(_UNIT)
        shutil.copy(TOP / "tests/nfs_inside.py", root.top / "srv")
        root.run("systemctl -q enable day.service && systemctl -q disable autofs")
    subprocess.run(["unshare", "--mount", "sh", "-c", _IMAGE, "image", ":".join(map(str, layers)), top, "1500M"], check=True)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", top / "drive", "64M"], check=True)
    (kernel,) = (layers[1] / "boot").glob("vmlinuz-*")
    (ramdisk,) = (layers[1] / "boot").glob("initrd.img-*")
    words = ["qemu-system-x86_64", "-M", "q35", "-accel", "tcg", "-cpu", "max", "-smp", "2", "-m", "1024", "-nic", "none"]
    words += ["-display", "none"]
    words += ["-kernel", str(kernel), "-initrd", str(ramdisk), "-append", "root=/dev/vda rw console=ttyS0 panic=-1", "-no-reboot"]
    for image in (top / "image", top / "drive"):
        words += ["-drive", f"file={image},format=raw,if=virtio,cache=unsafe"]
    words += ["-serial", f"file:{top}/console", "-serial", f"file:{top}/said"]
    try:
        subprocess.run(words, stdin=subprocess.DEVNULL, timeout=900, check=True)
    except subprocess.TimeoutExpired:
        print((top / "console").read_text(errors="replace")[-5000:], file=sys.stderr)
    return (top / "said").read_text(errors="replace")


if __name__ == "__main__":
    main()
