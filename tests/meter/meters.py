"""A meter service on pins that are moved from outside, and a small collector.

def test_it(house):
    meter = Meter(house)
    meter.pins("24 pulses 100")
    collector = Collector()
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from tests.kit import TOP, House, TestInstance, until

TOKEN = "a-token-of-a-test"


def entry_points(directory: Path) -> Path:
    """What installing pimains would tell gpiozero: the names of our pin factories."""
    told = directory / "pimains_house-0.dist-info"
    told.mkdir(parents=True, exist_ok=True)
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: pimains-house\nVersion: 0\n")
    factories = "pimains-house = pimains.house.pins:HouseFactory\npimains-panel = pimains.house.tm1638:PanelFactory\n"
    (told / "entry_points.txt").write_text(f"[gpiozero_pin_factories]\n{factories}")
    return directory


class Meter:
    """An instance of meter, and its pins."""

    def __init__(self, house: House, name: str = "meter", **variables: str) -> None:
        self.fifo = house.root / f"pins-{name}"
        os.mkfifo(self.fifo)
        self.fifo.chmod(0o666)
        self._pins = os.open(self.fifo, os.O_RDWR)
        given = {
            "GPIOZERO_PIN_FACTORY": "pimains-house",
            "PIMAINS_HOUSE_PINS": str(self.fifo),
            "BOUNCE_MS": "0",
            "INTERVAL": "1",
            "SOURCE": name,
            **variables,
        }
        self.instance: TestInstance = house.add("meter", name, pythonpath=str(entry_points(house.root / "python")), **given)
        until(lambda: self.instance.status not in ("", "starting"), what="the meter's first word")

    def pins(self, *lines: str) -> None:
        """Move the pins: see pimains.house.pins."""
        os.write(self._pins, "".join(f"{line}\n" for line in lines).encode())

    @property
    def pulses(self) -> int:
        """The live count, as the service has it in its memory."""
        with (self.instance.run / "count").open("rb") as file:
            return int.from_bytes(file.read(72)[64:72], sys.byteorder) >> 1


class Collector:
    """A process of pimains.house.collector."""

    def __init__(self, *words: str, port: int = 0) -> None:
        self._process = subprocess.Popen(
            ["/usr/bin/python3", "-m", "pimains.house.collector", "--port", str(port), "--token", TOKEN, *words],
            env={**os.environ, "PYTHONPATH": str(TOP / "lib")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline().rpartition(":")[2])
        scheme = "https" if "--certificate" in words else "http"
        self.url = f"{scheme}://127.0.0.1:{self.port}"

    def say(self, line: str) -> None:
        """One of its commands."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def knows(self, source: str = "meter") -> dict[str, Any]:
        """What it has of a source; empty while it has nothing."""
        assert self._process.stdout is not None
        self.say("totals")
        said: dict[str, Any] = json.loads(self._process.stdout.readline())
        self.requests = said["requests"]
        known: dict[str, Any] = said["sources"].get(source, {})
        return known

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()


class Postman:
    """A process of pimains.house.postman: the bad line to a collector."""

    def __init__(self, to: str) -> None:
        self._process = subprocess.Popen(
            ["/usr/bin/python3", "-m", "pimains.house.postman", "--to", to],
            env={**os.environ, "PYTHONPATH": str(TOP / "lib")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{self._process.stdout.readline().strip().rpartition(':')[2]}"

    def say(self, line: str) -> None:
        """One of its commands."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def told(self) -> dict[str, int]:
        """How often what happened."""
        assert self._process.stdout is not None
        self.say("told")
        told: dict[str, int] = json.loads(self._process.stdout.readline())
        return told

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()
