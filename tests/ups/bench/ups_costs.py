#!/usr/bin/env python3
"""What ups costs while nothing changes: PSS, processor time at POLL_SECONDS 1 with 60 variables, bytes written. Root; takes a minute.

python tests/ups/bench/ups_costs.py
"""

import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.kit import new_house, until  # only findable now
from tests.ups.nut2_library import NUT2  # only findable now
from tests.ups.upsd import PASSWORD, Upsd  # only findable now

SECONDS = 30.0
MORE = {f"outlet.{number}.voltage": "230" for number in range(50)}


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="pimains-bench-") as top, Upsd(Path(top), override=MORE) as upsd:
        directory = Path(top) / "house"
        directory.mkdir()
        Path(top).chmod(0o755)
        with contextmanager(new_house)(directory) as house:
            ups = house.add("ups", pythonpath=str(NUT2), UPS=f"eaton@127.0.0.1:{upsd.port}", USERNAME="anna", PASSWORD=PASSWORD)
            until(lambda: ups.status == "on line, 100 %", what=ups.story)
            process = Path("/proc", str(ups.pid))
            before, written = cpu_seconds(process), write_bytes(process)
            time.sleep(SECONDS)
            print(f"PSS {pss_megabytes(process):.1f} MB")
            print(f"CPU {100 * (cpu_seconds(process) - before) / SECONDS:.2f} %")
            print(f"written {write_bytes(process) - written} bytes in {SECONDS:g} s: one a look, from thread to thread")


def cpu_seconds(process: Path) -> float:
    """User and system, of all its threads, in seconds (proc(5), schedstat counts nanoseconds)."""
    return sum(int((task / "schedstat").read_text().split()[0]) for task in (process / "task").iterdir()) / 1e9


def write_bytes(process: Path) -> int:
    """What it handed to write(2), also for memory (proc(5), io)."""
    return int(dict(line.split(": ") for line in (process / "io").read_text().splitlines())["wchar"])


def pss_megabytes(process: Path) -> float:
    lines = (process / "smaps_rollup").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("Pss:"))) / 1024


if __name__ == "__main__":
    main()
