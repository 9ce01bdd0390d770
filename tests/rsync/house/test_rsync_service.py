"""The service rsync: real tcpserver, real rsync on both ends, loopback."""

import os
import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from pimains.core import alive
from tests.kit import TOP, House, TestInstance, free_port, until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="becomes user pimains: needs root")


def add(house: House, **variables: str) -> TestInstance:
    """With the shipped rsyncd.conf, but for the path."""
    music = house.root / "Music"
    music.mkdir()
    (music / "song").write_text("la la la\n" * 1000)
    music.chmod(0o777)
    shipped = (TOP / "services/rsync/rsyncd.conf").read_text()
    assert "path = /MDrive/Music\n" in shipped
    config = house.root / "etc/pimains/rsyncd.conf"
    config.write_text(shipped.replace("/MDrive/Music", str(music)))
    return house.add("rsync", **{"LOCALIP": "127.0.0.1", "PORT": str(free_port()), "CONFIG": str(config), **variables})


def up(instance: TestInstance) -> TestInstance:
    instance.svc("-u")
    until(lambda: instance.status.startswith("port "), what=instance.log)
    until(lambda: listens(instance))
    return instance


def port(instance: TestInstance) -> int:
    return int((instance.directory / "variables/PORT").read_text().splitlines()[0])


def listens(instance: TestInstance) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port(instance)), 60).close()
    except ConnectionRefusedError:
        return False
    return True


def rsync(instance: TestInstance, *words: str | Path) -> "subprocess.CompletedProcess[str]":
    full = [str(word).replace("SERVER", f"rsync://127.0.0.1:{port(instance)}") for word in words]
    return subprocess.run(["rsync", *full], capture_output=True, text=True, check=False)


def greeting(connection: socket.socket) -> str:
    connection.settimeout(60)
    with connection.makefile() as lines:
        return lines.readline()


def test_anybody_sees_that_it_is_up_though_it_is_another_program_by_then(house: House) -> None:
    instance = up(add(house))
    assert alive.look(instance.run)[:2] == (True, instance.pid)
    assert rsync(instance, "SERVER/music/song", house.root / "copy").returncode == 0
    assert alive.look(instance.run).is_up, "what serves each connection ends with the lock left alone"
    instance.svc("-d")
    until(lambda: alive.look(instance.run).is_up is False)


def test_it_is_made_down_and_serves_a_read_only_module_once_it_is_started(house: House) -> None:
    instance = add(house)
    assert instance.pid == 0
    assert (instance.directory / "down").exists()
    up(instance)
    assert rsync(instance, "SERVER/").stdout == "music          \tthe music on the drive\n"
    got = rsync(instance, "-a", "SERVER/music/song", house.root)
    assert got.returncode == 0, got.stderr
    assert (house.root / "song").read_text() == "la la la\n" * 1000
    put = rsync(instance, "-a", house.root / "song", "SERVER/music/another")
    assert put.returncode != 0
    assert "read only" in put.stderr
    assert not (house.root / "Music/another").exists()
    until(lambda: "rsync allowed access on module music from" in instance.log, what=instance.log)
    assert instance.status == f"port {port(instance)}, at most 10 connections, 4 of one address"
    instance.svc("-d")
    until(lambda: not listens(instance))


def test_it_gives_up_root_and_costs_next_to_nothing(house: House) -> None:
    instance = up(add(house))
    status = Path(f"/proc/{instance.pid}/status").read_text()
    uid = int(subprocess.run(["id", "-u", "pimains"], capture_output=True, text=True, check=True).stdout)
    assert f"Uid:\t{uid}\t{uid}\t{uid}\t{uid}\n" in status
    resident = int(status.partition("VmRSS:")[2].split()[0])
    assert resident < 3000, "kB"


def test_who_has_too_many_connections_is_sent_away_and_others_are_not(house: House) -> None:
    instance = up(add(house, MAXPERIP="2"))
    with ExitStack() as stack:

        def is_welcome() -> bool:
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port(instance)), 60))
            return greeting(connection).startswith("@RSYNCD: ")

        for _ in range(2):
            until(is_welcome, what="the place of the connection that looked whether it is up")
        refused = stack.enter_context(socket.create_connection(("127.0.0.1", port(instance)), 60))
        assert greeting(refused) == "@ERROR: 2 connections from 127.0.0.1 are open, more are not allowed; try again later\n"
        until(lambda: "127.0.0.1 is sent away: MAXPERIP is 2" in instance.log)
        other = socket.create_connection(("127.0.0.1", port(instance)), 60, source_address=("127.0.0.2", 0))
        assert greeting(stack.enter_context(other)).startswith("@RSYNCD: ")
    until(lambda: rsync(instance, "SERVER/").returncode == 0, what="the places to be free again")


def test_more_than_maxdaemons_wait_until_one_has_gone(house: House) -> None:
    instance = up(add(house, MAXDAEMONS="1"))
    with socket.create_connection(("127.0.0.1", port(instance)), 60) as first:
        assert greeting(first).startswith("@RSYNCD: ")
        second = socket.create_connection(("127.0.0.1", port(instance)), 60)
        second.settimeout(0.5)
        with pytest.raises(TimeoutError):
            second.recv(1)
    assert greeting(second).startswith("@RSYNCD: ")
    second.close()


def test_its_memory_is_limited(house: House) -> None:
    instance = up(add(house))
    with socket.create_connection(("127.0.0.1", port(instance)), 60) as connection:
        assert greeting(connection).startswith("@RSYNCD: ")
        children = Path(f"/proc/{instance.pid}/task/{instance.pid}/children")
        until(lambda: len(children.read_text().split()) == 1, what="the first connection's rsync to end")
        limits = Path(f"/proc/{children.read_text().strip()}/limits").read_text()
    assert "Max address space         26214400" in limits


def test_a_missing_configuration_and_a_port_in_use_are_said_in_words(house: House) -> None:
    instance = add(house, CONFIG="/nowhere/rsyncd.conf")
    instance.svc("-u")
    until(lambda: "variables/CONFIG: /nowhere/rsyncd.conf is not there; a sample is " in instance.status)
    with socket.create_server(("127.0.0.1", port(instance))):
        instance.set("CONFIG", str(house.root / "etc/pimains/rsyncd.conf"))
        until(lambda: f"cannot listen on 127.0.0.1:{port(instance)} (address already in use)" in instance.status.lower(), what=instance.log)
        assert instance.read("unwell")
    until(lambda: instance.status.startswith("port "))
    assert instance.read("unwell") == ""
    until(lambda: listens(instance))
