"""Magic packets: what a machine that is off, but has Wake-on-LAN, starts for.

Six bytes FF and sixteen times its Ethernet address, as UDP broadcast to port 9 on every network that this machine is on. Nobody answers:
whether it came up is proof.py's. It blocks: talk.py has it done by a child.

Source: AMD, Magic Packet Technology, publication 20213; ip-address(8).
"""

import ipaddress
import json
import socket
import subprocess
import time
from contextlib import closing
from typing import Any, NamedTuple

from pimains.core.errors import Away

PACKETS = 3
SECONDS_BETWEEN = 1.0
SECONDS = PACKETS * SECONDS_BETWEEN
_PORT = 9


class Network(NamedTuple):
    """One that this machine is on."""

    interface: str
    broadcast: str


def packet(mac: str) -> bytes:
    """What wakes the machine with this Ethernet address, six bytes in hexadecimal with colons between."""
    return b"\xff" * 6 + bytes.fromhex(mac.replace(":", "")) * 16


def send(mac: str) -> str:
    """Send PACKETS of them, SECONDS_BETWEEN; returns the interfaces they went out of. Raises Away where none went out."""
    went: dict[str, None] = {}
    why_not = "this machine is on no IPv4 network"
    for count in range(PACKETS):
        if count:
            time.sleep(SECONDS_BETWEEN)
        for network in networks():
            try:
                _send(packet(mac), network)
                went[network.interface] = None
            except OSError as error:
                why_not = f"{network.interface}: {(error.strerror or str(error)).lower()}"
    if not went:
        raise Away(f"no magic packet could be sent: {why_not}")
    return " ".join(went)


def networks() -> list[Network]:
    """Those with a broadcast address: of IPv4, more than two machines, and up. Raises Away."""
    try:
        said = subprocess.run(["ip", "-json", "-4", "address", "show", "up"], capture_output=True, check=True, text=True).stdout
        return [found for link in json.loads(said or "[]") for found in _of(link)]
    except FileNotFoundError:
        raise Away("the program ip is missing: sudo apt install iproute2") from None
    except (subprocess.CalledProcessError, ValueError, KeyError, TypeError) as error:
        raise Away(f"ip address: {error}") from None


def _of(link: dict[str, Any]) -> list[Network]:
    if "BROADCAST" not in link.get("flags", ()):
        return []
    found = []
    for each in link.get("addr_info", ()):
        network = ipaddress.IPv4Interface(f"{each['local']}/{each['prefixlen']}").network
        if network.prefixlen < 31:
            found.append(Network(link["ifname"], each.get("broadcast") or str(network.broadcast_address)))
    return found


def _send(data: bytes, network: Network) -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, network.interface.encode())  # two may have the same addresses
        sender.sendto(data, (network.broadcast, _PORT))
