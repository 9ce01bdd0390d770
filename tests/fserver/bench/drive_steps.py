#!/usr/bin/env python3
"""How long the halt steps take that concern a file server's drive: ext4 on a loop device, two units, a hub that a recorder switches.

tests/fserver/bench/drive_steps.py [RUNS]
"""

import statistics
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parents[3] / "lib")]

from tests.fserver.drives import Server, file_server  # noqa: E402  # only findable now

STEPS = {"without fserver": "50-drives", "unmount": "50-drives", "USB power off": "60-usb", "USB power on": "60-usb", "mount": "50-drives"}


def measure(server: Server, runs: int) -> dict[str, list[float]]:
    """Seconds of each step, `runs` times; fails when one does not do what it is for."""
    took: dict[str, list[float]] = {what: [] for what in STEPS}
    for _ in range(runs):
        took["without fserver"].append(seconds(server, "without fserver"))
    disk = server.make_disk()
    server.put_on_usb(disk)
    server.mount(disk)
    for unit in ("mpd.service", "smbd.service"):
        server.add_unit(unit)
    server.add_fserver(MPD_UNIT="mpd", STOP_UNITS="smbd nmbd nfs-server", USB_LOCATION="2")
    for _ in range(runs):
        for what in list(STEPS)[1:]:
            took[what].append(seconds(server, what))
            assert bool(server.mounted) is (what == "mount")
    return took


def seconds(server: Server, what: str) -> float:
    """One step."""
    began = time.monotonic()
    done = server.step(STEPS[what], called_off="a measurement" if what in ("USB power on", "mount") else "")
    assert done.returncode == 0, done.stdout
    return time.monotonic() - began


def main() -> None:
    """Print a table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with file_server() as server:
        for what, took in measure(server, runs).items():
            print(f"{what:16} {statistics.median(took):6.3f} s, at most {max(took):6.3f} s, {runs} runs")


if __name__ == "__main__":
    main()
