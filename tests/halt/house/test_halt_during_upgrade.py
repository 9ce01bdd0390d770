"""A halt while the update service has an upgrade under way: it waits, says so, and no longer than it may."""

import subprocess
import time

import pytest

from pimains.core.ledger import Ledger
from tests.halt.halting import add_step, ask, cancel, new_halt, ran, upgrade
from tests.kit import TOP, House

WAITING = "waiting for the upgrade of mpd libmpd to finish, at most 599 s"


def test_a_halt_waits_until_the_upgrade_is_done_and_says_for_what(house: House) -> None:
    add_step(house, "20-clients", "echo clients >>$RAN")
    halt = new_halt(house)
    with upgrade(house) as process:
        ask(halt)
        house.until(lambda: halt.status.endswith(f"step 05-update, at most 600 s: {WAITING}"))
        house.until(lambda: WAITING in halt.log)
        assert ran(house) == []
        process.kill()
        house.until(house.halts)
    house.until(lambda: halt.status.startswith("shut down: "))
    halt.until_logged("05-update: the upgrade of mpd libmpd has finished")
    assert Ledger(house.root / "var/lib/pimains/ledger.sqlite").durations("halt step 05-update") == []


def test_a_cancel_while_it_waits_is_obeyed_at_once(house: House) -> None:
    halt = new_halt(house)
    with upgrade(house):
        ask(halt)
        house.until(lambda: halt.status.endswith(WAITING))
        began = time.monotonic()
        cancel(halt, "anna")
        house.until(lambda: halt.status.startswith("ready; "))
        assert time.monotonic() - began < 60, "not when its 600 s are over"
    halt.until_logged("waiting no longer for the upgrade of mpd libmpd: the halt is cancelled")
    assert house.halts() == []


def test_an_upgrade_that_does_not_end_is_not_waited_for_for_ever(house: House) -> None:
    halt = new_halt(house, UPGRADE_SECONDS_MAX="3")
    with upgrade(house):
        ask(halt)
        house.until(house.halts)
        house.until(
            lambda: "05-update failed (exit 1): the upgrade of mpd libmpd has not finished within 2 s: its packages may be" in halt.log
        )


def test_an_upgrade_is_waited_for_no_longer_than_until_a_plug_that_hears_nothing_would_cut(house: House) -> None:
    """The eight steps after it get 1 s each, and 3 s to end them; HALT_COMMAND has to be started 100 s before the cut."""
    halt = new_halt(house, STEP_SECONDS_MAX="1")
    for path, value in (
        ("var/lib/pimains/plug/armed", 200),
        ("run/pimains/plug/countdown", 100),
        ("run/pimains/plug/contact", time.clock_gettime(time.CLOCK_BOOTTIME) - 200 + 100 + 8 * 4 + 3 + 2.5),
    ):
        (house.root / path).parent.mkdir(exist_ok=True)
        (house.root / path).write_text(f"{value}\n")
    with upgrade(house):
        ask(halt)
        house.until(house.halts)
    house.until(lambda: "05-update gets 2 s instead of 600 s: a plug that hears no more of this machine cuts its power" in halt.log)
    house.until(lambda: "the upgrade of mpd libmpd has not finished within" in halt.log)


@pytest.mark.parametrize("halting", [True, False])
def test_an_upgrade_looks_for_a_halt_once_it_has_its_lock(house: House, halting: bool) -> None:
    """Whoever of the two comes later sees the other; the program itself, with an apt-get that only says what it was told."""
    script = (TOP / "services/update/upgrade").read_text()
    bin_, directory = house.root / "bin", house.root / "aside"
    bin_.mkdir()
    directory.mkdir()
    for name in ("apt-get", "dpkg"):
        (bin_ / name).write_text(f'#!/bin/sh\necho "{name} $*" >>{house.root}/apt.log\n')
        (bin_ / name).chmod(0o755)
    accepted = house.root / "run/pimains/halt/accepted"
    accepted.parent.mkdir()
    if halting:
        accepted.write_text("bedtime\nanna\n")
    aside = script.replace("/run/pimains/halt/accepted", str(accepted)).replace("PATH=/usr", f"PATH={bin_}:/usr")
    subprocess.run(["/bin/sh", "-c", aside, "upgrade", directory, "--only-upgrade", "mpd"], check=False)
    assert (directory / "ended").read_text() == ("1\n" if halting else "0\n")
    assert ("apt-get install" in (house.root / "apt.log").read_text() if (house.root / "apt.log").exists() else False) is not halting
