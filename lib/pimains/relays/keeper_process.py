"""The process that keeps the lines of outputs: while it has their descriptors open, the kernel leaves them as they are.

Started by keeper.py as a program of its own, in a session of its own, with few modules: it stays while services come and go. Descriptor 3
is its socket, which listens at the path that it is told. One service at a time says:

    keep NAME    with a descriptor: hold it under this name
    drop NAME    let go of it
    hand         give me what you hold: a packet for each, its name with its descriptor, then one that is "."

It ends when it holds nothing and nobody is connected, and when its socket's path is gone, as with the service's removal.
"""

import array
import os
import select
import socket

PACKET_BYTES = 256
_LOOK_SECONDS = 5.0


def main(path: str) -> None:
    """Keep lines until there are none, or the path is gone."""
    os.chdir("/")
    listening = socket.socket(fileno=3)
    number = os.stat(path).st_ino
    held: dict[str, int] = {}
    service: socket.socket | None = None
    while service or held or select.select([listening], [], [], _LOOK_SECONDS)[0]:
        ready = select.select([listening, *([service] if service else [])], [], [], _LOOK_SECONDS)[0]
        if service in ready and service and not _obey(service, held):
            service.close()
            service = None
        if listening in ready:
            if service:  # the one before has ended, or its successor is here
                service.close()
            service = listening.accept()[0]
        if not _is_there(path, number):
            return


def _is_there(path: str, number: int) -> bool:
    try:
        return os.stat(path).st_ino == number
    except OSError:
        return False


def _obey(service: socket.socket, held: dict[str, int]) -> bool:
    """Whether it goes on."""
    try:
        said, ancillary, _, _ = service.recvmsg(PACKET_BYTES, socket.CMSG_SPACE(4))
        lines = array.array("i")
        for level, kind, data in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                lines.frombytes(data[: len(data) - len(data) % lines.itemsize])
        word, _, name = said.decode("utf-8", "replace").partition(" ")
        if word in ("keep", "drop") and name in held:
            os.close(held.pop(name))
        if word == "keep" and lines:
            held[name] = lines.pop(0)
        for line in lines:
            os.close(line)
        if word == "hand":
            for each, line in held.items():
                service.sendmsg([each.encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [line]))])
            service.send(b".")
        elif said:
            service.send(b".")
        return bool(said)
    except OSError:
        return False
