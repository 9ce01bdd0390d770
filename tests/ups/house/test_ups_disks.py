"""A disk that takes nothing, or gives back what nobody wrote: the mains are gone, and the shutdown still happens, once."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from tests.kit import House, TestInstance, until
from tests.ups.nut2_library import NUT2
from tests.ups.outages import LB, at, guarding, requests, status
from tests.ups.upsd import PASSWORD, Upsd

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")


@contextmanager
def small(directory: Path) -> Iterator[Path]:
    """A file system of its own for it."""
    directory.mkdir(parents=True, exist_ok=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", directory], capture_output=True, check=False).returncode:
        pytest.skip("tmpfs cannot be mounted here")
    try:
        yield directory
    finally:
        subprocess.run(["umount", "-l", directory], check=True)


def fill(directory: Path) -> None:
    with suppress(OSError), (directory / "filler").open("ab", buffering=0) as filler:
        while True:
            filler.write(bytes(512))


@pytest.mark.parametrize("full", [("run",), ("var/lib",), ("run", "var/lib")], ids="+".join)
def test_with_a_full_disk_it_shuts_down_also_where_it_is_started_again_meanwhile(
    full: tuple[str, ...], house: House, upsd: Upsd, halt: TestInstance
) -> None:
    with ExitStack() as stack:
        places = [stack.enter_context(small(house.root / each / "pimains/ups")) for each in full]
        ups = guarding(house, at(upsd), FINALDELAY_SECONDS="3")
        for place in places:
            fill(place)
        upsd.say("eaton", **LB)
        until(lambda: "FSD" in status(upsd), what=ups.story)
        pid = ups.pid
        ups.kill()
        house.until(lambda: ups.pid not in (0, pid), what=ups.story)
        house.until(house.halts, what=ups.story)
        assert requests(halt) == 1
        assert len(house.halts()) == 1
        assert (house.root / "run/pimains-halt/cut").read_text().splitlines()[2] == "eaton"


def test_with_a_run_that_was_full_before_it_started_halt_asks_it_all_the_same(house: House, upsd: Upsd, halt: TestInstance) -> None:
    with small(house.root / "run/pimains/ups") as place:
        place.chmod(0o777)
        fill(place)
        given = {"POLL_SECONDS": "0.5", "FINALDELAY_SECONDS": "0", "HOSTSYNC_SECONDS_MAX": "5"}
        ups = house.add("ups", pythonpath=str(NUT2), UPS=at(upsd), USERNAME="anna", PASSWORD=PASSWORD, **given)
        upsd.say("eaton", **LB)
        house.until(house.halts, what=ups.story)
        assert not (place / "orders/words").exists()
        halt.until_logged("85-ups: ups: cut ")
    assert (house.root / "run/pimains-halt/cut").read_text().splitlines()[2] == "eaton"


def test_with_a_disk_that_is_read_only_it_shuts_down(house: House, upsd: Upsd, halt: TestInstance) -> None:
    with small(house.root / "var/lib/pimains/ups") as place:
        ups = guarding(house, at(upsd))
        subprocess.run(["mount", "-o", "remount,ro", place], check=True)
        upsd.say("eaton", **LB)
        house.until(house.halts, what=ups.story)
        assert ups.log.count("Read-only file system: a crash now would forget the outage") == 1
    assert requests(halt) == 1


@pytest.mark.parametrize("found", ["", "\0" * 300, '{"version":1,"id":"179', '{"version":2,"phase":"cutting"}', "[1]"])
def test_with_an_outage_file_that_cannot_be_read_it_shuts_down(found: str, house: House, upsd: Upsd, halt: TestInstance) -> None:
    ups = guarding(house, at(upsd))
    with upsd.talk("bert", "bert") as ask:
        assert ask("LOGIN eaton") == "OK"  # so that it waits, and writes nothing meanwhile
        upsd.say("eaton", **LB)
        ups.until_logged("-> forced", "SHUTDOWN_HOSTSYNC")
        (ups.lib / "outage").write_text(found)
        pid = ups.pid
        ups.kill()
        house.until(lambda: ups.pid not in (0, pid), what=ups.story)
        ups.until_logged(f"{ups.lib}/outage is no outage")
    house.until(house.halts, what=ups.story)
    assert (ups.lib / "outage.unreadable").exists()
    assert requests(halt) == 1
