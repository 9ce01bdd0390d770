#!/usr/bin/env python3
"""A file server and its client with a real NFSv4 share, mounted hard by autofs: what hangs when the server is out of reach, how long.

    tests/fserver/bench/nfs_machine.py

Needs root and qemu-system-x86. Without KVM it takes minutes, and its processors are slow: see when fclient noticed and what came after.
The client is a network namespace of the same machine, with a cable of its own. Allowed: 5 s from the cut until it is unmounted, 1 s
for an ls of the directory above at any time.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parents[3] / "lib")]

from tests.kit import CACHE, TOP  # noqa: E402  # only findable now
from tests.whole import emulated  # noqa: E402  # only findable now
from tests.whole.debian_root import debian_root  # noqa: E402  # only findable now

_PACKAGES = "dbus autofs nfs-common nfs-kernel-server iproute2 udev linux-image-cloud-amd64"
_FSTAB = "/dev/vda / ext4 defaults 0 1\n/dev/vdb /MDrive ext4 noatime,noauto,x-systemd.automount 0 2\n"


def main() -> None:
    """Make the machine, let it run, print what it measured."""
    emulated.check("nfs_machine.py")
    emulated.prepare(f"packages; roots; package_layer nfs trixie {_PACKAGES}")
    with tempfile.TemporaryDirectory(prefix="pimains-bench-") as top:
        said = run_machine(Path(top))
    emulated.report(said, 64)


def run_machine(top: Path) -> str:
    """What it says on its second serial line, until it is off."""
    layers = [top / "layer/upper", CACHE / "root-trixie-nfs/upper", CACHE / "root-trixie"]
    (top / "layer").mkdir()
    with debian_root("trixie", top / "layer", on=layers[1], keep=True) as root:
        root.install("/srv/dist/pimains_*.deb")
        (root.top / "etc/fstab").write_text(_FSTAB)
        (root.top / "etc/hostname").write_text("music\n")
        (root.top / "etc/systemd/system/day.service").write_text(emulated.UNIT.format(program="nfs_inside.py"))
        shutil.copy(TOP / "tests/fserver/nfs_inside.py", root.top / "srv")
        root.run("systemctl -q enable day.service && systemctl -q disable autofs")
    subprocess.run(["mke2fs", "-q", "-t", "ext4", top / "drive", "64M"], check=True)
    return emulated.boot(top, layers, drives=[top / "drive"])


if __name__ == "__main__":
    main()
