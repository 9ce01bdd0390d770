"""The simulated house's electricity meter: pulses for a load that can be changed, at a pin of the pin factory pimains-house.

    python3 -m pimains.house.meter --pins FIFO --pin 24 --watts 2000 --impulses 1000

Lines on its standard input: `watts 500`, `quit`.
"""

import argparse
import math
import os
import select
import sys
import time
from pathlib import Path

from pimains.core import state

PULSE_SECONDS = 0.05


def main(options: argparse.Namespace) -> None:
    """Send pulses until told to quit."""
    if not options.pins.is_fifo():
        os.mkfifo(options.pins)
        options.pins.chmod(0o660)  # whatever the umask is: the service is another user, of the same group
    pins = os.open(options.pins, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    watts = options.watts
    last = time.monotonic()
    print(f"pulses on GPIO {options.pin}", flush=True)
    while True:
        gap = max(2 * PULSE_SECONDS, 3_600_000 / (options.impulses * watts * options.speed)) if watts > 0 else 3600.0
        ready, _, _ = select.select([sys.stdin], [], [], max(0.0, last + gap - time.monotonic()))
        if ready:
            line = sys.stdin.readline()
            if not line:
                print("no more pulses: its standard input has ended, by which it is told; leave it open", flush=True)
                return
            match line.split():
                case ["quit"]:
                    return
                case ["watts", number] if (told := state.number(number)) is not None and 0 <= told < math.inf:
                    watts = told
                case [_, *_]:
                    print(f"{line.strip()!r}: watts NUMBER, or quit", file=sys.stderr, flush=True)
            continue
        if time.monotonic() >= last + gap and watts > 0:
            last = max(last + gap, time.monotonic() - gap)
            os.write(pins, f"{options.pin} pulses 1 {PULSE_SECONDS} 0.001\n".encode())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python3 -m pimains.house.meter", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pins", type=Path, required=True, metavar="FIFO", help="what PIMAINS_HOUSE_PINS of the meter service names")
    parser.add_argument("--pin", type=int, default=24, help="GPIO number")
    parser.add_argument("--watts", type=float, default=1000, help="the load")
    parser.add_argument("--impulses", type=float, default=1000, help="pulses per kWh")
    parser.add_argument("--speed", type=float, default=1, help="its time runs that much faster")
    main(parser.parse_args())
