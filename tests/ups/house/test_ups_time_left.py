"""When a ups service says that it will shut down, and when it does, beside a real upsd."""

import os
from pathlib import Path

import pytest

from pimains.core.plan.sentences import duration
from pimains.shared import halt_length
from tests.kit import House, TestInstance, until
from tests.ups.outages import at, guarding, status
from tests.ups.upsd import USERS, Upsd

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")
OFF_DELAY = 300


def test_the_time_until_the_power_is_cut_is_part_of_a_shutdown(house: House, halt: TestInstance, tmp_path: Path) -> None:
    with Upsd(tmp_path, users=USERS, override={"ups.delay.shutdown": f"{OFF_DELAY}"}) as upsd:
        ups = guarding(house, at(upsd))
        need = 1 + halt_length.read().measured + halt_length.shutdown_seconds() + OFF_DELAY
        upsd.say("eaton", status="OB", charge="90", runtime="3000")
        said = f"90 %, shutting down in about {duration(3000 - 1.2 * need)}"
        house.until(lambda: ups.status.endswith(said), what=ups.story)
        upsd.say("eaton", runtime=f"{1.2 * need + 20:.0f}")  # at each look
        house.until(lambda: ups.status.endswith(f"shutting down in about {duration(20)}"), what=ups.story)
        assert "FSD" not in status(upsd)
        upsd.say("eaton", runtime=f"{1.2 * need - 1:.0f}")
        until(lambda: "FSD" in status(upsd), what=ups.story)
    ups.until_logged(f"and the shutdown takes {need:.0f} s")


def test_of_two_upses_one_on_battery_shuts_only_its_other_machines_down(house: House, upsd: Upsd, halt: TestInstance) -> None:
    ups = guarding(house, f"{at(upsd)} {at(upsd, 'cellar')}")
    upsd.say("eaton", status="OB", charge="90", runtime="1700")
    house.until(lambda: "90 %, shutting its other machines down in about" in ups.status, what=ups.story)
    upsd.say("cellar", status="OB", charge="80", runtime="1600")
    house.until(lambda: "90 %, shutting down in about" in ups.status and "80 %, shutting down in about" in ups.status, what=ups.story)
