"""Outages that happened to people, each with a real upsd, the service and halt."""

import os
import time

import pytest

from pimains.shared import halt_length, halt_request
from tests.kit import House, TestInstance, until
from tests.ups.commanded import Commanded
from tests.ups.outages import LB, at, clients, guarding, requests, status
from tests.ups.upsd import Upsd

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")


def is_nothing(ups: TestInstance, halt: TestInstance) -> bool:
    """Whether nothing was ordered."""
    return halt.status == "ready" and halt_request.pending() is None and "-> forced" not in ups.log and "-> delayed" not in ups.log


def test_usb_drops_when_the_mains_drop(house: House, upsd: Upsd, halt: TestInstance) -> None:
    """Scenario 2."""
    ups = guarding(house, at(upsd))
    upsd.say("eaton", status="OB DISCHRG", charge="95", runtime="1800")
    house.until((ups.lib / "outage").exists, what=ups.story)
    upsd.kill_driver("eaton")
    house.until(
        lambda: ups.status.startswith("no data for 12 s (LIST VAR eaton: ERR DRIVER-NOT-CONNECTED), on battery for "), what=ups.story
    )
    assert "shutting down in about 28 min" in ups.status
    assert is_nothing(ups, halt)
    upsd.start_driver("eaton")
    house.until(lambda: ups.status == "on line, 100 %", what=ups.story)
    house.until(lambda: not (ups.lib / "outage").exists())
    assert is_nothing(ups, halt)


def test_usb_drops_when_the_mains_drop_for_good(house: House, upsd: Upsd, halt: TestInstance) -> None:
    """Scenario 3: what halt takes, the margin and a fifth are left when it is asked, and it is not asked before."""
    ups = guarding(house, at(upsd))
    house.until((halt.lib / "length").exists)
    need = 1 + halt_length.read().measured + halt_length.shutdown_seconds()
    margin = max(15.0, need / 5)
    upsd.say("eaton", status="OB DISCHRG", charge="95", runtime=f"{need + margin + 12:.0f}")
    house.until((ups.lib / "outage").exists, what=ups.story)
    upsd.kill_driver("eaton")
    house.until((ups.run / "battery.end").exists, what=ups.story)
    end = float((ups.run / "battery.end").read_text())
    house.until(lambda: requests(halt), what=ups.story)
    left = end - time.clock_gettime(time.CLOCK_BOOTTIME)
    assert need < left < need + margin + 2
    assert "eaton: COMMBAD" in ups.log


def test_ob_and_off_together(house: House, upsd: Upsd, halt: TestInstance) -> None:
    """Scenario 4."""
    ups = guarding(house, at(upsd), OFF_SECONDS="2")
    upsd.say("eaton", status="OB OFF OB", charge="100", runtime="7200")
    ups.until_logged("eaton: OFF")
    house.until(lambda: ups.status.startswith("on battery for 8 s"), what=ups.story)
    assert "its output is off" in ups.status
    assert ups.log.count("eaton: OFF") == 1
    assert is_nothing(ups, halt)


def test_the_mains_are_back_while_the_primary_is_going_down(house: House, upsd: Upsd, halt: TestInstance) -> None:
    """Scenario 7, in earnest: the cut is what restarts its client."""
    ups = guarding(house, at(upsd))
    with upsd.talk("bert", "bert") as ask:
        assert ask("LOGIN eaton") == "OK"
        upsd.say("eaton", **LB)
        until(lambda: "FSD" in status(upsd))
        with upsd.talk("tester", "tester") as tester:
            assert tester('SET VAR eaton ups.status "OL"').startswith("OK")
        ups.until_logged("the power is back, and will be cut once more")
        assert ask("LOGOUT").startswith("OK")
    house.until(house.halts, what=ups.story)
    assert (house.root / "run/pimains-halt/cut").read_text().splitlines()[2] == "eaton"
    assert ups.log.count("the power is back") == 1


@pytest.mark.parametrize("may_command", [True, False])
def test_the_pi_has_its_own_power(may_command: bool, house: House, upsd: Upsd, halt: TestInstance) -> None:
    """Scenario 14."""
    user = {} if may_command else {"USERNAME": "carl", "PASSWORD": "carl"}
    with Commanded(upsd, "eaton") as eaton:
        ups = guarding(house, at(upsd), POWER="0", **user)
        assert clients(upsd) == 0
        with upsd.talk("bert", "bert") as ask:
            assert ask("LOGIN eaton") == "OK"
            eaton.say("OB LB", charge="12", runtime="120")
            house.until(lambda: ups.status.startswith("forced shutdown, waiting for 127.0.0.1: UPS eaton: the UPS says"), what=ups.story)
            assert ups.status.endswith("; this machine stays up")
            assert status(upsd) == 'VAR eaton ups.status "FSD OB LB"'
            assert eaton.commands == []
            assert ask("LOGOUT").startswith("OK")
        if may_command:
            house.until(lambda: eaton.commands == ["shutdown.return"], what=ups.story)
            ups.until_logged("eaton is told to cut its output and to return with the mains")
        else:
            ups.until_logged("eaton does not take shutdown.return and runs empty: ", "instcmds = shutdown.return")
        house.until(lambda: ups.status.endswith("forced shutdown, battery low, this machine stays up"), what=ups.story)
        eaton.say("OL CHRG", charge="20")
        house.until(lambda: not (ups.lib / "outage").exists(), what=ups.story)
        ups.until_logged("the forced shutdown of eaton stands in upsd: sudo systemctl restart nut-server")
        house.until(lambda: "on line, 20 %" in ups.status, what=ups.story)
        assert eaton.commands == ["shutdown.return"] * may_command
    assert halt.status == "ready"
    assert house.halts() == []


def test_old_counters(house: House, upsd: Upsd, halt: TestInstance) -> None:
    """Scenario 15: also where the service is another one meanwhile."""
    ups = guarding(house, at(upsd), ON_BATTERY_SECONDS_MAX="6")
    upsd.say("eaton", status="OB")
    house.until(lambda: ups.status.startswith("on battery for 3 s"), what=ups.story)
    upsd.say("eaton", status="OL")
    house.until(lambda: ups.status == "on line, 100 %", what=ups.story)
    pid = ups.pid
    ups.svc("-t")
    house.until(lambda: ups.pid not in (0, pid) and ups.status == "on line, 100 %", what=ups.story)
    upsd.say("eaton", status="OB")
    began = time.monotonic()
    house.until(lambda: requests(halt), what=ups.story)
    assert 5 < time.monotonic() - began < 6 + 1 + 2
    assert "on battery for 6 s, ON_BATTERY_SECONDS_MAX is 6 s" in ups.log
