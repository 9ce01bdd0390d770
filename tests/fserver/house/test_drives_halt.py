"""A file server that halts, and is kept from it: halt, fserver, its drive, its USB hub and its backup, all together."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fclient.one_client import SECRET
from tests.fserver.drives import Server
from tests.halt.halting import ask, cancel, causes, let_go, new_halt, pause_at, ran
from tests.kit import House, TestInstance, free_port, new_house

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")


@pytest.fixture
def house() -> Iterator[House]:
    """With a mount namespace of its own."""
    with tempfile.TemporaryDirectory(prefix="pimains-house-", ignore_cleanup_errors=True) as root:
        yield from new_house(Path(root), ("unshare", "--mount", "--propagation", "private"))


@pytest.fixture
def server(house: House) -> Iterator[Server]:
    """Its drive, USB hub and systemctl."""
    house.open()
    with contextmanager(Server.below)(house.root, house.pid) as server:
        disk = server.make_disk()
        server.put_on_usb(disk)
        server.mount(disk)
        yield server


def add(house: House, server: Server, **variables: str) -> tuple[TestInstance, TestInstance]:
    path = server.environment["PATH"]
    settings = {
        "PORT": str(free_port()),
        "MDRIVE": str(server.place),
        "STOP_UNITS": "smbd",
        "USB_LOCATION": "2",
        "MPD_UNIT": "mpd",
        "HOST": "127.0.0.1",
        "SECRET": SECRET,
    }
    fserver = house.add("fserver", svscan=False, PATH=path, **{**settings, **variables})
    return fserver, new_halt(house, PATH=path)


def test_a_file_server_that_is_kept_from_halting_is_as_before_and_goes_on_with_its_backup(house: House, server: Server) -> None:
    server.add_unit("smbd.service")
    source = house.root / "source"
    source.mkdir()
    (source / "big").write_bytes(os.urandom(3_000_000))
    assert server.inside("mkdir", server.place / "backup").returncode == 0
    go = pause_at(house, "70-wait")
    fserver, halt = add(house, server, BACKUP=str(source), RSYNC_OPTIONS="-a --bwlimit=100")
    house.until(lambda: "; backing up" in fserver.status, what=fserver.log)
    assert server.running() == {"smbd.service", "mpd.service"}
    before = fserver.pid
    ask(halt)
    house.until(lambda: ran(house) == ["70-wait"], what=halt.log)
    assert (server.mounted, server.running()) == ("", set())
    assert server.said_to_uhubctl() == ["-a 0 -l 2 with 0 mounted"]
    assert fserver.read("backup").startswith("stopped ")
    house.until(lambda: fserver.status == "closed: this machine is about to halt")
    fserver.set("RSYNC_OPTIONS", "-a")
    cancel(halt, "anna")
    halt.until_logged("anna cancels")
    let_go(go)
    house.until(lambda: halt.status.startswith("ready; "), what=halt.log)
    assert halt.status.endswith("; 60-usb undone; 50-drives undone; 10-relays undone"), halt.log
    assert causes(house)[-1] == ("cancel", halt.status.removeprefix("ready; "))
    assert server.mounted == "rw,noatime"
    assert server.said_to_uhubctl()[1:] == ["-a 1 -l 2 with 0 mounted"]
    house.until(lambda: fserver.status.startswith("no clients; backed up "), what=fserver.log)
    assert fserver.pid != before
    assert server.running() == {"smbd.service", "mpd.service"}
    assert house.halts() == []


def test_a_file_server_that_halts_has_its_drive_unmounted_and_without_power_before_the_command(house: House, server: Server) -> None:
    hooks = house.root / "hooks"
    hooks.mkdir()
    for name in ("pre_mount", "post_mount", "pre_unmount", "post_unmount"):
        (hooks / name).write_text(f'#!/bin/sh\necho "{name} $(grep -c " $MDRIVE " /proc/self/mountinfo)" >>{house.root}/hooked\n')
        (hooks / name).chmod(0o755)
    fserver, halt = add(house, server, HOOKS=str(hooks))
    house.until(lambda: fserver.status == "no clients")
    ask(halt)
    house.until(house.halts)
    assert server.mounted == ""
    assert server.said_to_uhubctl() == ["-a 0 -l 2 with 0 mounted"]
    assert (house.root / "hooked").read_text().splitlines() == ["pre_mount 1", "post_mount 1", "pre_unmount 1", "post_unmount 0"]
    before = fserver.pid
    fserver.svc("-t")
    house.until(lambda: fserver.pid not in (0, before) and fserver.status == "closed: this machine is about to halt")
    assert server.said_to_systemctl() == ["start mpd.service", "stop mpd.service"], "nothing starts again while it halts"


def test_after_a_rehearsal_the_drive_is_back(house: House, server: Server) -> None:
    fserver, halt = add(house, server)
    house.until(lambda: fserver.status == "no clients")
    ask(halt)
    house.until(lambda: halt.status.startswith("shut down: "))
    assert server.mounted == ""
    (halt.run / "accepted").unlink()
    house.until(lambda: halt.status == "ready")
    assert server.mounted == "rw,noatime"
    house.until(lambda: fserver.status == "no clients")
