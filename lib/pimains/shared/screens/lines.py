"""Lines for LCDs and desktops, as pistop sends them: one UDP datagram or one write into a FIFO, never waited for.

LCD: `ROW COL BLANKLINES:TEXT`. Desktop: a line `summary:...`, then lines `body:...`.
"""

import errno
import os
import stat
from pathlib import Path

from pimains.core.errors import Away

LONGEST = 512  # bytes; their readers take that much at once, and a FIFO takes it whole or not at all (PIPE_BUF)
_COMPLAINTS_SECONDS = 0.5


def lcd_text(text: str, row: int = 0, blank: int = 0) -> bytes:
    """`text`, one line, for a row of an LCD; so many rows below it are emptied."""
    return _within(f"{row} 0 {blank}:{_plain(text)}") + b"\n"


def desktop_text(summary: str, body: str) -> bytes:
    """A desktop notification; lines of `body` for which there is no room are left out."""
    text = _within(f"summary:{_plain(summary)}") + b"\n"
    for line in body.splitlines() or [""]:
        more = _within(f"body:{_plain(line)}") + b"\n"
        if len(text) + len(more) > LONGEST:
            break
        text += more
    return text


def send_datagram(host: str, port: int, text: bytes, *, to_each: bool = False) -> None:
    """Send `text` by UDP: to one address of `host` after the other until one does not complain, or `to_each` of them.

    The latter is for what may come twice: nobody complains for a host that is off.
    Raises Away when the name is unknown, there is no route, or all say within half a second that nobody listens there.
    """
    import select
    import socket  # half a megabyte, only in the process that delivers

    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except OSError as error:
        raise Away(f"{host} port {port}: {error.strerror}") from None
    complaints = []
    for family, kind, protocol, _, address in found:
        try:
            with socket.socket(family, kind | socket.SOCK_NONBLOCK, protocol) as peer:
                peer.connect(address)
                peer.send(text)
                select.select([peer], [], [], _COMPLAINTS_SECONDS)
                if complaint := peer.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                    raise OSError(complaint, os.strerror(complaint))
        except OSError as error:
            complaints.append(error.strerror)
        else:
            if not to_each:
                return
    if len(complaints) == len(found):
        raise Away(f"{host} port {port}: {complaints[0]}")


def write_fifo(path: Path, text: bytes) -> None:
    """Write `text` into the FIFO `path`.

    Raises Away when it is not there or no FIFO, when nobody reads it, or when it is full.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Away(f"{path}: {'nobody reads it' if error.errno == errno.ENXIO else error.strerror}") from None
    try:
        if not stat.S_ISFIFO(os.fstat(handle).st_mode):
            raise Away(f"{path}: is no FIFO")
        os.write(handle, text)
    except BlockingIOError:
        raise Away(f"{path}: is full, nobody reads it") from None
    except OSError as error:
        raise Away(f"{path}: {error.strerror}") from None
    finally:
        os.close(handle)


def _plain(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


def _within(text: str) -> bytes:
    """At most 255 bytes of UTF-8, no character cut in two."""
    return text.encode("utf-8", "replace")[:255].decode("utf-8", "ignore").encode()
