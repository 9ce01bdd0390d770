"""What every module of the page is given: who it is, where things are, and what is known of the house."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pimains.core import paths, scan_directory
from pimains.core.clock import Clock
from pimains.core.errors import PimainsError
from pimains.core.instance import Instance
from pimains.core.scan_directory import ServiceDirectory
from pimains.web.settings import WebSettings

if TYPE_CHECKING:
    from pimains.web.live import Live

_SECONDS = 1.0  # a look at the scan directory holds for so long


class Seen:
    """The house as this service sees it."""

    def __init__(self, me: Instance, settings: WebSettings) -> None:
        self.me = me
        self.settings = settings
        self._found: list[ServiceDirectory] = []
        self._looked_at: float | None = None

    @property
    def run(self) -> Path:
        """/run/pimains."""
        return paths.run()

    @property
    def lib(self) -> Path:
        """/var/lib/pimains."""
        return paths.lib()

    @property
    def scan(self) -> Path:
        """The directory that svscan looks at: the one with this service."""
        return self.me.directory.parent

    @property
    def clock(self) -> Clock:
        """The service's."""
        return self.me.clock

    @cached_property
    def live(self) -> "Live":
        """What all services say now, and who listens to that."""
        from pimains.web.live import Live  # with aiohttp, which may not be installed yet

        return Live(self.run, self.lib, self.clock, self.me.complain)

    def instances(self) -> list[ServiceDirectory]:
        """The services there are, by name; none when the scan directory cannot be read."""
        now = self.clock.monotonic()
        if self._looked_at is None or now - self._looked_at > _SECONDS:
            self._looked_at = now
            try:
                self._found = scan_directory.found(self.scan)
            except PimainsError:
                self._found = []
        return self._found

    def of(self, service: str) -> list[ServiceDirectory]:
        """The instances of one service, by name."""
        return [each for each in self.instances() if each.service == service]
