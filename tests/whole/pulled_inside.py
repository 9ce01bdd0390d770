"""What runs in the machine of tests/whole/bench/pulled_plug.py: as root and as user pimains, as fast as that goes, work for every service.

    pulled_inside.py HOST PORT

What is done for good is told to HOST at once, as lines of JSON: that is what may not be lost when the power is pulled.
"""

import asyncio
import contextlib
import itertools
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from pimains.core import clock, notify_queue, paths, state
from pimains.core.ledger import Ledger
from pimains.shared import halt_request

UP = {"halt": "ready", "meter": "delivered", "collector": "last reading", "plug": "connected", "notify": "telling"}
PINS = Path("/run/pins")
SECONDS = 240.0


class Load:
    """What one process does, and tells."""

    def __init__(self, host: str, port: int) -> None:
        self._connection = socket.create_connection((host, port))
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._numbers = itertools.count(1)
        self._ledger = Ledger()
        self._user = "root" if os.geteuid() == 0 else "pimains"

    def tell(self, what: str, value: object) -> None:
        self._connection.sendall(json.dumps([what, value]).encode() + b"\n")

    def record(self) -> None:
        """A row of the ledger; it is there for good when record returns."""
        cause = f"{clock.boot_id()} {next(self._numbers)}"
        self._ledger.record(f"load of {self._user}", "work", cause)
        self.tell("recorded", [self._user, cause])

    def post(self) -> None:
        """A message; it is in the queue for good when put returns."""
        self.tell("posted", notify_queue.put(f"a message of {self._user}", "of the load", "load"))

    def halt(self) -> None:
        """A shutdown that is asked for and called off; HALT_GRACE_SECONDS is long enough for that."""
        halt_request.ask("the load wants it", "the load")
        self._until(lambda: halt_request.accepted(), "halt to take a request")
        halt_request.cancel("the load")
        self._until(lambda: halt_request.accepted() is None, "halt to call it off")

    def come_up(self) -> None:
        """Wait until every service is well, and tell what is there that should not be."""
        begun = [f"halt goes on with {request}" for request in (halt_request.pending(),) if request]
        for name, words in UP.items():
            self._until(lambda name=name, words=words: words in _status(name), f"{name} to say {words!r}")  # type: ignore[misc]
            if name == "halt":
                begun += [f"halt goes on with {request}" for request in (halt_request.pending(),) if request]
        self.tell("up", begun)

    def _until(self, condition: Callable[[], object], what: str) -> None:
        began = time.monotonic()
        while not condition():
            if time.monotonic() > began + SECONDS:
                said = "; ".join(f"{name}: {_status(name)}" for name in UP)
                self.tell("failed", f"not within {SECONDS:.0f} s: {what}; {said}")
                time.sleep(3600)
            time.sleep(0.2)


async def _passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """From outside to the collector, which listens where it speaks no TLS on loopback only."""
    there = await asyncio.open_connection("127.0.0.1", 8460)
    await asyncio.gather(_copied(reader, there[1]), _copied(there[0], writer))


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError), contextlib.closing(writer):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


async def pass_on() -> None:
    """For as long as there is power."""
    async with await asyncio.start_server(_passed_on, "10.0.2.15", 8461) as server:
        await server.serve_forever()


def _status(name: str) -> str:
    return state.read(paths.run() / name / "status") or ""


def main(host: str, port: int) -> None:
    """For as long as there is power."""
    if os.geteuid() != 0:
        while not notify_queue.queue().is_dir() or not (paths.lib() / paths.SERVICES_LEDGER).is_dir():
            time.sleep(0.2)  # the very first boot
    load = Load(host, port)
    if os.geteuid() == 0:
        threading.Thread(target=asyncio.run, args=(pass_on(),), daemon=True).start()
        load.tell("begun", clock.boot_id())
        load.come_up()
    pins = os.open(PINS, os.O_RDWR | os.O_NONBLOCK)
    for round_ in itertools.count(1):
        if os.geteuid() == 0:
            with contextlib.suppress(BlockingIOError):
                os.write(pins, b"24 pulses 5 0.03 0.03\n")
            if round_ % 7 == 0:
                load.halt()
            if round_ % 5 == 0:  # says goodbye to its plug, which then cuts nobody, and comes back
                subprocess.run(["svc", "-t", "/etc/service/plug"], check=True)
        load.record()
        if round_ % 2 == 0:
            load.post()
        time.sleep(1)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
