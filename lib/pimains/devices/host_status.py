"""Has an LCD and a desktop show that this machine is on, goes off, or that its music does; in pistop's format.

Nothing here is ever waited for: processes of their own send the lines, and are gone after some seconds whatever hangs.
"""

from pimains.core.forked import leave_alone
from pimains.settings.screens import ScreenSettings

_SECONDS_MAX = 6.0


class HostStatus:
    """What is shown of this machine, where a service's settings want it."""

    def __init__(self, settings: ScreenSettings) -> None:
        self._settings = settings

    def on(self) -> None:
        """This machine is on: its load, its addresses, the time."""
        self._show("")

    def off(self, word: str) -> None:
        """This machine goes off (PowerOff), or its music does (MusicOff)."""
        self._show(word)

    def _show(self, word: str) -> None:
        settings = self._settings

        def lcd() -> None:
            from pimains.devices import screens  # takes its memory with it

            screens.show_on_lcd(settings, screens.rows(word))

        def desktop() -> None:
            from pimains.devices import screens

            screens.show_on_desktop(settings, screens.rows(word))

        for show, wanted in (
            (lcd, settings.LCD_HOST or settings.LCD_FIFO),
            (desktop, settings.NOTIFY_HOST or settings.NOTIFY_FIFO),
        ):
            if wanted:
                leave_alone(show, _SECONDS_MAX)
