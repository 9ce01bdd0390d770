"""A simulated solar house beside the house of a test, and vedirect services at its ptys.

def test_it(house):
    sun = Sun(house)                      # ports bmv and mppt
    mppt = sun.add("mppt")                # a service at that one, which has read something
    sun.says("silent mppt on")
"""

import os
import subprocess
from pathlib import Path
from typing import Any

from tests.kit import TOP, House, TestInstance, until


class Sun:
    """The program pimains.house.sun; its ports lie in the house's directory dev."""

    def __init__(self, house: House, *options: str, devices: tuple[str, ...] = ("bmv", "mppt"), speed: float = 5) -> None:
        self.house = house
        self.dev = house.root / "dev"
        self.dev.mkdir(exist_ok=True)
        self.ports = {name: self.dev / name for name in devices}
        words = [f"--{name.rstrip('0123456789')}={path}" for name, path in self.ports.items()]
        self._program = subprocess.Popen(
            ["/usr/bin/python3", "-Pu", "-m", "pimains.house.sun", *words, f"--speed={speed}", *options],
            env={**os.environ, "PYTHONPATH": str(TOP / "lib")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        house.closing.callback(self.close)
        assert self._program.stdout
        assert self._program.stdout.readline().startswith("speaking at ")

    def says(self, *lines: str) -> None:
        """Tell it: see pimains.house.sun."""
        assert self._program.stdin
        self._program.stdin.write("".join(f"{line}\n" for line in lines))
        self._program.stdin.flush()

    def add(self, port: str, name: str | None = None, **variables: Any) -> TestInstance:
        """A service at a port that has published something."""
        found = self.house.add("vedirect", name or port, **{"PORT": str(self.ports[port]), **variables})
        until(lambda: found.read("V") and "waiting" not in found.status, what=found.story)  # its status comes after its values
        return found

    def close(self) -> None:
        """Tell it to quit."""
        if self._program.poll() is None:
            self.says("quit")
        self._program.communicate(timeout=30)


def mtime(instance: TestInstance, name: str) -> int:
    """Of a state file, in nanoseconds; 0 where it is not there."""
    path: Path = instance.run / name
    return path.stat().st_mtime_ns if path.exists() else 0
