"""The service relays stepped under a clock of the test's, on the house's pins: days pass in moments, and machines boot.

service = SteppedRelays(tmp_path, monkeypatch, {"MIN_ON": "10min"})
service.wish(1, "on sun")
service.pass_seconds(600)
service.boot()
"""

import contextlib
import os
import shutil
from pathlib import Path
from typing import Any

import gpiozero
import pytest

from pimains.core import clock as clocks
from pimains.core.clock import FakeClock
from pimains.core.instance import Instance
from pimains.core.ledger import Entry
from pimains.core.naps import Nap, Naps, Stop
from pimains.house.pins import HouseFactory
from pimains.relays.service import switch
from pimains.relays.settings import RelaysSettings
from tests.relays.relays import make_relay

NOON = 1_790_000_000.0 // 86400 * 86400 + 12 * 3600
NEVER_SET = 3600.0  # as a Pi begins that has no battery for its clock


class SteppedRelays:
    """Relays 1, 2, ... with the settings `given`, at pins 2, 3, ...; `wall` is what the machine believes in the beginning."""

    def __init__(self, top: Path, patch: pytest.MonkeyPatch, *given: dict[str, str], wall: float = NOON, **variables: str) -> None:
        self._top, self._patch = top, patch
        self._outputs = top / "outputs"
        patch.setenv("PIMAINS_ROOT", str(top))
        patch.setenv("GPIOZERO_PIN_FACTORY", "pimains-house")
        patch.setenv("PIMAINS_HOUSE_OUTPUTS", str(self._outputs))
        patch.setenv("TZ", "UTC")
        self._boots = 0
        self.clock = FakeClock(wall=wall)
        self.directory = top / "etc/pimains/relays"
        for number, settings in enumerate(given, 1):
            make_relay(self.directory / str(number), **{"PIN": str(number + 1), **settings})
        values = {"RELAYS": str(self.directory), "STAGGER_SECONDS": "0", "LOST_SECONDS": "86400", **variables}
        self._settings = RelaysSettings(values)
        self._me = Instance("relays", top, self.clock)
        self._me.lib.mkdir(parents=True)
        self._naps: Naps
        self._nap: Nap
        self._begin_boot()

    def _begin_boot(self) -> None:
        self._boots += 1
        name = f"boot {self._boots}"
        self._patch.setattr(clocks, "boot_id", lambda: name)
        shutil.rmtree(self._me.run, ignore_errors=True)
        self._me.run.mkdir(parents=True)
        self._patch.setattr(gpiozero.Device, "pin_factory", HouseFactory())
        self.start()

    def start(self) -> None:
        """The service begins."""
        self._naps = switch(self._me, self._settings)
        self._nap = next(self._naps)

    def kill(self) -> None:
        """It ends without a goodbye; its pins become inputs, as gpiozero leaves them."""
        self._naps.close()

    def stop(self) -> None:
        """svc -t: it is told to stop."""
        with contextlib.suppress(Stop, StopIteration):
            self._naps.throw(Stop())
            while True:
                self._naps.send(())

    def boot(self, off_seconds: float = 0.0, wall: float | None = None) -> None:
        """The power goes; after `off_seconds` the machine boots, and believes in `wall`, or knows the time."""
        self.kill()
        now = self.clock.wall() + off_seconds if wall is None else wall
        self.clock = self._me.clock = FakeClock(20.0, now)
        self._begin_boot()

    def step(self) -> None:
        """It hears what was said."""
        self._nap = self._naps.send(())

    @property
    def seconds_to_wait(self) -> float:
        """Until it wants to be awake, when nothing comes."""
        return self._nap.seconds

    def pass_seconds(self, seconds: float) -> None:
        """Time passes; it is awake when it wants to be."""
        end = self.clock.monotonic() + seconds
        while (left := end - self.clock.monotonic()) > 0:
            self.clock.advance(min(max(self._nap.seconds, 0.01), left))
            self.step()

    def mode(self, number: int, text: str) -> None:
        """A person's word, heard."""
        (self._me.lib / f"{number}.mode").write_text(f"{text}\n")
        self.step()

    def wish(self, number: int, text: str) -> None:
        """A rule's, heard."""
        path = self._me.run / f"{number}.wish"
        path.write_text(f"{text}\n")
        os.utime(path, (self.clock.wall(), self.clock.wall()))
        self.step()

    def of(self, number: int, name: str) -> str:
        """What is told of a relay."""
        path = self._me.run / f"{number}.{name}"
        return path.read_text().strip() if path.exists() else ""

    @property
    def status(self) -> str:
        """The status line."""
        return (self._me.run / "status").read_text().strip()

    def level(self, number: int) -> str:
        """What the pin of a relay does: high, low or input."""
        lines = [line.split() for line in self._outputs.read_text().splitlines()]
        return [words[1] for words in lines if words[0] == str(number + 1)][-1]

    def pin(self, number: int) -> Any:
        """The house's pin of a relay."""
        return gpiozero.Device.pin_factory.pin(number + 1)

    def ledger(self, number: int) -> list[Entry]:
        """The ledger's rows of a relay, oldest first."""
        return self._me.ledger.entries(f"relay.{number}", 1000)[::-1]

    def actions(self, number: int) -> list[tuple[str, str]]:
        """What the ledger has of it, and why."""
        return [(entry.action, entry.cause) for entry in self.ledger(number)]
