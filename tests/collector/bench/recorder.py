#!/usr/bin/env python3
"""What a collector costs that makes readings itself: of values that other services leave, and of an old Pi's watts.

    tests/collector/bench/recorder.py [SECONDS]

For SECONDS (60) five values change every second and an old Pi sends its watts every second. Every 20 s they are stored: as
many readings in each commit as with the settings as they come there are, RECORD_SECONDS=10 and COMMIT_SECONDS=200.
"""

import shutil
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parents[3] / "lib")]

import requests  # noqa: E402  # only findable now

from pimains.core import state  # noqa: E402  # only findable now
from tests.collector.bench.collector import directories, written_bytes  # noqa: E402  # only findable now
from tests.collector.collecting import Collector  # noqa: E402  # only findable now
from tests.core.bench.footprint import memory, processor_seconds  # noqa: E402  # only findable now
from tests.kit import new_house  # noqa: E402  # only findable now

VALUES = ("battery.charge", "battery.voltage", "ups.load", "input.voltage", "output.voltage")
COMMIT_SECONDS = 20
COMMITS_A_DAY = 432


def measure(seconds: float, root: Path, data: Path) -> list[tuple[str, str]]:
    """The table, row by row."""
    for house in new_house(root):
        logins = house.root / "powerpi"
        logins.write_text("fusebox:its old password\n")
        logins.chmod(0o600)
        shutil.chown(logins, "pimains")
        ups = house.root / "run/pimains/ups"
        ups.mkdir(parents=True)
        settings = {"COMPAT": "powerpi", "POWERPI_LOGINS": str(logins), "RECORD": " ".join(f"ups/{name}" for name in VALUES)}
        collector = Collector(house, DATA_DIR=str(data), RECORD_SECONDS="1", COMMIT_SECONDS=str(COMMIT_SECONDS), **settings)
        pid = collector.instance.pid
        with requests.Session() as session:
            session.auth = ("fusebox", "its old password")
            before = (0, 0.0)
            began = time.monotonic()
            number = 0
            while (now := time.monotonic()) - began < seconds + 3 * COMMIT_SECONDS:
                if number == 3 * COMMIT_SECONDS:  # the journal has what it needs
                    before, measured = (written_bytes(pid), processor_seconds(pid)), now
                number += 1
                for place, name in enumerate(VALUES):
                    state.write(ups / name, f"{100 * place + number % 97}.{number % 7}")
                assert session.get(f"{collector.url}/get.php?val={time.time()};{number % 3000}", timeout=30).ok
                time.sleep(max(0.0, began + number - time.monotonic()))
            lasted = time.monotonic() - measured
            written, busy = written_bytes(pid) - before[0], processor_seconds(pid) - before[1]
        each = written / (lasted / COMMIT_SECONDS)
        return [
            ("written, 120 readings of 6 sources", f"{each:.0f} bytes, {each * COMMITS_A_DAY / 1e6:.1f} MB a day"),
            ("processor, ten times as often as usual", f"{100 * busy / lasted:.2f} % of a core"),
            ("memory (PSS)", f"{memory(pid).alone:.1f} MB as the only Python"),
        ]
    return []


def main() -> None:
    """Print the table."""
    with directories() as (root, data):
        for what, value in measure(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0, root, data):
            print(f"{what:40} {value}")


if __name__ == "__main__":
    main()
