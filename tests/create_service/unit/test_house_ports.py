"""What programs of the simulated house share of a machine."""

import socket
from contextlib import closing

from pimains.house import ports


def test_two_demos_at_a_time_both_hear_a_magic_packet() -> None:
    packet = b"\xff" * 6 + b"\x02\x00\x00\x00\x00\x11" * 16
    with closing(ports.magic_packets()) as one, closing(ports.magic_packets()) as other, socket.socket(type=socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sender.sendto(packet, ("127.255.255.255", 9))
        for ear in (one, other):
            ear.settimeout(5)
            assert ear.recv(2000) == packet


def test_a_port_that_is_free_is_one_that_nobody_listens_at() -> None:
    port = ports.free_port()
    assert not ports.listens(port)
    with socket.create_server(("127.0.0.1", port)):
        assert ports.listens(port)
