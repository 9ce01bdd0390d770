"""Packets at a Unix socket (SOCK_SEQPACKET) that carry a descriptor, by libc's own calls.

Python's module socket would cost a service 0.3 MB, and the keeper of pins a megabyte, a quarter of all that it takes. The structures are
those of unix(7), cmsg(3) and recvmsg(2) with glibc.
"""

import ctypes
import errno
import os
import select

TYPE_CHECKING = False  # from typing, it would cost more than socket does
if TYPE_CHECKING:
    from collections.abc import Callable

PACKET_BYTES = 256
_UNIX, _SEQPACKET, _CLOSE_ON_EXEC = 1, 5, 0o2000000
_SOL_SOCKET, _RIGHTS = 1, 1  # of Linux, whatever the machine
_PATH_BYTES = 108
_libc = ctypes.CDLL(None, use_errno=True)


class _Address(ctypes.Structure):
    """struct sockaddr_un."""

    _fields_ = (("family", ctypes.c_ushort), ("path", ctypes.c_char * _PATH_BYTES))


class _Part(ctypes.Structure):
    """struct iovec."""

    _fields_ = (("at", ctypes.c_void_p), ("size", ctypes.c_size_t))


class _Handed(ctypes.Structure):
    """struct cmsghdr with one descriptor behind it."""

    _fields_ = (("size", ctypes.c_size_t), ("level", ctypes.c_int), ("kind", ctypes.c_int), ("line", ctypes.c_int))


_HANDED_BYTES = _Handed.line.offset + ctypes.sizeof(ctypes.c_int)


class _Packet(ctypes.Structure):
    """struct msghdr, with room for a text and for one descriptor."""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_size", ctypes.c_uint),
        ("parts", ctypes.POINTER(_Part)),
        ("part_count", ctypes.c_size_t),
        ("handed", ctypes.POINTER(_Handed)),
        ("handed_size", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


def connect(path: str) -> int:
    """A descriptor of a connection to whoever listens there. Raises OSError."""
    return _socket(_libc.connect, path)


def listen(path: str) -> int:
    """A descriptor at which connections to a new `path` can be accepted. Raises OSError."""
    listening = _socket(_libc.bind, path)
    try:
        _call(_libc.listen, listening, 2)
    except OSError:
        os.close(listening)
        raise
    return listening


def accept(listening: int) -> int:
    """The next connection. Raises OSError."""
    return _call(_libc.accept, listening, None, None)


def say(connection: int, said: bytes, line: int | None = None) -> None:
    """Send a packet, with a descriptor. Raises OSError."""
    handed = None if line is None else _Handed(_HANDED_BYTES, _SOL_SOCKET, _RIGHTS, line)
    text = ctypes.create_string_buffer(said, len(said))
    packet = _packet(text, len(said), handed)
    _call(_libc.sendmsg, connection, ctypes.byref(packet), 0)


def hear(connection: int, seconds: float | None = None) -> tuple[bytes, int | None]:
    """A packet and the descriptor that came with it; b"" when nobody is there any more. Raises OSError, also after `seconds`."""
    if seconds is not None and not select.select([connection], [], [], seconds)[0]:
        raise TimeoutError("no answer")
    text, handed = ctypes.create_string_buffer(PACKET_BYTES), _Handed()
    packet = _packet(text, PACKET_BYTES, handed)
    size = _call(_libc.recvmsg, connection, ctypes.byref(packet), 0)
    has_line = packet.handed_size >= _HANDED_BYTES and (handed.level, handed.kind) == (_SOL_SOCKET, _RIGHTS)
    return text.raw[:size], handed.line if has_line else None


def _socket(at: "Callable[..., int]", path: str) -> int:
    name = os.fsencode(path)
    if len(name) >= _PATH_BYTES:
        raise OSError(f"{path} is too long for a socket")
    made = _call(_libc.socket, _UNIX, _SEQPACKET | _CLOSE_ON_EXEC | os.O_NONBLOCK, 0)  # who listens and never accepts is not waited for
    address = _Address(_UNIX, name)
    try:
        _call(at, made, ctypes.byref(address), ctypes.sizeof(address))
    except OSError:
        os.close(made)
        raise
    os.set_blocking(made, True)
    return made


def _packet(text: "ctypes.Array[ctypes.c_char]", size: int, handed: _Handed | None) -> _Packet:
    """Of `text`, which has to be kept as long as the packet is in use."""
    part = _Part(ctypes.addressof(text), size)
    if handed is None:
        return _Packet(None, 0, ctypes.pointer(part), 1, None, 0, 0)
    return _Packet(None, 0, ctypes.pointer(part), 1, ctypes.pointer(handed), _HANDED_BYTES, 0)


def _call(function: "Callable[..., int]", *arguments: object) -> int:
    """What a call of libc's returns. Raises OSError."""
    while (result := function(*arguments)) < 0:
        number = ctypes.get_errno()
        if number != errno.EINTR:
            raise OSError(number, os.strerror(number))
    return result
