"""The services relays and rules stepped together under a clock of the test's; rules' child is a real one.

house = SteppedRules(tmp_path, monkeypatch, {"MIN_ON": "5min"})
house.write(1, "return ON, 'always'")
house.put("bmv/SOC", "80")
house.pass_seconds(600)
"""

import contextlib
import os
import select
import shutil
import textwrap
from pathlib import Path

import pytest

from pimains.core.instance import Instance
from pimains.core.naps import Stop
from pimains.rules.child import Child
from pimains.rules.service import decide
from pimains.rules.settings import RulesSettings
from tests.relays.stepped import NOON, SteppedRelays
from tests.rules.rules import HEAD

_ANSWER_SECONDS = 20.0


class SteppedRules:
    """Relays 1, 2, ... with the settings `given`; `lost` is LOST_SECONDS of relays, `variables` are those of rules."""

    def __init__(
        self, top: Path, patch: pytest.MonkeyPatch, *given: dict[str, str], lost: str = "600", wall: float = NOON, **variables: str
    ) -> None:
        self.top = top
        self.relays = SteppedRelays(top, patch, *given, wall=wall, LOST_SECONDS=lost)
        self.directory = top / "etc/pimains/rules"
        self.directory.mkdir()
        defaults = {"INTERVAL": "60", "RULE_SECONDS": "10", "LOST_AFTER": "600"}
        files = top / "var/lib/pimains/rules/files"
        files.mkdir(parents=True)
        self._settings = RulesSettings({"RULES": str(self.directory), "RULES_FILES": str(files), **defaults, **variables})
        self.start()

    def start(self) -> None:
        """The service rules begins."""
        me = Instance("rules", self.top, self.relays.clock)
        me.run.mkdir(exist_ok=True)
        self.run = me.run
        self._naps = decide(me, self._settings)
        self._nap = next(self._naps)

    def stop(self) -> None:
        """svc -t: it is told to stop."""
        with contextlib.suppress(Stop):
            self._naps.throw(Stop())

    def boot(self, off_seconds: float) -> None:
        """The machine halts, and comes again after so long."""
        self.stop()
        shutil.rmtree(self.run)
        self.relays.stop()
        self.relays.boot(off_seconds)
        self.start()

    def write(self, number: int, body: str) -> None:
        """The rule of a relay, the lines of its function; taken up a moment later."""
        (self.directory / f"{number}.py").write_text(HEAD + textwrap.indent(textwrap.dedent(body), "    ") + "\n")
        self.pass_seconds(1.2)

    def put(self, name: str, text: str | None) -> None:
        """A value of another instance, heard."""
        path = self.top / "run/pimains" / name
        path.parent.mkdir(exist_ok=True)
        if text is None:
            path.unlink()
        else:
            path.write_text(f"{text}\n")
            os.utime(path, (self.relays.clock.wall(), self.relays.clock.wall()))
        self.settle()

    def settle(self) -> None:
        """All that is under way comes to its end, and is heard."""
        self._nap = self._naps.send(())
        while (children := [each for each in self._nap.files if isinstance(each, Child)]) or self._nap.seconds == 0:
            if children:
                assert select.select(children, [], [], _ANSWER_SECONDS)[0], "no answer"
            self._nap = self._naps.send(())
        self.relays.step()

    def pass_seconds(self, seconds: float) -> None:
        """Time passes; both are awake when they want to be."""
        clock = self.relays.clock
        end = clock.monotonic() + seconds
        while (left := end - clock.monotonic()) > 0:
            clock.advance(min(max(min(self._nap.seconds, self.relays.seconds_to_wait), 0.01), left))
            self.settle()

    def says(self, number: int) -> str:
        """What a rule says, and why."""
        texts = [(self.run / f"{number}.{name}") for name in ("says", "reason")]
        return " ".join(path.read_text().strip() if path.exists() else "" for path in texts)

    @property
    def status(self) -> str:
        """The status line of rules."""
        return (self.run / "status").read_text().strip()
