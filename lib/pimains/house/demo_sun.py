"""The demo's sun: a battery monitor and a solar charger that speak VE.Direct, and the services that read them.

Its panels give more than any load but all of them draw, and its battery is not full before the demo ends: what rules say is the same on a
slow machine.
"""

import contextlib
import subprocess
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

PACKAGES = ("python3-serial",)
_SPEED = 60  # a minute of the sun's in a second: something is seen to move
_HOUR = 9.5
_PLANT = ("--peak=4000", "--capacity=800", "--soc=0.6")  # W, Ah at 24 V
_DEVICES = ("bmv", "mppt")
MONITOR = "vedirect.bmv"


def missing() -> str:
    """What it needs and this machine has not, as words for apt; "" if it has all."""
    found = subprocess.run(["/usr/bin/python3", "-c", "import serial"], capture_output=True, check=False)
    return "" if found.returncode == 0 else " ".join(PACKAGES)


@contextlib.contextmanager
def shining(
    root: Path, create: tuple[str, ...], command: Callable[..., None], environment: dict[str, str], loads: Iterable[str]
) -> Iterator[Callable[[str], None]]:
    """The sun, and a service for each of its devices, made by `command`; `loads` are what relays feed, as its options.

    Yields what tells it a line, such as how cloudy it is (sun.py).
    """
    ports = {device: root / "dev" / device for device in _DEVICES}
    (root / "dev").mkdir()
    told = [f"--{device}={port}" for device, port in ports.items()]
    words = ["/usr/bin/python3", "-Pu", "-m", "pimains.house.sun", *told, f"--speed={_SPEED}", f"--hour={_HOUR}", *_PLANT, *loads]
    with subprocess.Popen(words, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as sun:
        try:
            assert sun.stdin is not None  # noqa: S101  # they are pipes
            assert sun.stdout is not None  # noqa: S101  # the same
            sun.stdout.readline()  # its ports are there
            for device, port in ports.items():
                command("create_service", "--service_name=vedirect", f"--instance=vedirect.{device}", f"--port={port}", *create)
            yield partial(print, file=sun.stdin, flush=True)
        finally:
            sun.terminate()


def is_seen(root: Path) -> bool:
    """Whether each of its devices was read."""
    return all((root / "run/pimains" / f"vedirect.{device}" / "V").exists() for device in _DEVICES)
