"""Two clients on one machine, whose shares are mounted by one autofs."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fclient.one_client import OneHouse, one_house
from tests.kit import TestInstance, free_port


@pytest.fixture
def house() -> Iterator[OneHouse]:
    with one_house() as house:
        yield house


def both_up(house: OneHouse) -> tuple[Path, list[TestInstance], list[TestInstance]]:
    """The other share, the servers and the clients."""
    other, port = house.root / "mnt/Films", str(free_port())
    other.mkdir()
    servers = [house.add_fserver(svscan=False), house.add("fserver", "fserver2", svscan=False, **house.server_settings(PORT=port))]
    first = house.add_fclient(svscan=False, UNITS="autofs mpd")
    second = house.add_fclient("fclient2", PORT=port, MDRIVE=str(other), UNITS="autofs.service films", NAME="films")
    for client in (first, second):
        house.until(lambda client=client: "is mounted; started" in client.status, what=client.log)  # type: ignore[misc]
    return other, servers, [first, second]


def test_one_that_leaves_takes_nothing_from_the_other_and_the_last_one_stops_what_both_need(house: OneHouse) -> None:
    other, servers, clients = both_up(house)
    servers[0].svc("-d")
    house.until(lambda: clients[0].status.startswith("waiting for"), what=clients[0].log)
    assert not house.is_mounted()
    assert house.is_mounted(other)
    assert clients[1].status == f"{other} is mounted; started: films"
    assert "stop autofs" not in house.units()
    clients[0].until_logged("autofs goes on: fclient2 needs it")
    # autofs goes on, and mounts it again for whoever looks
    subprocess.run(["nsenter", f"--mount=/proc/{house.pid}/ns/mnt", "mount", "-t", "tmpfs", "music", house.share], check=True)
    house.until(lambda: not house.is_mounted(), what="it to be taken away again")
    servers[1].svc("-d")
    house.until(lambda: clients[1].status.startswith("waiting for"), what=clients[1].log)
    assert not house.is_mounted(other)
    assert house.units()[-2:] == ["stop films", "stop autofs.service"]


def test_when_both_leave_at_the_same_time_what_both_need_is_stopped(house: OneHouse) -> None:
    _, servers, clients = both_up(house)
    for server in servers:
        server.svc("-d")
    for client in clients:
        house.until(lambda client=client: client.status.startswith("waiting for"), what=client.log)  # type: ignore[misc]
    assert [unit for unit in house.units() if unit.startswith("stop autofs")] != []


def test_one_whose_server_is_gone_takes_nothing_from_the_other(house: OneHouse) -> None:
    other, servers, clients = both_up(house)
    servers[0].kill(19)
    house.until(lambda: clients[0].status.startswith("waiting for"), what=clients[0].log)
    assert not house.is_mounted()
    assert house.is_mounted(other)
    servers[0].kill(18)
    house.until(lambda: house.is_mounted(), what=clients[0].log)
