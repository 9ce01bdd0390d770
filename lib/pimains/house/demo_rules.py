"""The demo's rules: three ready-made ones for its relays; a cloud ends what they have switched on, and the sun begins it again."""

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

from pimains.core import paths, state
from pimains.core.ledger import Ledger
from pimains.house.demo_relays import BOILER, HEATER, PUMP
from pimains.house.demo_relays import SERVICE as RELAYS

SERVICE = "rules"
_INTERVAL = 5
_SECONDS = 2  # for which surplus is there, or is not: minutes are too long for a demo
_LEAST_SECONDS = 5  # MIN_ON and MIN_OFF, for the same reason
_STOP_WATTS = 1000
_CLOUDY, _CLEAR = "clouds 0.9", "clouds 0"
_SECONDS_MAX = 60.0


def make(root: Path, create: tuple[str, ...], command: Callable[..., None]) -> None:
    """The service, made by `command`, without a rule yet."""
    where = f"--rules={root}/etc/pimains/rules", f"--rules_files={root}/var/lib/pimains/rules/files"
    command("create_service", f"--service_name={SERVICE}", *where, f"--interval={_INTERVAL}", *create)


class Rules:
    """What is shown of them: `command` runs a command as people type it, `until` waits, `tell_sun` how cloudy it is."""

    def __init__(self, root: Path, command: Callable[..., None], until: Callable[..., None], tell_sun: Callable[[str], None]) -> None:
        self._root = root
        self._command = command
        self._until = until
        self._tell_sun = tell_sun
        self._services = f"--servicedir={root}/etc/service"

    def show(self, monitor: str) -> None:
        """Leave the relays to rules by the battery's `monitor`; clouds come, and go again."""
        boiler, pump, heater = (str(each.number) for each in (BOILER, PUMP, HEATER))
        kept = [f"{self._root}/etc/pimains/relays/{number}/{name}" for number in (boiler, pump) for name in ("MIN_ON", "MIN_OFF")]
        print("\nNow rules decide. Seconds stand for minutes here, in MIN_ON and MIN_OFF of two relays, too")
        self._command("sh", "-c", f"echo {_LEAST_SECONDS} | tee {' '.join(kept)}")
        watts = (f"--value={monitor}/P", f"--start_watts={BOILER.watts}", f"--stop_watts={_STOP_WATTS}")
        self._add(boiler, "surplus", *watts, f"--start_seconds={_SECONDS}", f"--stop_seconds={_SECONDS}")
        self._add(pump, "after", f"--relay={boiler}", f"--seconds={_SECONDS}")
        self._add(heater, "float", f"--value={monitor}/P")
        self._command("pimains", "relay", boiler, "auto", self._services)
        self._until("all rules have said what they want, and the pump is on by its rule", self._are_asked, _SECONDS_MAX)
        self._command("pimains", "rule", self._services)
        print("\nNow clouds come")
        self._tell_sun(_CLOUDY)
        self._until("the boiler's rule switches it off, and the pump's follows", lambda: self._both("off"), _SECONDS_MAX)
        self._command("pimains", "relay", self._services)
        print("\nThe sky clears up")
        self._tell_sun(_CLEAR)

    def show_sun_is_back(self) -> None:
        """What the ledger says by then of the boiler."""
        self._until("the sun is back, and both rules have switched theirs on again", lambda: self._both("on"), _SECONDS_MAX)
        self._command("pimains", "why", f"relay.{BOILER.number}")

    def _add(self, number: str, kind: str, *settings: str) -> None:
        self._command("pimains", "rule", "add", number, f"--kind={kind}", *settings, self._services)

    def _are_asked(self) -> bool:
        said = [state.read(self._root / "run/pimains" / SERVICE / f"{each.number}.says") for each in (BOILER, PUMP, HEATER)]
        return said == ["on", "on", "off"] and self._is(PUMP.number, "on") and state.read(self._run / f"{BOILER.number}.mode") == "auto"

    def _both(self, what: str) -> bool:
        return all(self._is(each.number, what) for each in (BOILER, PUMP))

    def _is(self, number: int, what: str) -> bool:
        """Whether a relay is on or off, and the ledger says so."""
        with contextlib.suppress(OSError, sqlite3.Error):
            newest = Ledger(self._root / "var/lib/pimains" / paths.LEDGER, tell=lambda _: None).entries(f"relay.{number}", 1)
            return bool(newest) and newest[0].action == what and state.read(self._run / f"{number}.state") == what
        return False

    @property
    def _run(self) -> Path:
        return self._root / "run/pimains" / RELAYS
