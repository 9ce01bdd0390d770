"""The demo's relays: three loads at the simulated house's pins, which its sun and battery feed."""

import time
from typing import NamedTuple

from pimains.core import state
from pimains.house.demo_site import Site

SERVICE = "relays"
_SEEN = 0.5  # of its watts: the charger gives more then, too
_SECONDS_MAX = 60.0


class Fed(NamedTuple):
    """A relay, and what it feeds."""

    number: int
    pin: int
    name: str
    watts: int
    active_low: bool = False

    @property
    def draw(self) -> str:
        """The same, as the sun is told (loads.py)."""
        return f"--draws={self.pin}={self.watts}{':low' if self.active_low else ''}"


BOILER = Fed(1, 17, "boiler", 2000, active_low=True)
PUMP = Fed(2, 27, "pump", 400)
HEATER = Fed(3, 22, "heater", 1200)
ALL = (BOILER, PUMP, HEATER)


def make(site: Site) -> None:
    """The service and its relays."""
    site.command("create_service", f"--service_name={SERVICE}", f"--relays={site.root}/etc/pimains/relays", *site.create)
    for each in ALL:
        words = (f"--pin={each.pin}", f"--name={each.name}", f"--watts={each.watts}", *(["--active_low"] if each.active_low else []))
        site.command("pimains", "relay", "add", str(each.number), *words, site.in_services)


def are_there(site: Site) -> bool:
    """Whether the service has all of them."""
    return all(site.value(SERVICE, f"{each.number}.state") for each in ALL)


def battery_watts(site: Site, monitor: str) -> float:
    """What flows into the battery, as the service of its monitor tells."""
    return state.number(site.value(monitor, "P")) or 0.0


def show(site: Site, monitor: str) -> bool:
    """Switch the boiler on as somebody would, and tell what becomes of the battery; whether that was seen by its monitor."""
    before = battery_watts(site, monitor)
    site.command("pimains", "relay", str(BOILER.number), "on", "for", "2h", site.in_services)
    deadline = time.monotonic() + _SECONDS_MAX
    while (now := battery_watts(site, monitor)) > before - _SEEN * BOILER.watts:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    print(f"\nInto the battery flowed {before:.0f} W; with the {BOILER.name} on its monitor tells {now:.0f} W")
    site.command("pimains", "relay", site.in_services)
    site.command("pimains", "why", f"relay.{BOILER.number}")
    return True
