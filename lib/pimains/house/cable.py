"""The cable between the simulated house's machine in a network namespace of its own and this one: TCP, until it is pulled.

    python3 -m pimains.house.cable --machine PID 5555=40123

Who connects to port 5555 of 127.0.0.1 in the network of process PID reaches port 40123 of 127.0.0.1 out here. No interface is made for
it. Lines on its standard input, by whose end it ends: `out`: what is under way stays so, and nobody hears anything; `in`.

Source: network_namespaces(7), setns(2), netdevice(7).
"""

import argparse
import asyncio
import contextlib
import ctypes
import fcntl
import os
import socket
import struct
import sys
from pathlib import Path

_CLONE_NEWNET = 0x40000000  # sched.h
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 0x1  # sockios.h, if.h
_INTERFACE = struct.Struct("16sh22x")  # struct ifreq, with flags


class Cable:
    """All connections through it; `is_in`: whether it is plugged in."""

    def __init__(self) -> None:
        self.is_in = asyncio.Event()
        self.is_in.set()

    async def carry(self, near: tuple[asyncio.StreamReader, asyncio.StreamWriter], port: int) -> None:
        """One connection, to this port out here, until either end has had enough."""
        with contextlib.suppress(OSError):
            far = await asyncio.open_connection("127.0.0.1", port)
            try:
                await asyncio.gather(self._pour(near[0], far[1]), self._pour(far[0], near[1]))
            finally:
                far[1].close()
        near[1].close()

    async def _pour(self, source: asyncio.StreamReader, drain: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65_536):
                await self.is_in.wait()
                drain.write(data)
                await drain.drain()
        drain.close()


def listening_there(machine: int, port: int) -> socket.socket:
    """A socket of the network of that process, whose loopback is up from now on. Raises OSError."""
    with Path("/proc/self/ns/net").open("rb") as here, Path(f"/proc/{machine}/ns/net").open("rb") as there:
        _enter(there.fileno())
        try:
            _bring_up("lo")
            return socket.create_server(("127.0.0.1", port))
        finally:
            _enter(here.fileno())


def _enter(network: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(network, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _bring_up(interface: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, _INTERFACE.pack(interface.encode(), _IFF_UP))


async def main(options: argparse.Namespace) -> None:
    """Carry until told to end."""
    cable = Cable()
    for there, here in options.ports:
        listener = listening_there(options.machine, there)
        await asyncio.start_server(lambda *near, here=here: cable.carry(near, here), sock=listener)
    print("LISTENING", flush=True)
    ended = asyncio.Event()

    def obey() -> None:
        told = os.read(sys.stdin.fileno(), 4096)
        for line in told.split(b"\n"):
            if line.strip() in (b"in", b"out"):
                (cable.is_in.set if line.strip() == b"in" else cable.is_in.clear)()
        if not told:
            ended.set()

    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), obey)
    await ended.wait()


def _ports(text: str) -> tuple[int, int]:
    there, here = text.split("=")
    return int(there), int(here)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python3 -m pimains.house.cable", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("ports", nargs="+", type=_ports, metavar="THERE=HERE", help="a port of that machine, and where it leads to")
    parser.add_argument("--machine", type=int, required=True, metavar="PID", help="a process in its network")
    asyncio.run(main(parser.parse_args()))
