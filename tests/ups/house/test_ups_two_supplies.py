"""A machine with two UPSes of one upsd: which of them it can do without."""

import os
import signal

import pytest

from tests.kit import House, TestInstance, until
from tests.ups.commanded import Commanded
from tests.ups.nut2_library import NUT2
from tests.ups.outages import LB, at, guarding, status
from tests.ups.upsd import Upsd

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")


def two(house: House, upsd: Upsd, **settings: str) -> TestInstance:
    return guarding(house, f"{at(upsd)} {at(upsd, 'cellar')}", **settings)


def cut(house: House) -> str:
    return (house.root / "run/pimains-halt/cut").read_text().splitlines()[2]


def test_a_machine_that_needs_both_goes_down_with_one_and_cuts_that_one_only(house: House, upsd: Upsd, halt: TestInstance) -> None:
    ups = two(house, upsd, MINSUPPLIES="2")
    upsd.say("cellar", **LB)
    house.until(house.halts, what=ups.story)
    assert cut(house) == "cellar"
    assert "FSD" not in status(upsd, "eaton")


def test_one_that_is_lost_on_line_still_feeds_it(house: House, upsd: Upsd, halt: TestInstance) -> None:
    ups = two(house, upsd)
    upsd.kill_driver("cellar")
    house.until(lambda: "cellar no data for " in ups.status, what=ups.story)
    upsd.say("eaton", **LB)
    until(lambda: "FSD" in status(upsd))
    ups.until_logged("eaton does not take shutdown.return and runs empty")
    house.until(lambda: "eaton on battery for 5 s, 12 %, forced shutdown, battery low, this machine stays up" in ups.status, what=ups.story)
    assert halt.status == "ready"


def test_one_that_is_lost_on_battery_does_so_until_its_time_is_over(house: House, upsd: Upsd, halt: TestInstance) -> None:
    ups = two(house, upsd)
    upsd.say("cellar", status="OB", charge="95", runtime="90")
    house.until((ups.lib / "outage").exists, what=ups.story)
    upsd.kill_driver("cellar")
    upsd.say("eaton", **LB)
    until(lambda: "FSD" in status(upsd))
    house.until(house.halts, what=ups.story)
    assert cut(house) == "eaton cellar"


def test_one_that_is_off_feeds_nothing(house: House, upsd: Upsd, halt: TestInstance) -> None:
    ups = two(house, upsd, OFF_SECONDS="1")
    upsd.say("cellar", status="OL OFF")
    ups.until_logged("cellar: OFF")
    assert not (ups.lib / "outage").exists()
    upsd.say("eaton", **LB)
    house.until(house.halts, what=ups.story)
    assert cut(house) == "eaton"


def test_one_that_does_not_feed_it_takes_its_own_clients_only(house: House, upsd: Upsd, halt: TestInstance) -> None:
    ups = two(house, upsd, POWER="1 0")
    upsd.say("cellar", **LB)
    until(lambda: "FSD" in status(upsd, "cellar"))
    ups.until_logged("cellar does not take shutdown.return and runs empty")
    house.until(lambda: "12 %, forced shutdown, battery low, this machine stays up" in ups.status, what=ups.story)
    assert halt.status == "ready"
    assert "FSD" not in status(upsd)
    upsd.say("eaton", **LB)
    house.until(house.halts, what=ups.story)
    assert cut(house) == "eaton"


def test_where_upsd_refuses_fsd_its_clients_are_not_waited_for_also_when_this_machine_stays_up(
    house: House, upsd: Upsd, halt: TestInstance
) -> None:
    given = {"POWER": "0", "USERNAME": "bert", "PASSWORD": "bert", "POLL_SECONDS": "0.5", "FINALDELAY_SECONDS": "1"}
    ups = house.add("ups", pythonpath=str(NUT2), UPS=at(upsd), **given, HOSTSYNC_SECONDS_MAX="600")
    house.until(lambda: "upsd.users needs [bert] with this password and: upsmon primary" in ups.status, what=ups.story)
    with upsd.talk("bert", "bert") as ask:
        assert ask("LOGIN eaton") == "OK"
        upsd.say("eaton", **LB)
        ups.until_logged("eaton: forced -> delayed", "eaton: delayed -> returning")
    assert "needs [bert] with this password and: upsmon primary, or actions = FSD" in ups.log
    assert "FSD" not in status(upsd)
    assert halt.status == "ready"


@pytest.mark.parametrize("back", [True, False])
def test_a_ups_that_could_not_be_told_to_cut_is_told_later_only_if_its_mains_are_still_gone(
    back: bool, house: House, upsd: Upsd, halt: TestInstance
) -> None:
    with Commanded(upsd, "eaton") as eaton:
        ups = guarding(house, at(upsd), POWER="0", HOSTSYNC_SECONDS_MAX="3")
        with upsd.talk("bert", "bert") as ask:
            assert ask("LOGIN eaton") == "OK"
            eaton.say("OB LB", charge="12", runtime="120")
            ups.until_logged("eaton: well -> forced")
            upsd.stop()
        ups.until_logged("eaton: delayed -> returning")
        house.until(lambda: "(connection refused), on battery" in ups.status, what=ups.story)
        assert eaton.commands == []
        if back:
            eaton.be("OL")
            upsd.start()
            house.until(lambda: not (ups.lib / "outage").exists(), what=ups.story)
            ups.until_logged("eaton could not be told to cut its output, and need not be any more")
        else:
            upsd.start()
            ups.until_logged("eaton is told to cut its output and to return with the mains")
            house.until(lambda: "forced shutdown" not in ups.status, what=ups.story)
        assert eaton.commands == ["shutdown.return"] * (not back)
        assert "FSD" not in status(upsd)  # it was restarted, and nobody has to go down for it any more


def test_a_ups_is_told_to_cut_by_the_next_service_where_the_one_before_did_not_come_to_it(
    house: House, upsd: Upsd, halt: TestInstance
) -> None:
    with Commanded(upsd, "eaton") as eaton:
        ups = guarding(house, at(upsd), POWER="0", HOSTSYNC_SECONDS_MAX="2")
        eaton.say("OB LB", charge="12", runtime="120")
        ups.until_logged("eaton: well -> forced")
        upsd.freeze()
        ups.until_logged("eaton: delayed -> returning")
        pid = ups.pid
        ups.svc("-k")
        house.until(lambda: ups.pid not in (0, pid), what=ups.story)
        upsd.stop(signal.SIGKILL)
        assert eaton.commands == []
        upsd.start()
        house.until(lambda: eaton.commands == ["shutdown.return"], what=ups.story)
