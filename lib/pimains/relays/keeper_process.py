"""The process that keeps the lines of outputs: while it has their descriptors open, the kernel leaves them as they are.

Started by keeper.py as a program of its own, in a session of its own, with few modules: it stays while services come and go. Descriptor 3
is its socket, which listens at the path that it is told. One service at a time says:

    keep NAME    with a descriptor: hold it under this name
    drop NAME    let go of it
    hand         give me what you hold: a packet for each, its name with its descriptor, then one that is "."

It ends when it holds nothing and nobody is connected, and when its socket's path is gone, as with the service's removal.
"""

import os
import select

from pimains.relays.unix_packets import accept, hear, say

_LISTENING = 3
_LOOK_SECONDS = 5.0


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
            service = accept(_LISTENING)
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
        said, line = hear(service)
        word, _, name = said.decode("utf-8", "replace").partition(" ")
        if word in ("keep", "drop") and name in held:
            os.close(held.pop(name))
        if line is not None and word == "keep":
            held[name] = line
        elif line is not None:
            os.close(line)
        if word == "hand":
            for each, kept in held.items():
                say(service, each.encode(), kept)
        if said:
            say(service, b".")
        return bool(said)
    except OSError:
        return False
