#!/usr/bin/env python3
"""What the idle plug service costs: memory and processor time, connected to ESPHome's own firmware.

    tests/plug/bench/plug_footprint.py [SECONDS]

With both versions of aioesphomeapi, encrypted; the metering plug tells its power once a second.
"""

import sys
import tempfile
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parents[3] / "lib")]

from tests.core.bench.footprint import memory, processor_seconds
from tests.kit import House, new_house, until
from tests.plug.firmware import Plug
from tests.plug.plugs import NEWEST, OLDEST, aioesphomeapi

PSS_LIMIT_MEGABYTES = 40.0
PROCESSOR_LIMIT_PERCENT = 0.1


def measure(house: House, device: Plug, library: str, seconds: float) -> tuple[float, float, float]:
    """PSS now and as the only Python on the machine in MB; percent of one processor."""
    where = {"HOST": "127.0.0.1", "PORT": str(device.port), "ENCRYPTION_KEY": device.key}
    plug = house.add("plug", pythonpath=aioesphomeapi(library), **where)
    until(lambda: plug.status.startswith("connected"), 30)
    until(lambda: plug.read("contact"), 10)
    began = processor_seconds(plug.pid)
    time.sleep(seconds)
    percent = (processor_seconds(plug.pid) - began) / seconds * 100
    found = memory(plug.pid)
    return found.pss, found.alone, percent


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60
    print(f"{'aioesphomeapi':14} {'plug':10} {'PSS MB':>8} {'as only Python':>15} {'processor %':>12}")
    for library in (OLDEST, NEWEST):
        for metering in (False, True):
            with tempfile.TemporaryDirectory(prefix="pimains-house-") as root, tempfile.TemporaryDirectory() as flash:
                device = Plug(Path(flash), encrypted=True, metering=metering)
                try:
                    for house in new_house(Path(root)):
                        pss, alone, percent = measure(house, device, library, seconds)
                finally:
                    device.close()
            good = alone <= PSS_LIMIT_MEGABYTES and percent <= PROCESSOR_LIMIT_PERCENT
            kind = "metering" if metering else "plain"
            print(f"{library:14} {kind:10} {pss:8.1f} {alone:15.1f} {percent:12.3f}  {'met' if good else 'missed'}", flush=True)


if __name__ == "__main__":
    main()
