"""create_service --demo: a simulated house on this machine, to see what the services do before trusting them with a Pi.

Installs the packages (from a checkout they are built first), then starts a scan directory of its own below /tmp: halt,
whose HALT_COMMAND only writes down that it was called; plug, against a simulated plug speaking ESPHome's protocol; meter,
at pins that a simulated electricity meter moves, and the collector that it delivers to, with its page; vedirect, at a
solar charger and a battery monitor of a simulated sun; relays, whose loads that sun and its battery feed, and rules that
switch them; ups, at a UPS of NUT's own dummy-ups with two simulated machines on it.
Nothing of it can halt this machine, and nothing of it is left when it ends, nor by the next one when it was killed.

At a terminal the house lives on until ^C (demo_live.py); where nobody watches it tells its story (demo_story.py).
"""

import os
import signal
import sys
from pathlib import Path

from pimains.house import demo_house, demo_leftovers, demo_live, demo_packages, demo_story, demo_sun
from pimains.house.demo_failed import DemoFailed
from pimains.house.demo_site import Site

_INTERRUPTED = 130
_INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(*, install: bool, story: bool) -> int:
    """Show it all; returns the exit code. `install`: build and install the packages first; `story`: tell it also to who watches."""
    for number in _INTERRUPTS:
        signal.signal(number, _interrupted)
    is_story = story or not sys.stdout.isatty()
    try:
        if cleared := demo_leftovers.clear_others():
            print(f"Cleared what was left of {cleared} earlier {'demos' if cleared > 1 else 'demo'} that could not say goodbye")
        if install:
            demo_packages.install()
        with demo_leftovers.directory() as root:
            site = Site(root, quiet=not is_story)
            if is_story:
                with demo_house.furnished(site, demo_sun.STORY) as house:
                    demo_story.tell(house)
            else:
                demo_live.live(site)
    except KeyboardInterrupt:
        print("\nStopped and cleaned up; the packages stay until: apt purge pimains")
        return _INTERRUPTED
    except DemoFailed as failure:
        print(f"create_service --demo: {failure}", file=sys.stderr)
        return 1
    return 0


def _interrupted(number: int, _: object) -> None:
    """Clean up, which nothing interrupts; a terminal that was closed hears nothing more."""
    for each in _INTERRUPTS:
        signal.signal(each, signal.SIG_IGN)
    if number == signal.SIGHUP:
        with Path(os.devnull).open("w") as nowhere:
            for stream in (sys.stdout, sys.stderr):
                os.dup2(nowhere.fileno(), stream.fileno())
    raise KeyboardInterrupt
