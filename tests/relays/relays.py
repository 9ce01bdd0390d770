"""A relays service on the house's pins, whose outputs tell what they do.

relays = Relays(house, boiler={"PIN": "17"})
relays.wish(1, "on surplus")
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.kit import TOP, House, TestInstance, until
from tests.meter.meters import entry_points

TEMPLATE = TOP / "services/relays/relay"


def make_relay(directory: Path, **settings: str) -> None:
    """The settings of a relay, as `pimains relay add` makes them; without guards where nothing is said of them."""
    directory.mkdir(parents=True)
    for path in TEMPLATE.iterdir():
        default, _, meaning = path.read_text().partition("\n")
        value = settings.get(path.name, "0" if path.name in ("MIN_ON", "MIN_OFF") else default)
        (directory / path.name).write_text(f"{value}\n{meaning}")


class Relays:
    """An instance of relays; `given` are the settings of relays 1, 2, ..."""

    def __init__(self, house: House, *given: dict[str, str], **variables: str) -> None:
        self.house = house
        self.directory = house.root / "etc/pimains/relays"
        self.told = house.root / "outputs"
        self.told.touch()
        self.told.chmod(0o666)
        for number, settings in enumerate(given, 1):
            make_relay(self.directory / str(number), **{"PIN": str(number + 1), **settings})
        factory = {"GPIOZERO_PIN_FACTORY": "pimains-house", "PIMAINS_HOUSE_OUTPUTS": str(self.told)}
        own = {"RELAYS": str(self.directory), "STAGGER_SECONDS": "0", **variables}
        self.instance: TestInstance = house.add("relays", pythonpath=str(entry_points(house.root / "python")), **factory, **own)
        until(lambda: self.instance.status not in ("", "starting"), what="the first word of relays")

    def mode(self, number: int, text: str) -> None:
        """A person's echo."""
        (self.instance.lib / f"{number}.mode").write_text(f"{text}\n")

    def wish(self, number: int, text: str) -> None:
        """A rule's echo."""
        (self.instance.run / f"{number}.wish").write_text(f"{text}\n")

    def set(self, number: int, name: str, value: str) -> None:
        """Edit a setting of a relay."""
        (self.directory / str(number) / name).write_text(f"{value}\n")

    def of(self, number: int, name: str) -> str:
        """What is told of a relay."""
        return self.instance.read(f"{number}.{name}")

    def until(self, number: int, name: str, value: str) -> None:
        """Wait for what is told."""
        until(
            lambda: value in self.of(number, name),
            what=lambda: f"{number}.{name} {value!r}, not {self.of(number, name)!r}: {self.instance.story()}",
        )

    def levels(self, pin: int) -> list[str]:
        """What the pin has done."""
        return [words[1] for line in self.told.read_text().splitlines() if (words := line.split())[0] == str(pin)]

    def ledger(self, number: int) -> list[dict[str, Any]]:
        """The ledger's rows of a relay, oldest first."""
        words = ["/usr/bin/python3", "-m", "pimains.cli", "why", f"relay.{number}", "--json", "--limit=10000"]
        environment = {**os.environ, "PYTHONPATH": str(TOP / "lib"), "PIMAINS_ROOT": str(self.house.root)}
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
        found: list[dict[str, Any]] = json.loads(done.stdout) if done.stdout else []
        return found[::-1]
