"""The process that keeps the lines of outputs: while it has their descriptors open, the kernel leaves them as they are.

Started by keeper.py as a program of its own, in a session of its own, with few modules: it stays while services come and go. Descriptor 3
is its socket, which listens at the path that it is told. One service at a time says:

    keep NAME    with a descriptor: hold it under this name
    drop NAME    let go of it
    hand         give me what you hold: a packet for each, its name with its descriptor, then one that is "."

It ends when it holds nothing and nobody is connected, and when its socket's path is gone, as with the service's removal.
It talks by libc's sendmsg(2) and recvmsg(2), because Python's module socket costs it a megabyte, a quarter of all that it takes.
"""

import ctypes
import os
import select

PACKET_BYTES = 256
_LISTENING = 3
_LOOK_SECONDS = 5.0
_SOL_SOCKET, _SCM_RIGHTS = 1, 1  # of Linux, whatever the machine
_libc = ctypes.CDLL(None, use_errno=True)


class _Part(ctypes.Structure):
    """struct iovec."""

    _fields_ = (("at", ctypes.c_void_p), ("size", ctypes.c_size_t))


class _Handed(ctypes.Structure):
    """struct cmsghdr with one descriptor behind it (cmsg(3))."""

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


def main(path: str) -> None:
    """Keep lines until there are none, or the path is gone."""
    os.chdir("/")
    number = os.stat(path).st_ino
    held: dict[str, int] = {}
    service: int | None = None
    while service is not None or held or select.select([_LISTENING], [], [], _LOOK_SECONDS)[0]:
        ready = select.select([_LISTENING, *([] if service is None else [service])], [], [], _LOOK_SECONDS)[0]
        if service is not None and service in ready and not _obey(service, held):
            os.close(service)
            service = None
        if _LISTENING in ready:
            if service is not None:  # the one before has ended, or its successor is here
                os.close(service)
            service = _done(_libc.accept(_LISTENING, None, None))
        if not _is_there(path, number):
            return


def _is_there(path: str, number: int) -> bool:
    try:
        return os.stat(path).st_ino == number
    except OSError:
        return False


def _obey(service: int, held: dict[str, int]) -> bool:
    """Whether it goes on."""
    try:
        said, line = _hear(service)
        word, _, name = said.decode("utf-8", "replace").partition(" ")
        if word in ("keep", "drop") and name in held:
            os.close(held.pop(name))
        if line is not None and word == "keep":
            held[name] = line
        elif line is not None:
            os.close(line)
        if word == "hand":
            for each, kept in held.items():
                _say(service, each.encode(), kept)
        if said:
            _say(service, b".")
        return bool(said)
    except OSError:
        return False


def _hear(service: int) -> tuple[bytes, int | None]:
    """A packet and the descriptor that came with it; b"" when nobody is there any more. Raises OSError."""
    text, handed = ctypes.create_string_buffer(PACKET_BYTES), _Handed()
    packet = _packet(text, PACKET_BYTES, handed)
    size = _done(_libc.recvmsg(service, ctypes.byref(packet), 0))
    has_line = packet.handed_size >= _HANDED_BYTES and (handed.level, handed.kind) == (_SOL_SOCKET, _SCM_RIGHTS)
    return text.raw[:size], handed.line if has_line else None


def _say(service: int, said: bytes, line: int | None = None) -> None:
    """Send a packet, with a descriptor. Raises OSError."""
    handed = None if line is None else _Handed(_HANDED_BYTES, _SOL_SOCKET, _SCM_RIGHTS, line)
    text = ctypes.create_string_buffer(said, len(said))
    packet = _packet(text, len(said), handed)
    _done(_libc.sendmsg(service, ctypes.byref(packet), 0))


def _packet(text: "ctypes.Array[ctypes.c_char]", size: int, handed: _Handed | None) -> _Packet:
    """Of `text`, which has to be kept as long as the packet is in use."""
    part = _Part(ctypes.addressof(text), size)
    if handed is None:
        return _Packet(None, 0, ctypes.pointer(part), 1, None, 0, 0)
    return _Packet(None, 0, ctypes.pointer(part), 1, ctypes.pointer(handed), _HANDED_BYTES, 0)


def _done(result: int) -> int:
    """What a call of libc's returned. Raises OSError."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
