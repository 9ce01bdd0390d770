#!/usr/bin/env python3
"""The relay of a healthy Pi never opens, that of a frozen one does in time: tests/plug/bench/dead_man.py [KILLS [MINUTES]]

ESPHome's own firmware and the real plug service, both with clocks that run 30 times as fast. 100 x kill -9 of the
agent; 30 min without the plug's Wi-Fi, without the Pi's Wi-Fi, with the plug's answers dropped; a Pi that freezes. Each with
ON_LOST=ignore and ON_LOST=shutdown (DEAD_MAN_SECONDS=600, SHUTDOWN_SECONDS_MAX=120): there, a Pi that cannot reach its plug halts
before the cut.
"""

import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parents[3] / "lib")]

from tests.kit import House, TestInstance, new_house, until
from tests.plug.firmware import Plug
from tests.plug.plugs import aioesphomeapi

SPEED = 30
DEAD_MAN_SECONDS = 600


class Result(NamedTuple):
    """What became of one Pi."""

    trouble: str
    on_lost: str
    halted_after: float | None  # seconds of the house's clock since the trouble began
    cut_after: float | None

    @property
    def is_good(self) -> bool:
        """A frozen Pi is cut in time, with ON_LOST=shutdown; a healthy one never before it has halted."""
        if self.trouble == "frozen Pi" and self.on_lost == "shutdown":
            return self.cut_after is not None and self.cut_after <= DEAD_MAN_SECONDS + 30
        if self.cut_after is None:
            return True
        return self.halted_after is not None and self.halted_after < self.cut_after


def one(trouble: str, on_lost: str, house: House, device: Plug, bring: Callable[[TestInstance, Plug], None]) -> Result:
    """One Pi, one plug, one trouble."""
    house.add("halt", HALT_COMMAND=house.recorder)
    where = {"HOST": "127.0.0.1", "PORT": str(device.port), "PIMAINS_SPEED": str(SPEED)}
    plug = house.add(
        "plug", pythonpath=aioesphomeapi(), ON_LOST=on_lost, DEAD_MAN_SECONDS=str(DEAD_MAN_SECONDS), SHUTDOWN_SECONDS_MAX="120", **where
    )
    until(lambda: plug.status.startswith("connected"), 30)
    began, uptime = time.monotonic(), time.clock_gettime(time.CLOCK_BOOTTIME)
    bring(plug, device)
    halted = (float(house.halts()[0].split()[0]) - uptime) * SPEED if house.halts() else None
    opened = [said.at for said in device.all("relay") if not said.on and said.at > began]
    return Result(trouble, on_lost, halted, (opened[0] - began) * SPEED if opened else None)


def kill(times: int) -> Callable[[TestInstance, Plug], None]:
    """kill -9 so many times, each time as soon as it is connected."""

    def bring(plug: TestInstance, device: Plug) -> None:
        for _ in range(times):
            until(lambda: plug.pid and plug.status.startswith("connected"), 30)
            connected = plug.log.count("connected to")
            plug.kill()
            until(lambda connected=connected: plug.log.count("connected to") != connected, 30)

    return bring


def lose(minutes: float, begin: Callable[[Plug], None], end: Callable[[Plug], None]) -> Callable[[TestInstance, Plug], None]:
    """Something does not work for that long, then it does again."""

    def bring(plug: TestInstance, device: Plug) -> None:
        begin(device)
        time.sleep(minutes * 60 / SPEED)
        end(device)
        time.sleep(60 / SPEED)

    return bring


def freeze(minutes: float) -> Callable[[TestInstance, Plug], None]:
    """The agent hangs."""

    def bring(plug: TestInstance, device: Plug) -> None:
        pid = plug.pid
        plug.kill(signal.SIGSTOP)
        assert pid == plug.pid
        time.sleep(minutes * 60 / SPEED)
        plug.kill(signal.SIGCONT)

    return bring


def troubles(kills: int, minutes: float) -> dict[str, Callable[[TestInstance, Plug], None]]:
    """By name."""
    back = Plug.wire
    return {
        f"{kills} x kill -9": kill(kills),
        "no Wi-Fi at the plug": lose(minutes, lambda device: device.wifi(False), lambda device: device.wifi(True)),
        "no Wi-Fi at the Pi": lose(minutes, lambda device: device.wire(requests=False, answers=False), back),
        "answers dropped": lose(minutes, lambda device: device.wire(answers=False), back),
        "frozen Pi": freeze(min(minutes, 15)),
    }


def run(trouble: str, bring: Callable[[TestInstance, Plug], None], on_lost: str) -> Result:
    """In a house of its own."""
    with tempfile.TemporaryDirectory(prefix="pimains-house-") as root, tempfile.TemporaryDirectory() as flash:
        houses = new_house(Path(root))
        house = next(houses)
        device = Plug(Path(flash), time_scale=SPEED)
        try:
            return one(trouble, on_lost, house, device, bring)
        finally:
            device.close()
            houses.close()


def main() -> None:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    minutes = float(sys.argv[2]) if len(sys.argv) > 2 else 30
    print(f"{'trouble':22} {'ON_LOST':9} {'Pi halted after':>16} {'relay opened after':>19}")
    for trouble, bring in troubles(kills, minutes).items():
        for on_lost in ("ignore", "shutdown"):
            result = run(trouble, bring, on_lost)
            shown = ["never" if each is None else f"{each:.0f} s" for each in (result.halted_after, result.cut_after)]
            print(f"{trouble:22} {on_lost:9} {shown[0]:>16} {shown[1]:>19}  {'good' if result.is_good else 'BAD'}", flush=True)


if __name__ == "__main__":
    main()
