"""Whether a host is up: its TCP port PROOF, or a ping. One look at a time; what several of them prove is plan/proving.py's.

It blocks: talk.py has it done by a child. Source: connect(2), ping(8).
"""

import errno
import socket
import subprocess
from contextlib import closing

from pimains.core.errors import Away
from pimains.core.plan.text import short_line
from pimains.ups.plan.proving import REFUSES, SILENT, UP

LOOK_SECONDS = 3.0
_OUR_FAULT = (errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL)  # nothing was asked: this machine has no way there


def look(address: str, port: int | None, seconds: float = LOOK_SECONDS) -> str:
    """UP, REFUSES or SILENT; `port` None: ping. Raises Away where nothing could be asked, so that nothing is known."""
    return _ping(address, seconds) if port is None else _connect(address, port, seconds)


def _connect(address: str, port: int, seconds: float) -> str:
    try:
        found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)
    except socket.gaierror:
        raise Away(f"{address}: there is no such name now") from None
    looks, fault = set(), ""
    for family, kind, protocol, _, place in found:
        with closing(socket.socket(family, kind, protocol)) as connection:
            connection.settimeout(seconds / len(found))
            try:
                connection.connect(place)
            except ConnectionRefusedError:
                looks.add(REFUSES)
            except OSError as error:
                if error.errno in _OUR_FAULT:
                    fault = error.strerror or str(error)
                else:
                    looks.add(SILENT)
            else:
                return UP
    if not looks:
        raise Away(f"{address}: cannot be asked: {fault.lower()}")
    return REFUSES if REFUSES in looks else SILENT


def _ping(address: str, seconds: float) -> str:
    try:
        ended = subprocess.run(
            ["ping", "-n", "-q", "-c", "1", "-w", f"{max(1, round(seconds))}", "--", address],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except FileNotFoundError:
        raise Away("the program ping is missing: sudo apt install iputils-ping, or give PROOF a port") from None
    if ended.returncode in (0, 1):
        return UP if ended.returncode == 0 else SILENT
    raise Away(f"{address}: cannot be pinged: {short_line(ended.stderr).removeprefix('ping: ').lower()}")
