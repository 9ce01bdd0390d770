"""Ports of this machine for programs of the simulated house."""

import contextlib
import socket

_MAGIC_PACKETS = 9  # AMD, Magic Packet Technology, publication 20213, names none; this is the usual one


def free_port() -> int:
    """One of 127.0.0.1 that nobody has now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether somebody could listen at that one of 127.0.0.1 now."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def listens(port: int) -> bool:
    """Whether somebody listens at that one of 127.0.0.1."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def magic_packets() -> socket.socket:
    """A socket that hears those sent to this machine and to all of its networks, beside others that do. Raises OSError."""
    ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        ear.bind(("", _MAGIC_PACKETS))
    except OSError:
        ear.close()
        raise
    return ear
