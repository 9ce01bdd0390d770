#!/usr/bin/env python3
"""A pulse generator: a contact between a pin of the kernel's simulated GPIO chip (gpio-sim) and ground.

    gpio_pulses.py /sys/devices/platform/gpio-sim.0/gpiochip0/sim_gpio24

Lines on its standard input, each answered by a line of JSON when it is done: the number of closings, the seconds from the first to the
last, and how long each of the first hundred lasted.

    600 0.03 0.0325 0.002    six hundred times closed for 30 ms, open for 32.5 ms, before each 2 ms of bounces
    close                    and stay closed
    open

However late it is: closed and open last at least as long as they were to.
"""

import json
import os
import sys
import time

BOUNCE_SECONDS = 0.00025


class Generator:
    """The contact; open first."""

    def __init__(self, pin: str) -> None:
        self._pull = os.open(f"{pin}/pull", os.O_WRONLY)
        self._closings: list[float] = []
        self._lasted: list[float] = []

    def do(self, words: list[str]) -> dict[str, object]:
        self._closings.clear()
        self._lasted.clear()
        if words[0] in ("close", "open"):
            self._move(words[0] == "close", 0, 0)
        else:
            number, closed, is_open, bounces = [*map(float, words), 0.0, 0.0, 0.0][:4]
            for _ in range(int(number)):
                self._move(True, closed, bounces)
                self._move(False, is_open, bounces)
        apart = self._closings[-1] - self._closings[0] if self._closings else 0.0
        return {"pulses": len(self._closings), "apart": apart, "lasted": self._lasted[:100]}

    def _move(self, closed: bool, lasts: float, bounces: float) -> None:
        at = time.monotonic()
        while time.monotonic() < at + bounces:
            for level in (closed, not closed):
                self._write(level)
                time.sleep(BOUNCE_SECONDS)
        if closed:
            self._closings.append(time.monotonic())
        self._write(closed)
        time.sleep(lasts)
        if closed:
            self._lasted.append(time.monotonic() - self._closings[-1])

    def _write(self, closed: bool) -> None:
        os.pwrite(self._pull, b"pull-down" if closed else b"pull-up", 0)


def main() -> None:
    """Carry out what is said."""
    generator = Generator(sys.argv[1])
    for line in sys.stdin:
        print(json.dumps(generator.do(line.split())), flush=True)


if __name__ == "__main__":
    main()
