"""The demo as a house that lives on until ^C: sun, household, outages and a Pi that halts and boots again; people do things to it.

What happens to the house is said in lines to the FIFO `happen` in the demo's directory (demo_tour.py shows how):

    button                     somebody presses the plug's button
    outage SECONDS             the mains are gone for so long; there is one every quarter of an hour, anyway
    clouds 0-1                 until the weather changes
    cable out | cable in       the kitchen's network
"""

import contextlib
import math
import os
import secrets
import time
from collections.abc import Iterator
from datetime import datetime

from pimains.core import state
from pimains.house import demo_clients, demo_rules, demo_sun, demo_tour, demo_weather, demo_web
from pimains.house.demo_clients import Kitchen
from pimains.house.demo_house import House, furnished, until_all_is_there
from pimains.house.demo_machine import halted
from pimains.house.demo_meter import WATTS
from pimains.house.demo_pi import Pi, Power
from pimains.house.demo_progress import progress
from pimains.house.demo_site import Site, tell
from pimains.house.demo_tour import Seen
from pimains.house.demo_web import Page
from pimains.house.solar_year import OFF_GRID

_LOOK_SECONDS = 1.0
_OUTAGE_EVERY_SECONDS = 900.0
_FIRST_OUTAGE_SECONDS = 300.0
_OUTAGE_SECONDS_MAX = 3600
_KITCHEN_OFF_SECONDS = 20.0


def live(site: Site) -> None:
    """Make it, show the way around it, and let it live. Never returns: it ends by KeyboardInterrupt, or DemoFailed."""
    sky = demo_sun.living()
    with contextlib.ExitStack() as stack:
        with progress("Starting the house, with a year behind it"):
            house = stack.enter_context(furnished(site, sky, has_year=True))
            page = demo_web.make(site) if house.metered else None  # which needs what the page needs
            kitchen = None
            if why := demo_clients.cannot():
                house.lack(f"There is no machine that uses the file server: {why}")
            else:
                kitchen = stack.enter_context(demo_clients.served(site))
            until_all_is_there(house)
            if page:
                demo_web.until_it_listens(site, page)
            if house.has_rules:
                demo_rules.add(site, demo_sun.MONITOR, leaves_heater=True)
        os.mkfifo(site.root / demo_tour.HAPPEN)
        (site.root / demo_tour.HAPPEN).chmod(0o622)
        happen = os.open(site.root / demo_tour.HAPPEN, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        stack.callback(os.close, happen)
        way = demo_tour.here(site.root)
        print(demo_tour.text(_seen(house, kitchen, page), way), flush=True)
        life = Life(house, kitchen, sky.day_seconds, way.happens("button"))
        while True:
            time.sleep(_LOOK_SECONDS)
            for line in _lines(happen):
                life.happens(line)
            life.step(time.monotonic())


def _seen(house: House, kitchen: Kitchen | None, page: Page | None) -> Seen:
    address, password = page or ("", "")
    collector = house.metered.page if house.metered else ""
    return Seen(address, password, collector, house.has_rules, bool(house.powered), bool(kitchen), tuple(house.lacks))


def _lines(happen: int) -> Iterator[str]:
    with contextlib.suppress(BlockingIOError):
        yield from os.read(happen, 4096).decode(errors="replace").splitlines()


class Life:
    """Moved on by `step`, about once a second; `happens` is what people do."""

    def __init__(self, house: House, kitchen: Kitchen | None, day_seconds: float, button: str) -> None:
        self._house = house
        self._day_seconds = day_seconds
        self._kitchen = kitchen
        self._pi = Pi(house, button, _say)
        self._kitchen_off_since: float | None = None
        self._began = time.monotonic()
        self._day = datetime.now()
        self._seed = secrets.randbelow(1000)
        self._clouds = 0.0
        self._watts = float(WATTS)
        self._outage_due = self._began + _FIRST_OUTAGE_SECONDS

    def happens(self, line: str) -> None:
        """Do what a line says, or tell what it may say."""
        match line.split():
            case ["button"]:
                self._house.plug.tell("press")
            case ["outage", seconds] if self._house.powered and 0 < _number(seconds) <= _OUTAGE_SECONDS_MAX:
                self._cut_mains(math.ceil(_number(seconds)))
            case ["clouds", share] if self._house.tell_sun and 0 <= _number(share) <= 1:
                self._house.tell_sun(f"clouds {share}")
                _say(f"{share} of the sky is cloudy now")
            case ["cable", "out" | "in" as where] if self._kitchen:
                self._kitchen.tell_cable(where)
                _say(f"the kitchen's cable is {where}")
            case [_, *_]:
                _say(f"{line[:60]!r} cannot happen here: button, outage SECONDS (1-{_OUTAGE_SECONDS_MAX}), clouds 0-1, cable out, cable in")

    def step(self, now: float) -> None:
        """What time brings."""
        hours = (now - self._began) * 24 / self._day_seconds
        self._let_sun_shine(hours)
        if self._house.powered and now >= self._outage_due:
            self._cut_mains(self._house.powered.outage_seconds)
        self._pi.step(now)
        self._look_after_kitchen(now)

    def _let_sun_shine(self, hours: float) -> None:
        watts = demo_weather.household(demo_sun.HOUR + hours, self._day)
        if self._house.metered and not math.isclose(watts, self._watts):
            tell(self._house.metered.meter, f"watts {watts:.0f}")
        self._watts = watts
        if self._house.tell_sun:  # which feeds what relays switch, and circuits of its own that the meter does not see
            self._house.tell_sun(f"load {OFF_GRID * watts:.0f}")
            clouds = demo_weather.clouds(hours, self._seed)
            if clouds != self._clouds:
                self._house.tell_sun(f"clouds {clouds}")
                self._clouds = clouds

    def _cut_mains(self, seconds: int) -> None:
        if self._house.powered:
            self._house.powered.cut(seconds)
            self._outage_due = time.monotonic() + seconds + _OUTAGE_EVERY_SECONDS
            _say(f"the mains are gone, for {seconds} s")

    def _look_after_kitchen(self, now: float) -> None:
        if self._kitchen is None:
            return
        gone = halted(self._kitchen.site)
        if gone.exists():
            gone.unlink()
            self._kitchen.switch_off()
            self._kitchen_off_since = now
            _say("the kitchen has shut down with its file server")
        elif self._kitchen_off_since and self._pi.power == Power.UP and now > self._kitchen_off_since + _KITCHEN_OFF_SECONDS:
            self._kitchen_off_since = None
            self._kitchen.switch_on()
            _say("somebody has switched the kitchen on again")


def _number(text: str) -> float:
    number = state.number(text)
    return math.nan if number is None else number


def _say(what: str) -> None:
    print(f"{datetime.now():%H:%M:%S}  {what}", flush=True)
