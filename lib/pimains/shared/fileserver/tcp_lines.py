"""A TCP connection that carries short lines and never makes anybody wait."""

import errno
import os
import socket

from pimains.core.errors import Away

_READ_AT_ONCE = 2048
_LONGEST_BACKLOG = 8192


class Lines:
    """Lines over a connected or connecting socket; `fileno` is for epoll.

    The socket's kernel buffers apart, it holds one unfinished line and what could not be sent yet, both bounded.
    """

    def __init__(self, connection: socket.socket, longest: int) -> None:
        self.socket = connection
        self._longest = longest
        self._unfinished = b""
        self._unsent = b""
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # a lost beat is sent again every 0.2 s, six times, before the pauses grow: with doubling pauses from the
        # start, one lost packet in twenty would now and then look like a server that is gone
        connection.setsockopt(socket.IPPROTO_TCP, _TCP_THIN_LINEAR_TIMEOUTS, 1)

    def fileno(self) -> int:
        """For epoll."""
        return self.socket.fileno()

    def read(self) -> list[bytes]:
        """The lines that have come, without their ends.

        Raises Away when the other end has closed or cannot be reached, and when it sends a line that is too long.
        """
        try:
            data = self.socket.recv(_READ_AT_ONCE)
        except BlockingIOError:
            return []
        except OSError as error:
            raise Away(error_text(error)) from None
        if not data:
            raise Away("it closed the connection")
        *lines, self._unfinished = (self._unfinished + data).split(b"\n")
        if len(self._unfinished) > self._longest or any(len(line) > self._longest for line in lines):
            raise Away(f"it sent a line of more than {self._longest} bytes")
        return lines

    def send(self, data: bytes) -> None:
        """Send `data` and what still waits, as far as there is room now.

        Raises Away when the connection is broken, or so much waits that nobody can be reading.
        """
        self._unsent += data
        try:
            while self._unsent:
                self._unsent = self._unsent[self.socket.send(self._unsent) :]
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ENOTCONN):
                raise Away(error_text(error)) from None
        if len(self._unsent) > _LONGEST_BACKLOG:
            raise Away("it does not read what it is sent")

    def is_connected(self) -> bool:
        """Whether the other end's kernel has taken the connection, and nobody has ended it."""
        try:
            self.socket.getpeername()
        except OSError:
            return False
        return True

    def has_arrived(self) -> bool:
        """Whether the other end's kernel has acknowledged all that was sent, or has reset the connection (tcp_info of linux/tcp.h)."""
        info = self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCPI_UNACKED.stop)
        return not self._unsent and not any(info[_TCPI_UNACKED])

    def keep_alive(self) -> None:
        """Have the kernel find out within four seconds whether the other end is there: for peers that send no beats."""
        for option, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 3)):
            self.socket.setsockopt(socket.IPPROTO_TCP, option, value)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 4000)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def close(self) -> None:
        """Let go of the connection."""
        self.socket.close()


_TCP_THIN_LINEAR_TIMEOUTS = 16  # linux/tcp.h
_TCPI_UNACKED = slice(24, 28)  # the packets that are under way


def begin_connecting(address: tuple[str, int], longest: int) -> Lines:
    """A connection to `address` (numeric) that is on its way: writable when there, an error on `read` if it fails.

    Raises Away when it cannot even be tried.
    """
    host, _, scope = address[0].partition("%")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    lines = Lines(socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC), longest)
    error = lines.socket.connect_ex((host, address[1], 0, int(scope)) if scope else address)
    if error not in (0, errno.EINPROGRESS):
        lines.close()
        raise Away(os.strerror(error).lower())
    return lines


def listen(host: str, port: int, backlog: int) -> socket.socket:
    """A socket that listens without ever making accept wait; '' and 0.0.0.0 and :: are every address.

    Raises OSError.
    """
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    listener = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.setblocking(False)
        listener.bind(address)
        listener.listen(backlog)
    except OSError:
        listener.close()
        raise
    return listener


def accept(listener: socket.socket) -> tuple[socket.socket, str]:
    """The next connection and the address that it comes from; raises OSError when there is none."""
    connection, address = listener.accept()
    return connection, str(address[0]).removeprefix("::ffff:")


def error_text(error: OSError) -> str:
    """What the system says about it, as part of a sentence."""
    return (error.strerror or str(error)).lower()
