"""The demo's rules: three ready-made ones for its relays; a cloud ends what they have switched on, and the sun begins it again."""

import contextlib
import sqlite3
from collections.abc import Callable

from pimains.core import paths
from pimains.core.ledger import Ledger
from pimains.house.demo_relays import BOILER, HEATER, PUMP
from pimains.house.demo_relays import SERVICE as RELAYS
from pimains.house.demo_site import Site

SERVICE = "rules"
_INTERVAL = 5
_SECONDS = 2  # for which surplus is there, or is not: minutes are too long for a demo
_LEAST_SECONDS = 5  # MIN_ON and MIN_OFF, for the same reason
_STOP_WATTS = 1000
_CLOUDY, _CLEAR = "clouds 0.9", "clouds 0"
_SECONDS_MAX = 60.0


def make(site: Site) -> None:
    """The service, without a rule yet."""
    where = f"--rules={site.root}/etc/pimains/rules", f"--rules_files={site.root}/var/lib/pimains/rules/files"
    site.command("create_service", f"--service_name={SERVICE}", *where, f"--interval={_INTERVAL}", *site.create)


def add(site: Site, monitor: str, *, leaves_heater: bool = False) -> None:
    """Leave the relays to ready-made rules by the battery's `monitor`; seconds stand for minutes. `leaves_heater`: to people."""
    boiler, pump, heater = (str(each.number) for each in (BOILER, PUMP, HEATER))
    kept = [f"{site.root}/etc/pimains/relays/{number}/{name}" for number in (boiler, pump) for name in ("MIN_ON", "MIN_OFF")]
    site.command("sh", "-c", f"echo {_LEAST_SECONDS} | tee {' '.join(kept)}")
    watts = (f"--value={monitor}/P", f"--start_watts={BOILER.watts}", f"--stop_watts={_STOP_WATTS}")
    rules = [
        (boiler, "surplus", (*watts, f"--start_seconds={_SECONDS}", f"--stop_seconds={_SECONDS}")),
        (pump, "after", (f"--relay={boiler}", f"--seconds={_SECONDS}")),
        (heater, "float", (f"--value={monitor}/P",)),
    ]
    for number, kind, settings in rules[:-1] if leaves_heater else rules:
        site.command("pimains", "rule", "add", number, f"--kind={kind}", *settings, site.in_services)


class Rules:
    """What a story shows of them; `tell_sun` tells how cloudy it is."""

    def __init__(self, site: Site, tell_sun: Callable[[str], None]) -> None:
        self._site = site
        self._tell_sun = tell_sun

    def show(self, monitor: str) -> None:
        """Leave the relays to rules by the battery's `monitor`; clouds come, and go again."""
        print("\nNow rules decide. Seconds stand for minutes here, in MIN_ON and MIN_OFF of two relays, too")
        add(self._site, monitor)
        self._site.command("pimains", "relay", str(BOILER.number), "auto", self._site.in_services)
        self._site.until("all rules have said what they want, and the pump is on by its rule", self._are_asked, _SECONDS_MAX)
        self._site.command("pimains", "rule", self._site.in_services)
        print("\nNow clouds come")
        self._tell_sun(_CLOUDY)
        self._site.until("the boiler's rule switches it off, and the pump's follows", lambda: self._both("off"), _SECONDS_MAX)
        self._site.command("pimains", "relay", self._site.in_services)
        print("\nThe sky clears up")
        self._tell_sun(_CLEAR)

    def show_sun_is_back(self) -> None:
        """What the ledger says by then of the boiler."""
        self._site.until("the sun is back, and both rules have switched theirs on again", lambda: self._both("on"), _SECONDS_MAX)
        self._site.command("pimains", "why", f"relay.{BOILER.number}")

    def _are_asked(self) -> bool:
        said = [self._site.value(SERVICE, f"{each.number}.says") for each in (BOILER, PUMP, HEATER)]
        return said == ["on", "on", "off"] and self._is(PUMP.number, "on") and self._site.value(RELAYS, f"{BOILER.number}.mode") == "auto"

    def _both(self, what: str) -> bool:
        return all(self._is(each.number, what) for each in (BOILER, PUMP))

    def _is(self, number: int, what: str) -> bool:
        """Whether a relay is on or off, and the ledger says so."""
        with contextlib.suppress(OSError, sqlite3.Error):
            newest = Ledger(self._site.root / "var/lib/pimains" / paths.LEDGER, tell=lambda _: None).entries(f"relay.{number}", 1)
            return bool(newest) and newest[0].action == what and self._site.value(RELAYS, f"{number}.state") == what
        return False
