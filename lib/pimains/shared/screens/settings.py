"""Where lines are shown, on an LCD and on a desktop: what notify, fserver and fclient may be told about that, all alike."""

from pimains.core.settings import Settings, host, optional, path, port


class ScreenSettings(Settings):
    """Those in their variables that are about screens."""

    LCD_HOST = optional(host())
    LCD_PORT = port()
    LCD_FIFO = optional(path())
    NOTIFY_HOST = optional(host())
    NOTIFY_PORT = port()
    NOTIFY_FIFO = optional(path())
