#!/usr/bin/env python3
"""The meter at a GPIO chip of the kernel's, and a pulse generator at the chip's other side.

    tests/meter/bench/gpio_machine.py [PULSES]

Needs root and qemu-system-x86: the machine is emulated, and its kernel is Debian's with the simulated GPIO chip (gpio-sim) built for it
from Debian's sources. The first time that fetches 350 MB. PULSES (20000) are those with kill -9 in between; there are some hundred more,
with bounces. Also: what lgpio makes of the same pulses, and what a user is told when the chip is not there, not his, in use, or goes.
"""

import shutil
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parents[3] / "lib")]

from tests.kit import CACHE, TOP  # noqa: E402  # only findable now
from tests.whole import emulated  # noqa: E402  # only findable now
from tests.whole.debian_root import debian_root  # noqa: E402  # only findable now

_KERNEL = "linux-image-amd64 linux-headers-amd64 linux-source-6.1 make xz-utils"
PACKAGES = f"dbus udev systemd-sysv {_KERNEL}"
_PYTHONS = "usr/local/lib/python3.11/dist-packages"
ONLY_TO_BUILD = "/usr/src /usr/lib/gcc /usr/lib/linux-kbuild-*"


def main() -> None:
    """Make the machine, let it run, print what it tells."""
    emulated.check("gpio_machine.py")
    emulated.prepare(f"packages; roots; lgpio; package_layer gpio bookworm {PACKAGES}")
    with tempfile.TemporaryDirectory(prefix="pimains-bench-") as top:
        said = run_machine(Path(top), int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
    emulated.report(said, 90)


def run_machine(top: Path, pulses: int) -> str:
    """What it says."""
    layers = [top / "layer/upper", CACHE / "root-bookworm-gpio/upper", CACHE / "root-bookworm"]
    (top / "layer").mkdir()
    with debian_root("bookworm", top / "layer", on=layers[1], keep=True) as root:
        root.install("/srv/dist/pimains_*.deb")
        for program in ("gpio_inside.py", "gpio_pulses.py", "gpio_module.sh"):
            shutil.copy(TOP / "tests/meter" / program, root.top / "srv")
        (root.top / "srv/pulses").write_text(str(pulses))
        (root.top / "etc/fstab").write_text("/dev/vda / ext4 defaults 0 1\n")
        (root.top / "etc/hostname").write_text("fusebox\n")
        (root.top / "etc/systemd/system/day.service").write_text(emulated.UNIT.format(program="gpio_inside.py"))
        shutil.copytree(CACHE / "lgpio-0.2.2.0", root.top / _PYTHONS, dirs_exist_ok=True)
        root.run(f"/srv/gpio_module.sh && rm -rf {ONLY_TO_BUILD} && systemctl -q enable day.service")
    return emulated.boot(top, layers, own_time=True, seconds=3000)


if __name__ == "__main__":
    main()
