"""What an LCD and a desktop show of this machine, in pistop's format: that it is on, its load, that it goes off, that its music does.

Nothing here is ever waited for: a process of its own sends the lines, and is gone after some seconds whatever hangs.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from pimains.core.errors import Away
from pimains.core.forked import leave_alone
from pimains.devices import lines
from pimains.devices.address import own_name
from pimains.settings.screens import ScreenSettings

_SECONDS_MAX = 6.0
_CLEARING_SECONDS = 0.5  # an LCD's daemon takes what comes while it empties the display for one line
_ROWS = 4


class Screen(NamedTuple):
    """One place where lines are shown: a host that takes them by UDP, a FIFO, both or none."""

    name: str
    host: str | None
    port: int
    fifo: Path | None

    def show(self, texts: list[bytes]) -> None:
        """Send these, one after the other; says why that fails."""
        if self.fifo:
            self._send(f"{self.name} behind {self.fifo}", partial(lines.write_fifo, self.fifo), texts)
        if self.host:
            self._send(f"{self.name} at {self.host}", partial(lines.send_datagram, self.host, self.port), texts)

    def _send(self, name: str, way: Callable[[bytes], None], texts: list[bytes]) -> None:
        try:
            for number, text in enumerate(texts):
                if number == 1:
                    time.sleep(_CLEARING_SECONDS)
                way(text)
        except Away as why:
            print(f"{name} shows nothing: {why}", flush=True)


class HostStatus(NamedTuple):
    """What is shown of this machine, and where."""

    lcd: Screen
    desktop: Screen

    def on(self) -> None:
        """This machine is on: its load, its addresses, the time."""
        self._show(self._load)

    def off(self, word: str) -> None:
        """This machine goes off (PowerOff), or its music does (MusicOff)."""
        self._show(lambda: [f"{own_name()} {word}"])

    def _load(self) -> list[str]:
        load = " ".join(Path("/proc/loadavg").read_text(encoding="ascii").split()[:3])
        return [f"Load {load}", " ".join(_addresses()), time.strftime("%d-%m-%y %H:%M:%S"), f"{own_name()} On"]

    def _show(self, words: Callable[[], list[str]]) -> None:
        if any((self.lcd.host, self.lcd.fifo, self.desktop.host, self.desktop.fifo)):
            leave_alone(lambda: self._show_now(words()), _SECONDS_MAX)

    def _show_now(self, rows: list[str]) -> None:
        # the first line empties the others, which may show an earlier state
        self.lcd.show([lines.lcd_text(text, row, 0 if row else _ROWS - 1) for row, text in enumerate(rows) if text])
        self.desktop.show([lines.desktop_text(rows[-1], "\n".join(filter(None, rows[:-1])))])


def _addresses() -> Iterator[str]:
    """Those of this machine, as hostname -I tells them: global ones, each once."""
    import subprocess  # only in the process that sends

    said = subprocess.run(["hostname", "-I"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False, timeout=2).stdout
    for address in dict.fromkeys(said.decode("ascii", "replace").split()):
        if not address.startswith("fe80"):
            yield address


def of(settings: ScreenSettings) -> HostStatus:
    """Where a service's settings want it."""
    return HostStatus(
        Screen("LCD", settings.LCD_HOST, settings.LCD_PORT, settings.LCD_FIFO),
        Screen("desktop", settings.NOTIFY_HOST, settings.NOTIFY_PORT, settings.NOTIFY_FIFO),
    )
