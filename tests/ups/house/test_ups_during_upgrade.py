"""The mains go while the update service has an upgrade under way that would take ten minutes, and the battery lasts for three."""

import os
import time
from pathlib import Path

import pytest

from tests.halt.halting import new_halt, upgrade
from tests.kit import House
from tests.ups.outages import at, guarding
from tests.ups.upsd import Upsd

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")
BATTERY_SECONDS = 180
FOR_THE_SHUTDOWN_SECONDS = 25


def test_halt_command_is_started_in_time_and_the_upgrade_gets_what_is_left(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIMAINS_ROOT", str(house.root))
    halt = new_halt(house)
    with Upsd(tmp_path, "eaton") as upsd, upgrade(house):
        ups = guarding(house, at(upsd))
        end = time.clock_gettime(time.CLOCK_BOOTTIME) + BATTERY_SECONDS
        upsd.say("eaton", runtime=str(BATTERY_SECONDS), status="OB")

        def runs_down() -> bool:
            """Whether it does; the UPS says how long it lasts."""
            left = end - time.clock_gettime(time.CLOCK_BOOTTIME)
            upsd.say("eaton", runtime=f"{left:.0f}")
            return left > 1

        house.until(lambda: not runs_down() or halt.status.startswith("shutting down"), BATTERY_SECONDS, ups.story)
        asked = time.clock_gettime(time.CLOCK_BOOTTIME)
        house.until(lambda: not runs_down() or house.halts(), BATTERY_SECONDS, halt.story)
    (halted,) = house.halts()
    assert float(halted.split()[0]) < end - FOR_THE_SHUTDOWN_SECONDS
    assert asked > end - BATTERY_SECONDS / 2, "not before it has to be"
    halt.until_logged("05-update gets ", " s instead of 600 s: the battery will be empty", "05-update failed")
