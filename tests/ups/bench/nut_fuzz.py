#!/usr/bin/env python3
"""A million answers of upsd's with something changed: no exception but ours, no value that was not said, memory bounded.

    tests/ups/bench/nut_fuzz.py [ANSWERS [SEED]]

Each goes over a real socket to what asks through nut2. Answers are real ones with bytes changed, left out, put in, repeated or taken from
another one; random bytes; and real ones as they are.
"""

import contextlib
import queue
import random
import resource
import socket
import sys
import threading
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "lib"))

from tests.ups.nut2_library import NUT2  # only findable now

sys.path.append(str(NUT2))

from pimains.core.errors import Away, WrongSetting  # only findable now
from pimains.ups import connection  # only findable now
from pimains.ups.replies import ErrorReply  # only findable now
from tests.ups.nuts import Nut, nut  # only findable now

_ANSWERS = {
    "variables": b'BEGIN LIST VAR eaton\nVAR eaton ups.status "OB LB"\nVAR eaton ups.id "a \\"b\\" \\\\c"\nVAR eaton battery.charge "9"\n'
    b"END LIST VAR eaton\n",
    "variable": b'VAR eaton ups.status "OL"\n',
    "clients": b"BEGIN LIST CLIENT eaton\nCLIENT eaton 127.0.0.1\nCLIENT eaton ::1\nEND LIST CLIENT eaton\n",
    "log_in": b"OK\n",
    "become_primary": b"OK PRIMARY-GRANTED\n",
    "force_shutdown": b"OK FSD-SET\n",
    "command": b"OK TRACKING 00-ff\n",
    "log_out": b"OK Goodbye\n",
}
_ERRORS = [b"ERR DATA-STALE\n", b"ERR ACCESS-DENIED\n", b"ERR UNKNOWN-UPS\n", b"ERR UNKNOWN-COMMAND\n", b"ERR USERNAME-REQUIRED\n"]
_WORDS = {"variable": ("ups.status",), "command": ("shutdown.return",)}


def mutated(chance: random.Random, answer: bytes) -> bytes:
    """Something that nobody means."""
    others = [*_ANSWERS.values(), *_ERRORS]
    found = bytearray(answer)
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
        at, kind = chance.randrange(len(found) + 1), chance.randrange(8)
        if kind == 0:
            found[at : at + 1] = chance.randbytes(1)
        elif kind == 1:
            del found[at : at + chance.randrange(1, 20)]
        elif kind == 2:
            found[at:at] = chance.randbytes(chance.randrange(1, 20))
        elif kind == 3:
            found[at:at] = chance.choice((b'"', b"\\", b"\n", b"\r\n", b" ", b"\0", b"\xff", b"OB LB", b"FSD", b"END LIST VAR eaton\n"))
        elif kind == 4:
            found = found[:at] + bytearray(chance.choice(others))[at:]
        elif kind == 5:
            found += chance.choice(others)
        elif kind == 6:
            found = bytearray(chance.choice(others))
        else:
            found = bytearray(chance.randbytes(chance.randrange(300)))
    return bytes(found)


class _Near(socket.socket):
    """One end of a pair: there is no TCP between them."""

    def setsockopt(self, *_: object) -> None:  # type: ignore[override]  # for all of its kinds
        """Nothing to be set."""


class Answering:
    """The other end: hears a request, gives the answer that it was told, and is gone."""

    def __init__(self) -> None:
        self._told: queue.SimpleQueue[tuple[socket.socket, bytes]] = queue.SimpleQueue()
        threading.Thread(target=self._answer, daemon=True).start()

    def tell(self, said: bytes) -> socket.socket:
        """A connection to it, for one answer."""
        ours, theirs = socket.socketpair()
        self._told.put((theirs, said))
        return _Near(fileno=ours.detach())

    def _answer(self) -> None:
        while True:
            theirs, said = self._told.get()
            with theirs, contextlib.suppress(OSError):
                theirs.recv(4096)
                theirs.sendall(said)


def fuzz(count: int, seed: int) -> Counter[str]:
    """How many answers met which end; raises AssertionError for a value that was not said, and whatever else was raised."""
    chance, ends, answering = random.Random(seed), Counter[str](), Answering()
    for _ in range(count):
        name = chance.choice(list(_ANSWERS))
        said = mutated(chance, _ANSWERS[name])
        asking = nut(1)
        asking.use(connection.Connection(answering.tell(said), "127.0.0.1"))
        ends[_end(asking, name, said)] += 1
        asking.close()
    return ends


def _end(asking: Nut, name: str, said: bytes) -> str:
    try:
        got = getattr(asking, name)(*_WORDS.get(name, ()))
    except (Away, WrongSetting, ErrorReply) as error:
        return type(error).__name__
    texts = [*got, *got.values()] if isinstance(got, dict) else [got] if isinstance(got, str) else got or []
    heard = (said.decode("latin-1") + said.decode("utf-8", "replace")).replace("\\", "")
    assert all(text.isprintable() for text in texts), said
    assert all(word.replace("\\", "") in heard for text in texts for word in text.split()), said
    return "answered"


def main(count: int = 1_000_000, seed: int = 1) -> None:
    """Print how it went."""
    fuzz(1000, seed)
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ends = fuzz(count, seed)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(f"{count} answers in {time.monotonic() - began:.0f} s: {dict(ends)}; {grown} KiB more memory at most")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
