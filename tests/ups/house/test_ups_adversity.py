"""What people and machines do to a shutdown that is under way: once begun by FSD it is carried out, and once."""

import json
import os
import time

import pytest

from pimains.shared import halt_request
from tests.kit import House, TestInstance, until
from tests.ups.outages import LB, at, guarding, requests, status
from tests.ups.upsd import Upsd

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")


def has_halted_once(house: House, ups: TestInstance, halt: TestInstance) -> None:
    house.until(house.halts, what=ups.story)
    assert requests(halt) == 1, halt.story()
    assert len(house.halts()) == 1
    assert (house.root / "run/pimains-halt/cut").read_text().splitlines()[2] == "eaton"


def test_restarted_ten_times_a_second_while_finaldelay_runs_it_asks_once(house: House, upsd: Upsd, halt: TestInstance) -> None:
    ups = guarding(house, at(upsd), FINALDELAY_SECONDS="4")
    upsd.say("eaton", **LB)
    ups.until_logged("-> delayed")
    for _ in range(10):
        ups.svc("-t")
        time.sleep(0.1)
    has_halted_once(house, ups, halt)
    assert ups.log.count("-> forced") == 1


def test_upsd_that_is_restarted_while_its_clients_are_waited_for_is_told_fsd_again(house: House, upsd: Upsd, halt: TestInstance) -> None:
    ups = guarding(house, at(upsd))
    with upsd.talk("bert", "bert") as ask:
        assert ask("LOGIN eaton") == "OK"
        upsd.say("eaton", **LB)
        until(lambda: "FSD" in status(upsd), what=ups.story)
        upsd.stop()
    upsd.start()
    until(lambda: "FSD" in status(upsd), what=ups.story)
    with upsd.talk("bert", "bert") as ask:
        assert ask("LOGIN eaton") == "OK"
        time.sleep(3)
        assert "logged out" not in ups.log  # it has to come back first
        assert "-> delayed" not in ups.log
        assert ask("LOGOUT").startswith("OK")
    has_halted_once(house, ups, halt)
    assert ups.log.count("logged out") == 1
    assert "going on without" not in ups.log


def test_a_second_request_by_a_person_and_a_cancel_change_nothing(house: House, upsd: Upsd, halt: TestInstance) -> None:
    halt.set("HALT_GRACE_SECONDS", "6")
    halt.svc("-t")
    house.until(lambda: halt.status.startswith("ready"))
    ups = guarding(house, at(upsd))
    upsd.say("eaton", **LB)
    house.until(lambda: halt.status.startswith("shutting down"), what=ups.story)
    halt_request.ask("because I can", "anna")
    halt.until_logged("also asked")
    halt_request.cancel("anna")
    house.until(house.halts, what=ups.story)
    assert len(house.halts()) == 1
    assert (house.root / "run/pimains-halt/cut").read_text().splitlines()[2] == "eaton"


def test_a_person_who_has_asked_already_may_not_take_back_what_fsd_has_begun(house: House, upsd: Upsd, halt: TestInstance) -> None:
    halt.set("HALT_GRACE_SECONDS", "15")
    halt.svc("-t")
    house.until(lambda: halt.status.startswith("ready"))
    ups = guarding(house, at(upsd))
    halt_request.ask("going to bed", "anna")
    house.until(lambda: halt.status.startswith("shutting down"), what=halt.story)
    upsd.say("eaton", **LB)
    ups.until_logged("-> asked")
    halt_request.cancel("anna")
    house.until(house.halts, what=ups.story)
    assert len(house.halts()) == 1
    assert (house.root / "run/pimains-halt/cut").read_text().splitlines()[2] == "eaton"


def test_a_wall_clock_that_jumps_by_years_changes_nothing(house: House, upsd: Upsd, halt: TestInstance) -> None:
    """A Pi meets a time server while it is on battery: what is counted is counted all the same."""
    ups = guarding(house, at(upsd), ON_BATTERY_SECONDS_MAX="8")
    upsd.say("eaton", status="OB", charge="90", runtime="3000")
    house.until((ups.lib / "outage").exists, what=ups.story)
    began = time.monotonic()
    outage = json.loads((ups.lib / "outage").read_text())
    (ups.lib / "outage").write_text(json.dumps({**outage, "began_wall": 0.0}))  # as of a machine that was in 1970
    for path in (ups.lib / "outage", ups.run / "known.eaton"):
        os.utime(path, (0, 0))
    pid = ups.pid
    ups.svc("-t")
    house.until(lambda: ups.pid not in (0, pid) and ups.status.startswith("on battery for "), what=ups.story)
    assert halt_request.pending() is None
    house.until(lambda: requests(halt), what=ups.story)
    assert 8 - 1 < time.monotonic() - began < 8 + 3
