"""60-usb: no disk with a mounted file system loses its power. uhubctl is a recorder, and a sysfs of the test says what is behind USB."""

import os
import shutil
from collections.abc import Iterator

import pytest

from pimains.core.ledger import Ledger
from tests.fserver.drives import Server, file_server

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")


@pytest.fixture
def server() -> Iterator[Server]:
    """With a mounted USB drive, and an fserver that names it and its hub."""
    with file_server() as server:
        disk = server.make_disk()
        server.put_on_usb(disk)
        server.mount(disk)
        server.add_fserver(USB_LOCATION="2")
        yield server


def refused(server: Server) -> str:
    """Why the power stays on."""
    done = server.step("60-usb")
    assert server.said_to_uhubctl() == []
    assert done.returncode == 1, done.stdout
    return done.stdout.splitlines()[-1].removeprefix("the USB power stays on: ")


def test_the_power_goes_off_once_the_drive_is_unmounted_and_on_again_before_it_is_mounted(server: Server) -> None:
    server.step("50-drives")
    done = server.step("60-usb")
    assert (done.returncode, done.stdout) == (0, "USB power off: hub 2\n")
    assert server.said_to_uhubctl() == ["-a 0 -l 2 with 0 mounted"]
    assert server.step("60-usb").returncode == 0, "interrupted and started once more, it has nothing to do"
    assert server.step("60-usb", called_off="cancelled").stdout == "USB power on: hub 2\n"
    assert server.step("50-drives", called_off="cancelled").returncode == 0
    assert server.mounted
    assert server.said_to_uhubctl() == ["-a 0 -l 2 with 0 mounted", "-a 1 -l 2 with 0 mounted"]
    ledger = Ledger(server.root / "var/lib/pimains/ledger.sqlite")
    assert [(e.subject, e.action, e.cause) for e in reversed(ledger.entries())] == [
        ("drives", f"unmount {server.place}", "good night"),
        ("usb", "power off hub 2", "good night"),
        ("usb", "power on hub 2", "cancelled"),
        ("drives", f"mount {server.place} again", "cancelled"),
    ]


def test_all_hubs_of_a_machine_with_two_controllers_lose_their_power_and_get_it_back(server: Server) -> None:
    (server.root / "etc/service/fserver/variables/USB_LOCATION").write_text("2 4\n")
    server.step("50-drives")
    done = server.step("60-usb")
    assert (done.returncode, done.stdout) == (0, "USB power off: hub 2\nUSB power off: hub 4\n")
    assert server.step("60-usb").returncode == 0
    assert server.step("60-usb", called_off="cancelled").stdout == "USB power on: hub 2\nUSB power on: hub 4\n"
    assert [said.split(" with")[0] for said in server.said_to_uhubctl()] == ["-a 0 -l 2", "-a 0 -l 4", "-a 1 -l 2", "-a 1 -l 4"]


def test_ports_are_handed_on(server: Server) -> None:
    server.add_fserver("another", USB_LOCATION="2", USB_PORTS="1,3-4")
    (server.root / "etc/service/fserver/variables/USB_LOCATION").write_text("\n")
    server.step("50-drives")
    assert server.step("60-usb").returncode == 0
    assert server.said_to_uhubctl() == ["-a 0 -l 2 -p 1,3-4 with 0 mounted"]


def test_it_stays_on_when_the_drive_was_not_unmounted(server: Server) -> None:
    assert refused(server) == f"{server.place} is mounted"


def test_it_stays_on_when_the_drive_was_busy(server: Server) -> None:
    with server.user("sh", "-c", f"cd {server.place}; exec sleep 1000"):
        server.step("50-drives", seconds=3)
        assert refused(server) == f"{server.place} is mounted"


def test_it_stays_on_when_the_drive_was_mounted_again(server: Server) -> None:
    disk = server.disks[0]
    server.step("50-drives")
    server.mount(disk)
    assert refused(server) == f"{server.place} is mounted, and on the USB disk {disk.removeprefix('/dev/')}"


def test_it_stays_on_when_another_usb_disk_is_mounted(server: Server) -> None:
    other, place = server.make_disk("other"), server.root / "other-place"
    place.mkdir()
    server.put_on_usb(other)
    assert server.inside("mount", other, place).returncode == 0
    server.step("50-drives")
    assert refused(server) == f"{place} is mounted, and on the USB disk {other.removeprefix('/dev/')}"


def test_it_stays_on_when_what_is_mounted_is_mapped_onto_a_usb_disk(server: Server) -> None:
    other, mapped, place = server.make_disk("other"), server.make_disk("mapped"), server.root / "other-place"
    place.mkdir()
    server.put_on_usb(other)
    server.put_on_usb(mapped, slaves=other)
    assert server.inside("mount", mapped, place).returncode == 0
    server.step("50-drives")
    assert refused(server) == f"{place} is mounted, and on the USB disk {other.removeprefix('/dev/')}"


def test_it_stays_on_when_another_namespace_has_the_drive_mounted_still(server: Server) -> None:
    disk = server.disks[0]
    waits = f"cd {server.place}; exec sleep 1000"
    with server.user("unshare", "--mount", "--propagation", "private", "sh", "-c", waits):
        server.step("50-drives")
        assert refused(server).startswith(f"{disk.removeprefix('/dev/')} is still in use")
    assert server.step("60-usb").returncode == 0


def test_a_hub_that_cannot_switch_is_said_in_one_line(server: Server) -> None:
    (server.root / "etc/service/fserver/variables/USB_LOCATION").write_text("1-1.4\n")
    server.step("50-drives")
    done = server.step("60-usb")
    assert (done.returncode, done.stdout) == (1, "uhubctl -a 0 -l 1-1.4: No compatible devices detected at location 1-1.4!\n")


@pytest.mark.skipif(not shutil.which("uhubctl"), reason="needs uhubctl, which tests/run installs")
def test_the_real_uhubctl_understands_what_it_is_told_and_finds_no_such_hub(server: Server) -> None:
    (server.root / "bin/uhubctl").unlink()
    variables = server.root / "etc/service/fserver/variables"
    (variables / "USB_LOCATION").write_text("250-9.9\n")
    (variables / "USB_PORTS").write_text("2\n")
    server.step("50-drives")
    done = server.step("60-usb")
    assert (done.returncode, done.stdout) == (1, "uhubctl -a 0 -l 250-9.9 -p 2: No compatible devices detected at location 250-9.9!\n")


def test_without_uhubctl_it_says_what_to_install(server: Server) -> None:
    (server.root / "bin/uhubctl").unlink()
    server.step("50-drives")
    for name in ("nsenter", "head", "readlink"):
        (server.root / "bin" / name).symlink_to(shutil.which(name) or "")
    done = server.step("60-usb", PATH=str(server.root / "bin"))
    assert (done.returncode, done.stdout) == (1, "uhubctl -a 0 -l 2: it is not installed (apt install uhubctl)\n")


def test_nothing_is_switched_where_no_hub_is_named(server: Server) -> None:
    (server.root / "etc/service/fserver/variables/USB_LOCATION").write_text("\n")
    server.step("50-drives")
    assert server.step("60-usb").stdout == ""
    assert server.said_to_uhubctl() == []


def test_a_drive_that_was_not_there_is_no_failure(server: Server) -> None:
    assert server.inside("umount", server.place).returncode == 0
    server.step("50-drives")
    done = server.step("60-usb")
    assert (done.returncode, done.stdout) == (0, f"the USB power stays on: {server.place} was not mounted\n")
