"""Other machines of the simulated house, to log in at, to shut down and to wake: python3 -m pimains.house.machines nas=02:00:00:00:00:11

Each has an SSH server on a port of 127.0.0.1 of its own. Who logs in there may have `true` and `poweroff`, and both only in this program:
nothing is executed. After `poweroff` the machine is silent as one that is off, until a magic packet for its Ethernet address comes to UDP
port 9 of this machine. --authorized is a directory with the authorized_keys of each, called as it is and read at each login.

It prints `LISTENING NAME 127.0.0.1:PORT FINGERPRINT` for each machine, then what becomes of them, and ends with its standard input.

Source: RFC 4252 to 4254, as asyncssh speaks them; AMD, Magic Packet Technology, publication 20213.
"""

import argparse
import asyncio
import contextlib
import os
import socket
import sys
import uuid
from pathlib import Path
from typing import Any

import asyncssh

from pimains.house.ports import magic_packets

_NO_SUCH_PROGRAM = 127


class Machine:
    """One of them; `mac` is its Ethernet address, `authorized` its authorized_keys."""

    def __init__(self, name: str, mac: str, authorized: Path, *, halt_seconds: float, boot_seconds: float) -> None:
        self.name = name
        self.packet = b"\xff" * 6 + bytes.fromhex(mac.replace(":", "")) * 16
        self.authorized = authorized
        self.connections: set[Any] = set()
        self._halt_seconds, self._boot_seconds = halt_seconds, boot_seconds
        self._key = asyncssh.generate_private_key("ssh-ed25519")
        self._port = 0
        self._server: Any = None
        self._off: contextlib.ExitStack | None = None
        self._boot_id = ""
        self._changing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Answer from now on, in another boot than before."""
        if self._off:
            self._off.close()
            self._off = None
        self._boot_id = str(uuid.uuid4())
        self._server = await asyncssh.listen(
            "127.0.0.1",
            self._port,
            reuse_address=True,
            server_host_keys=[self._key],
            server_factory=lambda: _Doorkeeper(self),
            process_factory=self._asked,
        )
        self._port = self._server.sockets[0].getsockname()[1]

    @property
    def at(self) -> str:
        """Where it is, and the fingerprint of its host key."""
        return f"127.0.0.1:{self._port} {self._key.get_fingerprint()}"

    def heard(self, packet: bytes) -> None:
        """What a network card hears while its machine is off."""
        if self._off and self.packet in packet and self._changing is None:
            print(f"{self.name}: a magic packet: it starts", flush=True)
            self._changing = asyncio.ensure_future(self._come_up())

    def _asked(self, process: Any) -> None:
        process.stdout.write(f"{self._boot_id}\n")
        if process.command == "poweroff" and self._changing is None:
            print(f"{self.name}: poweroff (a simulated one)", flush=True)
            self._changing = asyncio.ensure_future(self._go_down())
        known = process.command in ("true", "poweroff")
        if not known:
            process.stderr.write("there are true and poweroff\n")
        process.exit(0 if known else _NO_SUCH_PROGRAM)

    async def _go_down(self) -> None:
        await asyncio.sleep(self._halt_seconds)
        self._server.close()
        await self._server.wait_closed()
        for each in [*self.connections]:
            each.abort()
        self._off = _silent(self._port)
        self._changing = None
        print(f"{self.name}: off", flush=True)

    async def _come_up(self) -> None:
        await asyncio.sleep(self._boot_seconds)
        await self.start()
        self._changing = None
        print(f"{self.name}: up", flush=True)


class _Doorkeeper(asyncssh.SSHServer):  # type: ignore[misc]  # asyncssh is not there when types are checked
    """Who may log in at a machine: one whose key is in its authorized_keys."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._connection: Any = None

    def connection_made(self, conn: Any) -> None:
        self._connection = conn
        self._machine.connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # so asyncssh calls it
        self._machine.connections.discard(self._connection)

    def begin_auth(self, username: str) -> bool:  # noqa: ARG002  # so asyncssh calls it
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: Any) -> bool:  # noqa: ARG002  # the same
        with contextlib.suppress(OSError):
            return key.export_public_key().decode("ascii").split()[1] in self._machine.authorized.read_text(encoding="utf-8").split()
        return False


class _NetworkCards(asyncio.DatagramProtocol):
    """Those of all machines."""

    def __init__(self, machines: list[Machine]) -> None:
        self._machines = machines

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:  # noqa: ARG002  # so asyncio calls it
        for each in self._machines:
            each.heard(data)


def _silent(port: int) -> contextlib.ExitStack:
    """Have nobody answer at this port until it is closed: the queue of a listener is full, and the kernel drops who knocks."""
    stack = contextlib.ExitStack()
    listener = stack.enter_context(socket.socket())
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(0)
    for _ in range(2):
        filler = stack.enter_context(socket.socket())
        filler.setblocking(False)
        filler.connect_ex(("127.0.0.1", port))
    return stack


async def main(options: argparse.Namespace) -> None:
    """Let them live until standard input ends."""
    seconds = {"halt_seconds": options.halt_seconds, "boot_seconds": options.boot_seconds}
    machines = [Machine(name, mac, options.authorized / name, **seconds) for name, mac in (each.split("=") for each in options.machines)]
    loop = asyncio.get_running_loop()
    cards, _ = await loop.create_datagram_endpoint(lambda: _NetworkCards(machines), sock=magic_packets())
    for each in machines:
        await each.start()
        print(f"LISTENING {each.name} {each.at}", flush=True)
    ended = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), lambda: None if os.read(sys.stdin.fileno(), 4096) else ended.set())
    await ended.wait()
    cards.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python3 -m pimains.house.machines", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("machines", nargs="+", metavar="NAME=MAC", help="one machine")
    parser.add_argument("--authorized", type=Path, required=True, metavar="DIRECTORY", help="with the authorized_keys of each, NAME")
    parser.add_argument("--halt-seconds", type=float, default=2, help="from poweroff until it is off (default: %(default)s)")
    parser.add_argument("--boot-seconds", type=float, default=3, help="from a magic packet until it answers (default: %(default)s)")
    asyncio.run(main(parser.parse_args()))
