"""Nobody waits for a host that hangs: what is said to it goes on in a child, which ends when nobody wants it any more."""

import select
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pimains.core.clock import SystemClock
from pimains.core.errors import Away
from pimains.core.naps import poll, within
from pimains.ups.hosts import directories, talk
from pimains.ups.hosts.settings import HostSettings

LONG = 60.0


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A machine that takes connections, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(LONG)
        yield server


def host(tmp_path: Path, server: socket.socket, **given: str) -> HostSettings:
    directory = tmp_path / "nas"
    directory.mkdir(exist_ok=True)
    for name in ("key", "known_hosts"):
        (directory / name).touch(mode=0o600)
    return directories.of(directory, {"SSH": f"root@127.0.0.1:{server.getsockname()[1]}", **given})


def until_ended(under_way: talk.Talk) -> None:
    while not under_way.has_ended():
        poll(within(LONG, under_way), SystemClock())


def test_what_is_not_wanted_any_more_ends_with_all_that_it_started(tmp_path: Path, silent: socket.socket) -> None:
    under_way = talk.boot_id(host(tmp_path, silent), LONG)
    connection, _ = silent.accept()
    with connection:
        assert connection.recv(4) == b"SSH-"
        assert not under_way.has_ended()
        under_way.close()
        poller = select.poll()
        poller.register(connection, select.POLLRDHUP)
        assert poller.poll(LONG * 1000)  # the ssh program has let go of it


def test_a_host_that_hangs_keeps_nobody_from_another(tmp_path: Path, silent: socket.socket) -> None:
    hangs = talk.order_down(host(tmp_path, silent), LONG)
    looks = [talk.look_at(host(tmp_path, silent, PROOF=str(silent.getsockname()[1]))) for _ in range(3)]
    for each in looks:
        until_ended(each)
        assert each.answer() == "up"
    assert not hangs.has_ended()
    hangs.close()


def test_a_host_that_hangs_is_told_once_its_seconds_are_over(tmp_path: Path, silent: socket.socket) -> None:
    began = time.monotonic()
    under_way = talk.boot_id(host(tmp_path, silent), 1.0)
    until_ended(under_way)
    assert time.monotonic() - began >= 1.0
    with pytest.raises(Away, match="hangs: no end of the login within 1 s"):
        under_way.answer()
