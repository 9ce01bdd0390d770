"""The demo's sun: a battery monitor and a solar charger that speak VE.Direct, and the services that read them.

Its panels give more than any load but all of them draw, and its battery is not full before the demo ends: what rules say is the same on a
slow machine.
"""

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from pimains.house.demo_site import Site, tell
from pimains.house.solar import DAY_SECONDS

PACKAGES = ("python3-serial",)
HOUR = 9.5  # at which it begins
_SOC = 0.6
_DEVICES = ("bmv", "mppt")
MONITOR = "vedirect.bmv"


class Sky(NamedTuple):
    """A day of its sun lasts `day_seconds` of ours, and the devices speak `every` so many of its own; W of panels, Ah at 24 V."""

    day_seconds: float
    every: int
    peak: float
    capacity: float


STORY = Sky(1440.0, 1, 4000.0, 800.0)  # a minute of the sun's in a second: something is seen to move, and the battery is not full
TESTS_DAY_SECONDS = "PIMAINS_DEMO_DAY_SECONDS"  # in the environment of a test that has not so much time


def living() -> Sky:
    """A day takes ten minutes, and the devices speak once a second, as real ones."""
    day_seconds = float(os.environ.get(TESTS_DAY_SECONDS) or 600)
    return Sky(day_seconds, round(DAY_SECONDS / day_seconds), 5500.0, 500.0)


def missing() -> str:
    """What it needs and this machine has not, as words for apt; "" if it has all."""
    found = subprocess.run(["/usr/bin/python3", "-c", "import serial"], capture_output=True, check=False)
    return "" if found.returncode == 0 else " ".join(PACKAGES)


@contextlib.contextmanager
def shining(site: Site, sky: Sky, loads: Iterable[str]) -> Iterator[Callable[[str], None]]:
    """The sun, and a service for each of its devices; `loads` are what relays feed, as its options.

    Yields what tells it a line, such as how cloudy it is (sun.py).
    """
    ports = {device: site.root / "dev" / device for device in _DEVICES}
    (site.root / "dev").mkdir()
    told = [f"--{device}={port}" for device, port in ports.items()]
    fast = (f"--speed={DAY_SECONDS / sky.day_seconds}", f"--every={sky.every}", f"--hour={HOUR}")
    plant = (f"--peak={sky.peak}", f"--capacity={sky.capacity}", f"--soc={_SOC}")
    with site.program("sun", *told, *fast, *plant, *loads) as (sun, said):
        said.readline()  # its ports are there
        for device, port in ports.items():
            site.command("create_service", "--service_name=vedirect", f"--instance=vedirect.{device}", f"--port={port}", *site.create)
        yield partial(tell, sun)


def is_seen(root: Path) -> bool:
    """Whether each of its devices was read."""
    return all((root / "run/pimains" / f"vedirect.{device}" / "V").exists() for device in _DEVICES)
