#!/usr/bin/env python3
"""The relays service at a GPIO chip of the kernel's, which makes a line an input when its last holder ends.

    tests/relays/bench/relays_machine.py [KILLS]

Needs root and qemu-system-x86: the machine is that of tests/meter/bench/gpio_machine.py, with our processors where there is KVM. It is
restarted, killed with -9 (KILLS times, 100, while two relays are switched), upgraded, edited and removed; the other relays' pins are
looked at all the time.
"""

import shutil
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
    emulated.check("relays_machine.py")
    emulated.prepare(f"packages; roots; package_layer gpio bookworm {PACKAGES}")
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with tempfile.TemporaryDirectory(prefix="pimains-bench-") as top:
        said = run_machine(Path(top), kills)
    emulated.report(said, 90)


def run_machine(top: Path, kills: int) -> str:
    """What it says."""
    layers = [top / "layer/upper", CACHE / "root-bookworm-gpio/upper", CACHE / "root-bookworm"]
    (top / "layer").mkdir()
    with debian_root("bookworm", top / "layer", on=layers[1], keep=True) as root:
        root.install("/srv/dist/pimains_*.deb")
        (package,) = (TOP / "dist").glob("pimains_*.deb")
        shutil.copy(package, root.top / "srv")
        shutil.copy(TOP / "tests/relays/relays_inside.py", root.top / "srv")
        shutil.copy(TOP / "tests/meter/gpio_module.sh", root.top / "srv")
        (root.top / "srv/kills").write_text(str(kills))
        (root.top / "etc/fstab").write_text("/dev/vda / ext4 defaults 0 1\n")
        (root.top / "etc/hostname").write_text("fusebox\n")
        (root.top / "etc/systemd/system/day.service").write_text(emulated.UNIT.format(program="relays_inside.py"))
        root.run(f"/srv/gpio_module.sh && rm -rf {ONLY_TO_BUILD} && systemctl -q enable day.service")
    return emulated.boot(top, layers, own_time=not emulated.has_kvm(), seconds=3000 + 10 * kills)


if __name__ == "__main__":
    main()
