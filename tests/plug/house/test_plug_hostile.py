"""Whoever sits on the plug's port: a clear line, bounded memory, no crash, no shutdown, not too many connections."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kit import House, TestInstance, until
from tests.plug.plugs import KEY, NEWEST, OLDEST, aioesphomeapi, house_plug

GARBAGE = bytes(range(255, 0, -1)) * 40
ENDLESS = b"\0" + b"\x80\x80\x80\x05" + b"\x1a"  # a plaintext frame of 10 MB begins
ENCRYPTED_ENDLESS = b"\x01\xff\xff"


class Peer:
    """A listener that says the same to everybody, for ever or once."""

    def __init__(self, says: bytes, goes_on: bool) -> None:
        self.connections = 0
        self.first_at = 0.0
        self._says, self._goes_on = says, goes_on
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = str(self._listener.getsockname()[1])
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.first_at = self.first_at or time.monotonic()
            self.connections += 1
            threading.Thread(target=self._talk, args=(client,), daemon=True).start()

    def _talk(self, client: socket.socket) -> None:
        try:
            client.sendall(self._says)
            while self._goes_on:
                client.sendall(bytes(100_000))
            while client.recv(4096):
                pass
        except OSError:
            pass


@contextmanager
def peer(says: bytes, goes_on: bool = False) -> Iterator[Peer]:
    it = Peer(says, goes_on)
    try:
        yield it
    finally:
        it.close()


def peak_megabytes(plug: TestInstance) -> float:
    status = Path(f"/proc/{plug.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def add(house: House, port: str, library: str, key: str = "") -> TestInstance:
    house.add("halt", svscan=False, HALT_COMMAND=house.recorder)
    return house.add("plug", pythonpath=aioesphomeapi(library), HOST="127.0.0.1", PORT=port, ENCRYPTION_KEY=key)


@pytest.mark.parametrize(
    ("library", "says", "goes_on", "key"),
    [
        (NEWEST, GARBAGE, False, ""),
        (OLDEST, GARBAGE, False, KEY),
        (OLDEST, ENDLESS, True, ""),
        (NEWEST, ENDLESS, True, ""),
        (OLDEST, ENCRYPTED_ENDLESS, True, KEY),
    ],
    ids=["garbage", "garbage to a key", "endless frame", "endless frame to the newest", "endless encrypted frame"],
)
def test_a_peer_that_is_no_plug_is_said_once_and_tried_ever_less(house: House, library: str, says: bytes, goes_on: bool, key: str) -> None:
    with peer(says, goes_on) as it:
        plug = add(house, it.port, library, key)
        until(lambda: "127.0.0.1 is away: " in plug.status)
        pid = plug.pid
        until(lambda: it.connections >= 3 or time.monotonic() - it.first_at > 8)
        assert plug.pid == pid
        assert peak_megabytes(plug) < 60
        assert it.connections <= 2 + (time.monotonic() - it.first_at)
        until(lambda: plug.log.count("is away") == 1)
        assert plug.status.isprintable()
        assert len(plug.status) < 400
        assert house.halts() == []


def test_a_plug_that_begins_to_talk_nonsense_is_left_and_found_again(house: House) -> None:
    with house_plug("--metering") as device:
        plug = add(house, device.port, OLDEST)
        until(lambda: plug.status.startswith("connected"))
        pid = plug.pid
        for trouble in ("nonsense", "garbage", "huge", "hang-up", "half"):
            said = plug.log.count("connected to")
            device.tell(trouble)
            if trouble not in ("nonsense", "half"):
                until(lambda said=said: plug.log.count("connected to") > said, what=trouble)
            until(lambda: plug.status.startswith("connected"), what=trouble)
        assert plug.pid == pid
        assert peak_megabytes(plug) < 60
        assert house.halts() == []
        # and it is still our plug
        device.tell("hang-up")
        until(lambda: plug.status.startswith("connected"))


def test_an_endless_list_of_entities_is_not_read(house: House) -> None:
    with house_plug() as device:
        device.tell("flood")
        plug = add(house, device.port, OLDEST)
        until(lambda: "more than 64 kB at once: that is no plug" in plug.status)
        assert peak_megabytes(plug) < 60


@pytest.mark.parametrize("says", [b"", b"\0\x10\x1a"], ids=["nothing", "half a frame"])
def test_a_silent_peer_is_given_up(house: House, says: bytes) -> None:
    with peer(says) as it:
        plug = add(house, it.port, OLDEST)
        until(lambda: "no answer within 15 s" in plug.status)


def test_the_service_can_be_stopped_while_nobody_answers(house: House) -> None:
    with peer(b"") as it:
        plug = add(house, it.port, OLDEST)
        until(lambda: it.connections)
        plug.svc("-d")
        until(lambda: plug.pid == 0, 12)  # less than connecting takes until it is given up
        assert plug.status == "stopped"
