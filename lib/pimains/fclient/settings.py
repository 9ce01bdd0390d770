"""What the fclient service may be told."""

from pimains.core.settings import Setting, choice, flag, host, key, number, optional, path, port, units
from pimains.shared.backup.settings import BackupSettings
from pimains.shared.screens.settings import ScreenSettings


def marker() -> Setting[str]:
    """A name on the share: no way out of it."""

    def parse(text: str) -> str:
        if text.startswith("/") or ".." in text.split("/"):
            raise ValueError
        return text

    return Setting(parse, "name on the share", "without / at its beginning and without ..", may_be_empty=True)


class FclientSettings(BackupSettings, ScreenSettings):
    """services/fclient/variables/."""

    HOST = host()
    PORT = port()
    SECRET = optional(key())
    NAME = optional(host())
    MDRIVE = path()
    MARKER = marker()
    UNITS = units()
    HOOKS = optional(path())
    STEP_SECONDS_MAX = number(0.5, 600, "time in seconds")
    FORCE_UMOUNT = flag()
    POWER_OFF = optional(choice("0", "1", "told"))
    RETRY_SECONDS_MAX = number(2, 3600, "time in seconds")
    COMPAT = optional(choice("pistop"))

    def check_together(self) -> None:
        """Only pistop's old protocol goes without a secret; "/" is no share."""
        super().check_together()
        if not self.SECRET and not self.COMPAT:
            raise self.wrong("SECRET", "is empty; it has to be the server's: see variables/SECRET of its fserver")
        if str(self.MDRIVE).rstrip("/") == "":
            raise self.wrong("MDRIVE", "'/' is no share")
