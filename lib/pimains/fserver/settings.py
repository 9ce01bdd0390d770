"""What the fserver service may be told."""

import binascii
import os
import re
from collections.abc import Mapping

from pimains.core.settings import Setting, choice, host, integer, key, number, optional, path, port, units
from pimains.shared.backup.settings import BackupSettings
from pimains.shared.screens.settings import ScreenSettings

_ALL_ADDRESSES = ("0.0.0.0", "::")  # noqa: S104  # clients need another one


def usb_location() -> Setting[list[str]]:
    """USB hubs as uhubctl and the kernel name them: the bus, and below a root hub the ports that lead there."""

    def parse(text: str) -> list[str]:
        hubs = text.split()
        if not all(re.fullmatch(r"[0-9]{1,3}(-[0-9]{1,3}(\.[0-9]{1,3})*)?", hub) for hub in hubs):
            raise ValueError
        return hubs

    allowed = "such as 2 or 1-1.4, as uhubctl lists them, several with blanks between, or empty"
    return Setting(parse, "location of a USB hub", allowed, may_be_empty=True)


def usb_ports() -> Setting[str]:
    """Ports of a USB hub, as uhubctl takes them."""

    def parse(text: str) -> str:
        if text and not re.fullmatch(r"[0-9]{1,2}([,-][0-9]{1,2})*", text):
            raise ValueError
        return text

    return Setting(parse, "list of ports", "such as 2 or 1,3 or 1-4, or empty", may_be_empty=True)


class FserverSettings(BackupSettings, ScreenSettings):
    """services/fserver/variables/."""

    HOST = host()
    PORT = port()
    SECRET = optional(key())
    MAX_CLIENTS = integer(1, 500, "number of clients")
    MDRIVE = optional(path())
    HOOKS = optional(path())
    MPD_UNIT = units()
    STOP_UNITS = units()
    USB_LOCATION = usb_location()
    USB_PORTS = usb_ports()
    LEAVE_SECONDS_MAX = number(1, 600, "time in seconds")
    COMPAT = optional(choice("pistop"))

    @classmethod
    def made_up(cls, given: Mapping[str, str]) -> dict[str, str]:
        """A secret, unless there is one."""
        return {} if "SECRET" in given else {"SECRET": binascii.b2a_base64(os.urandom(32), newline=False).decode()}

    @classmethod
    def advice(cls, values: Mapping[str, str]) -> list[str]:
        """The command for the clients; the secret is in no process's words, where others could see it."""
        host = os.uname().nodename if values["HOST"] in _ALL_ADDRESSES else values["HOST"]
        port = "" if values["PORT"] == "5555" else f" --port={values['PORT']}"
        return [
            "on each client (pimains help fclient tells of --mdrive, --marker and --units):",
            f"  echo {values['SECRET']} |",
            f"  sudo create_service --service_name=fclient --host={host}{port} --secret=@- --add-service",
        ]

    def check_together(self) -> None:
        """Only pistop's old protocol goes without a secret; a backup needs a place, USB power a drive."""
        super().check_together()
        if self.BACKUP:
            self.destination(self.MDRIVE)
        if self.MDRIVE and str(self.MDRIVE).rstrip("/") == "":
            raise self.wrong("MDRIVE", "'/' is no drive: it is this machine's own file system")
        if self.USB_LOCATION and not self.MDRIVE:
            raise self.wrong("USB_LOCATION", "needs MDRIVE: its power goes off only once that drive is unmounted")
        if self.USB_PORTS and not self.USB_LOCATION:
            raise self.wrong("USB_PORTS", "needs USB_LOCATION: of which hub?")
        if not self.SECRET and not self.COMPAT:
            raise self.wrong("SECRET", "is empty; clients prove that they know it (make one with: head -c 32 /dev/urandom | base64)")
