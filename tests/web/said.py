"""Services as far as a page sees them: their directories, what they said, and a process that is alive in their place.

with said(tmp_path, monkeypatch) as house:
    house.add("vedirect.mppt", "vedirect", PPV="420")
    house.say("vedirect.mppt/PPV", "430")
    house.dies("vedirect.mppt")
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pimains.core import state
from tests.kit import TOP

_ALIVE = """
import sys
from pathlib import Path
from pimains.core import alive
alive.hold(Path(sys.argv[1]))
print(flush=True)
sys.stdin.read()
"""


class Said:
    """`root` is PIMAINS_ROOT; service directories are below `scan`, the one of web is to be made there, too."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.scan = root / "service"
        self.run = root / "run/pimains"
        self.lib = root / "var/lib/pimains"
        for each in (self.scan, self.run, self.lib / "relays"):
            each.mkdir(parents=True)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def add(self, instance: str, service: str, *, is_up: bool = True, **values: str) -> None:
        """A service that has said `values`."""
        directory = self.scan / instance
        (directory / "variables").mkdir(parents=True)
        (directory / "run").symlink_to(TOP / "services" / service / "run")
        (self.run / instance).mkdir()
        for name, value in values.items():
            state.write(self.run / instance / name, value)
        if is_up:
            self.lives(instance)

    def lives(self, instance: str) -> None:
        """From now on a process holds its place."""
        words = [sys.executable, "-c", _ALIVE, str(self.run / instance)]
        environment = {**os.environ, "PYTHONPATH": str(TOP / "lib")}
        process = subprocess.Popen(words, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"\n"
        self._processes[instance] = process

    def dies(self, instance: str) -> None:
        """As after a kill -9."""
        process = self._processes.pop(instance)
        process.kill()
        process.communicate()

    def say(self, name: str, value: str | None) -> None:
        """INSTANCE/VALUE; None: it is gone."""
        if value is None:
            state.remove(self.run / name)
        else:
            state.write(self.run / name, value)

    def close(self) -> None:
        """End all."""
        for instance in list(self._processes):
            self.dies(instance)


@contextmanager
def said(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Said]:
    """A machine with no service yet."""
    monkeypatch.setenv("PIMAINS_ROOT", str(root))
    house = Said(root)
    try:
        yield house
    finally:
        house.close()


def solar_house(house: Said, *, with_web: bool = True) -> None:
    """Of each kind of service that Now draws one, at work."""
    house.add("vedirect.mppt", "vedirect", status="bulk, 412 W from the panels, 13.42 V", PPV="412", V="13.420", I="29.800", CS="3")
    house.say("vedirect.mppt/CS.words", "bulk")
    house.add("vedirect.bmv", "vedirect", status="87.4 %, 161 W, 13.38 V", SOC="87.4", P="161", V="13.380", I="12.030")
    house.add("meter", "meter", status="238 W, 4711.25 kWh", power="238", power_is="measured", total="4711.25")
    house.add("plug", "plug", status="connected to sonoffs26.lan, power on, cut 44 s after a shutdown", power="61.4", relay="on")
    ups = {"line": "on line", "words": "on line, 100 %", "battery.charge": "100", "ups.load": "23", "battery.runtime": "2100"}
    house.add("ups", "ups", status="on line, battery 100 %, 35 min", **ups)
    house.add("relays", "relays", status="2 of 3 on", settings=str(house.root / "etc/relays"))
    for number, (name, state_, watts) in enumerate((("Boiler", "on", "1200"), ("Pump", "on", "90"), ("Freezer", "off", "0")), 1):
        directory = house.root / f"etc/relays/{number}"
        directory.mkdir(parents=True)
        (directory / "NAME").write_text(f"{name}\n")
        house.say(f"relays/{number}.state", state_)
        house.say(f"relays/{number}.watts", watts)
        house.say(f"relays/{number}.reason", "a person wants it so")
    house.add("notify", "notify", status="ready")
    house.add("halt", "halt", status="ready")
    if with_web:
        house.add("web", "web", status="http://127.0.0.1:8461")
