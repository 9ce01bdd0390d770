"""What the fserver service may be told."""

import binascii
import os
from collections.abc import Mapping

from pimains.core.settings import choice, host, integer, key, number, optional, path, port, units
from pimains.settings.backup import BackupSettings

_ALL_ADDRESSES = ("0.0.0.0", "::")  # noqa: S104  # clients need another one


class FserverSettings(BackupSettings):
    """services/fserver/variables/."""

    HOST = host()
    PORT = port()
    SECRET = optional(key())
    MAX_CLIENTS = integer(1, 500, "number of clients")
    MDRIVE = optional(path())
    MPD_UNIT = units()
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
            "on each client (see README.md for --mdrive, --marker and --units):",
            f"  echo {values['SECRET']} |",
            f"  sudo create_service --service_name=fclient --host={host}{port} --secret=@- --add-service",
        ]

    def check_together(self) -> None:
        """Only pistop's old protocol goes without a secret; a backup needs a place."""
        super().check_together()
        if self.BACKUP:
            self.destination(self.MDRIVE)
        if not self.SECRET and not self.COMPAT:
            raise self.wrong("SECRET", "is empty; clients prove that they know it (make one with: head -c 32 /dev/urandom | base64)")
