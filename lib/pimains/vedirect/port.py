"""A serial port at which a device speaks VE.Direct's text mode: 19200 bits a second, 8N1 (pyserial).

Raises PortAway while it cannot be read; trying again later may help.
"""

import errno
import grp
from contextlib import suppress
from pathlib import Path

import serial

from pimains.core.errors import Away

BAUD = 19200
_READ_BYTES_MAX = 4096
_MISSING = "is not there: is its cable plugged in?"
_UNPLUGGED = "was unplugged"
_WHY = {
    errno.ENOENT: _MISSING,
    errno.EAGAIN: "is in use by another program",
    errno.EBUSY: "is in use by another program",
}


class PortAway(Away):
    """The port is not there, or not ours; the text is what is the matter, to be read after the port's name.

    `kind` is the same for all that one cause brings: a cable that is pulled out is missing afterwards.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.kind = "gone" if why in (_MISSING, _UNPLUGGED) else why


class Port:
    """The port at `path`, open, and nobody else's until it is closed."""

    def __init__(self, path: Path) -> None:
        try:
            self._serial = serial.Serial(str(path), BAUD, timeout=0, exclusive=True)
        except (OSError, ValueError) as error:  # SerialException is an OSError
            raise PortAway(_why(path, error)) from None

    def fileno(self) -> int:
        """The descriptor to wait at."""
        return int(self._serial.fileno())

    def read(self) -> bytes:
        """What has come; never waits."""
        try:
            return bytes(self._serial.read(_READ_BYTES_MAX))
        except OSError:
            raise PortAway(_UNPLUGGED) from None

    def close(self) -> None:
        """Let others have it."""
        with suppress(OSError):
            self._serial.close()


def _why(path: Path, error: OSError | ValueError) -> str:
    number = getattr(error, "errno", None)
    if number in _WHY:
        return _WHY[number]
    if number in (errno.EACCES, errno.EPERM):
        return f"is for the group {_group(path)}: sudo adduser pimains {_group(path)}"
    return "is no serial port" if number is None else f"cannot be read: {errno.errorcode.get(number, str(number))}"


def _group(path: Path) -> str:
    try:
        return grp.getgrgid(path.stat().st_gid).gr_name
    except (OSError, KeyError):
        return "dialout"
