"""update between its looks: when the next one is due, and that nothing below a root of its own is upgraded."""

import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest
from kit import TOP, House

from pimains.core import state
from pimains.core.clock import FakeClock
from pimains.core.instance import Instance
from pimains.core.privileges import make_directories
from pimains.services.update import Updater
from pimains.settings.update import UpdateSettings

sys.path.insert(0, str(TOP / "tests/bench"))

import footprint

BOOTED_AT_MIDNIGHT = datetime(2026, 11, 21).timestamp()


@pytest.fixture
def me(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    monkeypatch.setenv("PIMAINS_ROOT", str(tmp_path))
    instance = Instance("update", tmp_path / "update", FakeClock(monotonic=0, wall=BOOTED_AT_MIDNIGHT))
    make_directories(instance, None)
    return instance


def settings(window: str = "") -> UpdateSettings:
    return UpdateSettings({"UPGRADE": "mpd", "INTERVAL": "7200", "WINDOW": window, "SKIP_WHILE_CLIENTS": "1"})


def hours_waited(me: Instance, updater: Updater, limit: float = 100) -> tuple[float, str]:
    """How long it waits until it is due, and why it is; the clock is advanced by that."""
    clock = me.clock
    assert isinstance(clock, FakeClock)
    began = clock.monotonic()
    naps = updater.until_due()
    try:
        nap = next(naps)
        while clock.monotonic() - began < limit * 3600:
            clock.advance(nap.seconds)
            nap = naps.send(())
    except StopIteration as end:
        return (clock.monotonic() - began) / 3600, end.value
    raise AssertionError("it never was due")


def test_the_first_look_is_five_minutes_after_boot_and_the_next_an_interval_later_also_after_a_restart(me: Instance) -> None:
    updater = Updater(me, settings())
    assert hours_waited(me, updater) == (pytest.approx(5 / 60), "newer versions are there")
    updater._has_looked()
    assert hours_waited(me, Updater(me, settings()))[0] == pytest.approx(2)


def test_repositories_that_were_away_are_asked_again_sooner_later_as_often_as_the_others(me: Instance) -> None:
    updater = Updater(me, settings())
    hours_waited(me, updater)
    waited = []
    for failures in range(1, 7):
        updater._has_looked()
        updater._failures = failures
        waited.append(round(hours_waited(me, updater)[0] * 60))
    assert waited == [10, 20, 40, 80, 120, 120]


def test_it_waits_for_its_window_through_jumps_of_the_clock(me: Instance) -> None:
    updater = Updater(me, settings("02:00-05:00"))
    waited, _ = hours_waited(me, updater)
    assert 2 <= waited < 2 + 1 / 60
    updater._has_looked()
    assert hours_waited(me, updater)[0] == pytest.approx(2)
    updater._has_looked()
    clock = me.clock
    assert isinstance(clock, FakeClock)
    clock.jump(-30 * 365 * 86400)
    naps = updater.until_due()
    next(naps)
    clock.advance(7200)
    nap = naps.send(())
    assert "the clock was not set" in (state.read(me.run / "status") or "")
    clock.jump(30 * 365 * 86400)
    clock.advance(nap.seconds)
    naps.send(())
    assert time.localtime(clock.wall()).tm_hour == 6
    assert "waiting for 02:00-05:00" in (state.read(me.run / "status") or "")


def test_whoever_asks_for_it_need_not_wait(me: Instance) -> None:
    state.write(me.run / "now", "")
    assert hours_waited(me, Updater(me, settings("02:00-05:00"))) == (0, "somebody asked for it")
    assert not (me.run / "now").exists()


def test_what_is_no_file_in_the_place_of_now_is_not_taken_for_a_wish(me: Instance) -> None:
    (me.run / "now").mkdir()
    assert hours_waited(me, Updater(me, settings()))[0] > 0


def test_below_a_root_of_its_own_it_only_says_what_it_would_do(house: House) -> None:
    def status_of_dpkg() -> tuple[float, str]:
        return Path("/var/lib/dpkg/status").stat().st_mtime, subprocess.run(
            ["dpkg", "-l"], capture_output=True, text=True, check=True
        ).stdout

    before = status_of_dpkg()
    footprint.ask_to_look_now(house)
    update = house.add("update", UPGRADE="dpkg no-such-package")
    house.until(lambda: update.status.startswith(("nothing to upgrade: dpkg ", "would upgrade dpkg ")))
    assert status_of_dpkg() == before
    assert not Path("/run/pimains-update/update").exists()


def test_a_window_that_is_none_is_one_line_that_names_the_file(house: House) -> None:
    update = house.add("update", WINDOW="at night")
    house.until(lambda: update.status.endswith("variables/WINDOW: 'at night' is no window of time (such as 02:00-05:00, or empty)"))


def test_an_idle_update_service_needs_at_most_10_mb_and_no_processor(house: House) -> None:
    found = footprint.measure(house, 2, "update")
    assert found.beside_others.pss <= 10
    assert found.processor_percent <= 0.1
