"""What LCDs and desktops show of a file server and its clients, and that nobody waits for them."""

import os
import re
import socket
import time
from collections.abc import Iterator

import pytest

from tests.fclient.one_client import OneHouse, one_house
from tests.halt.halting import ask
from tests.kit import TestInstance

HERE = os.uname().nodename.partition(".")[0]


@pytest.fixture
def house() -> Iterator[OneHouse]:
    with one_house() as house:
        yield house


class Screen:
    """What an LCD's or a desktop's daemon gets by UDP."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(60)
        self.port = str(self.socket.getsockname()[1])

    def next(self) -> str:
        return self.socket.recv(512).decode()

    def __enter__(self) -> "Screen":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def up(house: OneHouse, **variables: str) -> tuple[TestInstance, TestInstance]:
    fserver, fclient = house.add_fserver(svscan=False, **variables), house.add_fclient(**variables)
    house.until(lambda: "is mounted" in fclient.status)
    return fserver, fclient


def test_a_client_shows_its_load_when_it_has_come_and_that_its_music_is_off_when_it_leaves(house: OneHouse) -> None:
    with Screen() as lcd, Screen() as desktop:
        house.add_fserver(svscan=False)
        screens = {"LCD_HOST": "127.0.0.1", "LCD_PORT": lcd.port, "NOTIFY_HOST": "127.0.0.1", "NOTIFY_PORT": desktop.port}
        fclient = house.add_fclient(**screens)
        rows = [lcd.next()]
        while not rows[-1].startswith("3 0 0:"):
            rows.append(lcd.next())
        assert re.fullmatch(r"0 0 3:Load \d+\.\d+ \d+\.\d+ \d+\.\d+\n", rows[0])
        assert re.fullmatch(r"2 0 0:\d\d-\d\d-\d\d \d\d:\d\d:\d\d\n", rows[-2])
        assert rows[-1] == f"3 0 0:{HERE} On\n"
        assert re.match(rf"summary:{HERE} On\nbody:Load ", desktop.next())
        fclient.svc("-d")
        assert lcd.next() == f"0 0 3:{HERE} MusicOff\n"
        assert desktop.next() == f"summary:{HERE} MusicOff\nbody:\n"


def test_a_halt_is_shown_by_the_server_and_by_a_client_that_halts_with_it(house: OneHouse) -> None:
    halt = house.add("halt", svscan=False, HALT_COMMAND=house.recorder)
    with Screen() as of_server, Screen() as of_client:
        house.add_fserver(svscan=False, LCD_HOST="127.0.0.1", LCD_PORT=of_server.port)
        fclient = house.add_fclient(LCD_HOST="127.0.0.1", LCD_PORT=of_client.port, POWER_OFF="1")
        house.until(lambda: "is mounted" in fclient.status)
        for screen in (of_server, of_client):
            while screen.next() != f"3 0 0:{HERE} On\n":
                pass
        ask(halt, "bedtime\nme\n")
        for screen in (of_server, of_client):
            assert screen.next() == f"0 0 3:{HERE} PowerOff\n"
        house.until(house.halts)


def test_screens_that_hang_delay_nobody(house: OneHouse) -> None:
    fifo = house.root / "lcdfifo"
    os.mkfifo(fifo, 0o666)
    fifo.chmod(0o666)
    unread = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
    while True:  # nobody will read what is in it
        try:
            os.write(unread, b"x" * 4096)
        except BlockingIOError:
            break
    nowhere = {"LCD_FIFO": str(fifo), "NOTIFY_FIFO": str(house.root / "none"), "LCD_HOST": "192.0.2.1", "NOTIFY_HOST": "nowhere.invalid"}
    fserver, fclient = up(house, **nowhere)
    house.until(lambda: f"LCD behind {fifo} shows nothing: {fifo}: is full, nobody reads it" in fclient.log)
    house.until(lambda: f"desktop behind {house.root}/none shows nothing: " in fserver.log)
    began = time.monotonic()
    fclient.svc("-d")
    house.until(lambda: fclient.status == "stopped")
    assert time.monotonic() - began < 10, "no name that is looked for, and no reader"
    os.close(unread)


def test_a_fifo_gets_the_same_lines(house: OneHouse) -> None:
    fifo = house.root / "lcdfifo"
    os.mkfifo(fifo, 0o666)
    fifo.chmod(0o666)
    reader = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
    with open(reader, "rb", buffering=0) as lcd:
        house.add_fserver(LCD_FIFO=str(fifo))
        told = b""

        def everything() -> bytes:
            nonlocal told
            told += lcd.read(512) or b""
            return told

        house.until(lambda: everything().endswith(f"3 0 0:{HERE} On\n".encode()))
        assert told.startswith(b"0 0 3:Load ")
