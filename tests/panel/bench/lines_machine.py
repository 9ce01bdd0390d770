#!/usr/bin/env python3
"""The panel's lines at a GPIO chip of the kernel's, and what the service takes on a machine of 500 million instructions a second.

    tests/panel/bench/lines_machine.py

Needs root, gcc and qemu-system-x86: the machine is that of tests/meter/bench/gpio_machine.py. Its clocks go by what its processor has done,
so that it does not matter how busy the one is that emulates it. For the processor time boards have to answer, which gpio-sim's pins do not:
there the service is at tests/panel/gpiochip.c.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parents[3] / "lib")]

from tests.kit import CACHE, TOP  # noqa: E402  # only findable now
from tests.meter.bench.gpio_machine import ONLY_TO_BUILD, PACKAGES  # noqa: E402  # only findable now
from tests.whole import emulated  # noqa: E402  # only findable now
from tests.whole.debian_root import debian_root  # noqa: E402  # only findable now


def main() -> None:
    """Make the machine, let it run, print what it tells."""
    emulated.check("lines_machine.py")
    emulated.prepare(f"packages; roots; package_layer gpio bookworm {PACKAGES}")
    (TOP / "dist").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pimains-bench-") as top:
        emulated.report(run_machine(Path(top)), 90)


def run_machine(top: Path) -> str:
    """What it says."""
    layers = [top / "layer/upper", CACHE / "root-bookworm-gpio/upper", CACHE / "root-bookworm"]
    (top / "layer").mkdir()
    with debian_root("bookworm", top / "layer", on=layers[1], keep=True) as root:
        shutil.copytree(TOP / "lib", root.top / "srv/lib")
        shutil.copy(TOP / "tests/panel/lines_inside.py", root.top / "srv")
        shutil.copy(TOP / "tests/meter/gpio_module.sh", root.top / "srv")
        words = ["gcc", "-O2", "-shared", "-fPIC", "-o", str(top / "gpiochip.so"), str(TOP / "tests/panel/gpiochip.c")]
        subprocess.run(words, check=True)
        shutil.copy(top / "gpiochip.so", root.top / "srv")
        (root.top / "etc/fstab").write_text("/dev/vda / ext4 defaults 0 1\n")
        (root.top / "etc/hostname").write_text("hall\n")
        (root.top / "etc/systemd/system/day.service").write_text(emulated.UNIT.format(program="lines_inside.py"))
        compiled = "python3 -m compileall -q /srv/lib"
        root.run(f"/srv/gpio_module.sh && rm -rf {ONLY_TO_BUILD} && useradd -r pimains && {compiled} && systemctl -q enable day.service")
    return emulated.boot(top, layers, own_time=True, seconds=1200)


if __name__ == "__main__":
    main()
