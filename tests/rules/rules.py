"""A rules service beside one of relays, on the house's pins.

rules = Rules(house, {}, {"WATTS": "2000"})
rules.write(1, "def rule(relay, data, relays, now): return ON, 'always'")
rules.until(1, "state", "on")
"""

import os
import textwrap
from pathlib import Path

from tests.kit import House, TestInstance, until
from tests.relays.relays import Relays

HEAD = "def rule(relay, data, relays, now):\n"
ALWAYS_ON = "return ON, 'always'"


class Rules:
    """Relays with the settings `given`, and an instance of rules with `variables`; `lost` is LOST_SECONDS of relays."""

    def __init__(self, house: House, *given: dict[str, str], lost: str = "600", **variables: str) -> None:
        self.house = house
        self.directory = house.root / "etc/pimains/rules"
        self.directory.mkdir()
        own = {"RULES": str(self.directory), "RULES_FILES": str(house.root / "var/lib/pimains/rules/files"), **variables}
        self.instance: TestInstance = house.add("rules", svscan=False, **own)
        self.relays = Relays(house, *given, LOST_SECONDS=lost)
        until(lambda: self.instance.status not in ("", "starting"), what="the first word of rules")

    def file(self, number: int) -> Path:
        """The rule of a relay."""
        return self.directory / f"{number}.py"

    def write(self, number: int, body: str, *, head: str = HEAD) -> None:
        """Write a rule, the lines of its function, as an editor does."""
        self.file(number).write_text(head + textwrap.indent(textwrap.dedent(body), "    ") + "\n")

    def put(self, name: str, text: str | None) -> None:
        """A value of another instance, as its service writes it."""
        path = self.house.root / "run/pimains" / name
        path.parent.mkdir(exist_ok=True)
        if text is None:
            path.unlink()
            return
        aside = path.with_name(f".{path.name}.new")
        aside.write_text(f"{text}\n")
        aside.rename(path)

    def age(self, name: str, seconds: float) -> None:
        """Nobody has written it for so long."""
        path = self.house.root / "run/pimains" / name
        at = path.stat().st_mtime - seconds
        os.utime(path, (at, at))

    def says(self, number: int) -> str:
        """What a rule says, and why."""
        return f"{self.instance.read(f'{number}.says')} {self.instance.read(f'{number}.reason')}"

    def until_says(self, number: int, text: str) -> None:
        """Wait for what a rule says."""
        until(lambda: text in self.says(number), what=lambda: f"{text!r}, not {self.says(number)!r}: {self.instance.story()}")

    def until_status(self, text: str) -> None:
        """Wait for what stands in the status."""
        until(lambda: text in self.instance.status, what=lambda: f"{text!r}: {self.instance.story()}")

    def until(self, number: int, name: str, value: str) -> None:
        """Wait for what relays tells of a relay."""
        self.relays.until(number, name, value)
