"""What the fserver service may be told."""

from pimains.core.settings import Settings, choice, host, integer, key, number, optional, path, port, units


class FserverSettings(Settings):
    """services/fserver/variables/."""

    HOST = host()
    PORT = port()
    SECRET = optional(key())
    MAX_CLIENTS = integer(1, 500, "number of clients")
    MDRIVE = optional(path())
    MPD_UNIT = units()
    LEAVE_SECONDS_MAX = number(1, 600, "time in seconds")
    COMPAT = optional(choice("pistop"))

    def check_together(self) -> None:
        """Only pistop's old protocol goes without a secret."""
        if not self.SECRET and not self.COMPAT:
            raise self.wrong("SECRET", "is empty; clients prove that they know it (make one with: head -c 32 /dev/urandom | base64)")
