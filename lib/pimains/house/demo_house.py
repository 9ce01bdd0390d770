"""The whole house of a demo: its services made, and what they talk to running."""

import contextlib
from collections.abc import Callable, Iterator

from pimains.house import demo_meter, demo_pins, demo_plug, demo_relays, demo_rules, demo_sun, demo_ups
from pimains.house.demo_machine import Machine, recorder, switched_on
from pimains.house.demo_meter import Metered
from pimains.house.demo_plug import Plug
from pimains.house.demo_site import Site
from pimains.house.demo_sun import Sky
from pimains.house.demo_ups import Powered

_LOOKS_SECONDS_MAX = 60


class House:
    """What there is of it by now: None where this machine lacks something for it, which `lacks` tells."""

    def __init__(self, site: Site, plug: Plug, machine: Machine) -> None:
        self.site = site
        self.plug = plug
        self.machine = machine
        self.metered: Metered | None = None
        self.tell_sun: Callable[[str], None] | None = None
        self.has_rules = False
        self.powered: Powered | None = None
        self.lacks: list[str] = []

    def lack(self, what: str) -> None:
        """Something is not there."""
        self.lacks.append(what)
        if not self.site.quiet:
            print(f"\n({what})")


@contextlib.contextmanager
def furnished(site: Site, sky: Sky, *, has_year: bool = False) -> Iterator[House]:
    """All of it, until the end; `has_year`: the collector has recorded its solar part for a year, and goes on."""
    with contextlib.ExitStack() as stack:
        plug = stack.enter_context(demo_plug.plugged_in(site))
        machine = stack.enter_context(switched_on(Machine(site, demo_pins.made(site.root))))
        house = House(site, plug, machine)
        site.command("create_service", "--service_name=halt", f"--halt_command={recorder(site)}", *site.create)
        demo_plug.make(site, plug)
        if more := demo_meter.missing():
            house.lack(f"There is no meter and no collector: they need apt install {more}")
        else:
            house.metered = stack.enter_context(demo_meter.metered(site, has_year=has_year))
        if more := demo_sun.missing():
            house.lack(f"There is no sun: it needs apt install {more}")
        else:
            fed = (f"--outputs={demo_pins.outputs(site.root)}", *(each.draw for each in demo_relays.ALL))
            house.tell_sun = stack.enter_context(demo_sun.shining(site, sky, fed))
        if more := demo_pins.missing():
            house.lack(f"There are no relays and no rules: they need apt install {more}")
        elif house.tell_sun:
            demo_relays.make(site)
            demo_rules.make(site)
            house.has_rules = True
        if more := demo_ups.missing():
            house.lack(f"There is no UPS: it needs apt install {more}")
        elif why := demo_ups.cannot_wake():
            house.lack(f"There is no UPS with machines to wake: {why}")
        else:
            house.powered = stack.enter_context(demo_ups.supplied(site))
        yield house


def until_all_is_there(house: House) -> None:
    """Until each service has found what it talks to. Raises DemoFailed."""
    until = house.site.until
    until("halt is ready and plug has found its plug", lambda: house.site.status("plug").startswith("connected"), _LOOKS_SECONDS_MAX)
    if house.metered:
        page = house.metered.page
        until("the collector has what the meter has read before", lambda: demo_meter.is_told(page), _LOOKS_SECONDS_MAX)
    if house.tell_sun:
        until("the sun's devices are read", lambda: demo_sun.is_seen(house.site.root), _LOOKS_SECONDS_MAX)
    if house.has_rules:
        until("relays has its pins", lambda: demo_relays.are_there(house.site), _LOOKS_SECONDS_MAX)
        until("rules looks for rules", lambda: house.site.status(demo_rules.SERVICE).startswith("no rule"), _LOOKS_SECONDS_MAX)
    if house.powered:
        until("the UPS is read", house.powered.is_known, _LOOKS_SECONDS_MAX)
