"""The demo's GPIO pins: those of the simulated house (pins.py), which a meter hears and relays drive."""

import os
import subprocess
from pathlib import Path

PACKAGES = ("python3-gpiozero",)
_HEARD = ("meter",)  # the services whose pins somebody moves
_ENTRY_POINTS = "[gpiozero_pin_factories]\npimains-house = pimains.house.pins:HouseFactory\n"


def missing() -> str:
    """What they need and this machine has not, as words for apt; "" if it has all."""
    found = subprocess.run(["/usr/bin/python3", "-c", "import gpiozero"], capture_output=True, check=False)
    return "" if found.returncode == 0 else " ".join(PACKAGES)


def python_path(root: Path) -> Path:
    """A directory that tells gpiozero of the simulated house's pins, as the installed package does."""
    told = root / "python/pimains_house-0.dist-info"
    if not told.exists():
        told.mkdir(parents=True)
        (told / "METADATA").write_text("Metadata-Version: 2.1\nName: pimains-house\nVersion: 0\n", encoding="utf-8")
        (told / "entry_points.txt").write_text(_ENTRY_POINTS, encoding="utf-8")
    return told.parent


def fifo(root: Path, service: str) -> Path:
    """Where the pins of a service are moved."""
    return root / "pins" / service


def outputs(root: Path) -> Path:
    """The file that tells what becomes of outputs."""
    return root / "outputs"


def made(root: Path) -> dict[str, str]:
    """What services find in their environment; makes the pins."""
    (root / "pins").mkdir()
    for service in _HEARD:
        os.mkfifo(fifo(root, service))
        fifo(root, service).chmod(0o666)
    outputs(root).touch()
    outputs(root).chmod(0o666)
    return {
        "GPIOZERO_PIN_FACTORY": "pimains-house",
        "PIMAINS_HOUSE_PINS": str(root / "pins"),
        "PIMAINS_HOUSE_OUTPUTS": str(outputs(root)),
    }
