#!/usr/bin/env python3
"""From the plug's report that its delay switch went off to the start of HALT_COMMAND: tests/plug/bench/plug_to_halt.py [RUNS]

A real svscan, the real halt and plug services, ESPHome's own firmware. The plug's report is the moment a client that
is connected beside the agent hears the state; HALT_COMMAND writes down when it was started.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parents[3] / "lib")]

from tests.kit import House, new_house, until
from tests.plug.firmware import Plug
from tests.plug.plugs import OLDEST, aioesphomeapi

LIMIT_SECONDS = 0.100


def recorder(house: House) -> str:
    """A HALT_COMMAND that writes down when it was started, in nanoseconds since 1970."""
    script = house.root / "record-nanoseconds"
    script.write_text(f"#!/bin/sh\ndate +%s%N >>{house.halted}\n")
    script.chmod(0o755)
    return str(script)


def measure(house: House, device: Plug, runs: int, library: str = OLDEST) -> Iterator[float]:
    """Seconds of each run, as soon as it is over."""
    halt = house.add("halt", HALT_COMMAND=recorder(house))
    plug = house.add("plug", pythonpath=aioesphomeapi(library), HOST="127.0.0.1", PORT=str(device.port), ENCRYPTION_KEY=device.key)
    until(lambda: plug.status.startswith("connected"), 30)
    offset = time.time() - time.monotonic()
    for run in range(1, runs + 1):
        device.switch("Delay Switch", False)
        until(lambda run=run: len(house.halts()) == run, 20)
        reported = next(at for name, value, at in reversed(device.client.history) if name == "Delay Switch" and value is False)
        yield int(house.halts()[-1]) / 1e9 - offset - reported
        # the Pi did not really halt: the plug is told so, and all is as before
        until(lambda: halt.status.startswith("shut down"))
        device.switch("Real Delay Switch", True)
        device.switch("Delay Switch", True)
        (halt.run / "accepted").unlink()
        until(lambda: halt.status.startswith("ready") and plug.status.startswith("connected") and "switched" not in plug.status)
        until(lambda: "cuts" not in plug.status)


def table(seconds: list[float]) -> str:
    """What was measured, in milliseconds."""
    ordered = sorted(seconds)
    p99 = ordered[max(0, -(-99 * len(ordered) // 100) - 1)]
    rows = (
        ("runs", len(ordered)),
        ("median ms", statistics.median(ordered) * 1000),
        ("p99 ms", p99 * 1000),
        ("max ms", ordered[-1] * 1000),
    )
    verdict = f"{'met' if p99 <= LIMIT_SECONDS else 'missed'}: p99 at most {LIMIT_SECONDS * 1000:.0f} ms"
    return "\n".join([*(f"{name:10} {value:8.1f}" for name, value in rows), verdict])


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory(prefix="pimains-house-") as root, tempfile.TemporaryDirectory() as flash:
        houses = new_house(Path(root))
        house = next(houses)
        device = Plug(Path(flash), encrypted=True)
        try:
            seconds = list(measure(house, device, runs))
        finally:
            device.close()
            houses.close()
    print(table(seconds))


if __name__ == "__main__":
    main()
