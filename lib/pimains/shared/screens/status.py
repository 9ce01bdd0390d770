"""Has an LCD and a desktop show that this machine is on, goes off, or that its music does; in pistop's format.

Nothing here is ever waited for: processes of their own send the lines, and are gone after some seconds whatever hangs.
"""

from pimains.core.process.function import leave_alone
from pimains.shared.screens.settings import ScreenSettings

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
            from pimains.shared.screens import rows  # takes its memory with it

            rows.show_on_lcd(settings, rows.rows(word))

        def desktop() -> None:
            from pimains.shared.screens import rows

            rows.show_on_desktop(settings, rows.rows(word))

        for show, wanted in (
            (lcd, settings.LCD_HOST or settings.LCD_FIFO),
            (desktop, settings.NOTIFY_HOST or settings.NOTIFY_FIFO),
        ):
            if wanted:
                leave_alone(show, _SECONDS_MAX)
