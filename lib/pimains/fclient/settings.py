"""What the fclient service may be told."""

from contextlib import suppress
from pathlib import Path

from pimains.core.errors import WrongSetting
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


def wrong_by_now(directory: Path) -> str:
    """What is wrong with the settings in a service directory as they are now, edited since they were read; "" if nothing is."""
    from pimains.core import templates  # asked for at the end only

    given = {}
    for name in FclientSettings.declared():
        with suppress(OSError):
            given[name] = templates.first_line((directory / "variables" / name).read_text(encoding="utf-8", errors="replace"))
    try:
        FclientSettings(given)
    except WrongSetting as wrong:
        return str(wrong)
    return ""
