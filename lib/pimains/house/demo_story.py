"""The demo as a story, which needs nobody to watch: what each service does, shown by the commands that people would type."""

import sys
import time

from pimains.house import demo_relays, demo_sun
from pimains.house.demo_failed import DemoFailed
from pimains.house.demo_house import House, until_all_is_there
from pimains.house.demo_machine import halted
from pimains.house.demo_plug import HALTED_WATTS, IDLE_WATTS
from pimains.house.demo_progress import progress
from pimains.house.demo_rules import Rules
from pimains.house.demo_ups import Powered

_SECONDS_TO_LOOK = 5


def tell(house: House) -> None:
    """All of it, in about two minutes. Raises DemoFailed."""
    site = house.site
    until_all_is_there(house)
    if house.metered:
        site.command("pimains", "energy", "--month", site.in_services)
        print(f"\nA year of readings, and pulses as they come: look at {house.metered.page}")
    site.command("pimains", "status", site.in_services)
    rules = Rules(site, house.tell_sun) if house.has_rules and house.tell_sun else None
    if rules:
        if not demo_relays.show(site, demo_sun.MONITOR):
            raise DemoFailed("the monitor of the battery does not see what the boiler draws")
        rules.show(demo_sun.MONITOR)
    if house.powered:
        _show_outage(house, house.powered)
    if rules:
        rules.show_sun_is_back()
    _show_plug(house)
    if rules:
        site.command("pimains", "relay", str(demo_relays.BOILER.number), site.in_services)
    site.command("pimains", "status", site.in_services)
    if house.metered and sys.stdin.isatty():
        input(f"\nThe page is at {house.metered.page} until you press Enter. ")
    print("\nThat was it: nothing was halted, and all of it is removed again. The packages stay; apt purge pimains removes them.")
    print("For a real plug: create_service --service_name=plug --host=NAME --encryption_key=@FILE --add-service")


def _show_outage(house: House, powered: Powered) -> None:
    site = house.site
    print(f"\nNow the mains go, for {powered.outage_seconds} s: nas and tv hang on the UPS, too")
    powered.cut()
    site.until("the UPS says that it is on battery", powered.is_on_battery, 60)
    site.command("pimains", "ups", site.in_services)
    site.until("nas and what needs it shut down to spare the battery", powered.are_down, powered.outage_seconds + 60)
    site.command("pimains", "status", site.in_services)
    site.command("pimains", "ups", "host", "list", site.in_services)
    site.until("the mains come back, both are woken, and prove that they are up", powered.is_over.is_set, powered.outage_seconds + 120)
    site.command("pimains", "why", "host nas")
    site.command("pimains", "ups", site.in_services)


def _show_plug(house: House) -> None:
    site, plug = house.site, house.plug
    with progress(f"In {_SECONDS_TO_LOOK} seconds somebody switches the plug off"):
        time.sleep(_SECONDS_TO_LOOK)
    site.command("pimains", "plug", "off", "--host=127.0.0.1", f"--port={plug.port}")
    site.until("the Pi shuts down (here it only writes that down)", halted(site).exists, 60)
    with progress("its file systems are synced and unmounted; then it draws nearly nothing any more"):
        time.sleep(_SECONDS_TO_LOOK)
    plug.tell(f"load {HALTED_WATTS}")
    site.until(f"the plug sees less than {IDLE_WATTS} W for ten seconds, and cuts the power", plug.relay_opened.is_set, 60)
    site.command("pimains", "why", "plug")
    site.command("pimains", "why", "halt")
