"""The demo's plug: a simulated one with a meter in it, which feeds the machine that shuts down."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import IO

from pimains.house.demo_site import Site, in_background, listening, tell

IDLE_WATTS = 2
UP_WATTS = 4.0
HALTED_WATTS = 0.6


class Plug:
    """What happens to it, and what becomes of its relay; `relay_changed` is called with whether it is closed by now."""

    def __init__(self, site: Site, program: IO[str], port: int) -> None:
        self.port = port
        self.relay_opened = threading.Event()
        self.relay_changed: Callable[[bool], None] = lambda _: None
        self._site = site
        self._program = program

    def tell(self, command: str) -> None:
        """Something happens to the plug or to what is behind it (plug.py)."""
        tell(self._program, command)

    def follow(self, said: IO[str]) -> None:
        """Hear what it says, until it ends."""
        for line in said:
            self._site.say(f"(plug) {line}")
            if line.startswith("relay off"):
                self.relay_opened.set()
            if line.startswith("relay "):
                self.relay_changed(line.startswith("relay on"))


@contextlib.contextmanager
def plugged_in(site: Site) -> Iterator[Plug]:
    """It is there until the end; its service is not made yet."""
    with site.program("plug", "--port", "0", "--metering") as (program, said):
        plug = Plug(site, program, int(listening(said)[0].rsplit(":", 1)[1]))
        in_background(plug.follow, said)
        try:
            yield plug
        finally:
            plug.tell("quit")


def make(site: Site, plug: Plug) -> None:
    """The service."""
    site.command(
        "create_service", "--service_name=plug", "--host=127.0.0.1", f"--port={plug.port}", f"--idle_watts={IDLE_WATTS}", *site.create
    )
