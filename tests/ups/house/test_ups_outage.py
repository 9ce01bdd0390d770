"""Outages of a house whose halt service has a recorder for HALT_COMMAND, beside a real upsd with dummy UPSes and a real upsmon."""

import os
import select
import subprocess
import time
from pathlib import Path

import pytest

from pimains.shared import halt_request
from pimains.shared.orders.service_end import Orders
from tests.halt.halting import let_go, new_halt, pause_at
from tests.kit import TOP, House, TestInstance, until
from tests.ups.nut2_library import NUT2
from tests.ups.outages import LB, at, clients, guarding, requests, status, upsmon
from tests.ups.upsd import Upsd

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")


def test_a_primary_has_its_upsmons_shut_down_first_and_halts_when_they_have_left(
    house: House, upsd: Upsd, halt: TestInstance, tmp_path: Path
) -> None:
    ups = guarding(house, at(upsd))
    with upsmon(upsd, tmp_path, "secondary", "bert", "bert") as one, upsmon(upsd, tmp_path, "secondary", "bert", "bert") as two:
        until(lambda: clients(upsd) == 3)
        upsd.say("eaton", **LB)
        house.until(house.halts, what=ups.story)
        halted = time.time()
        assert max(float(one.read_text()), float(two.read_text())) < halted
    assert "FSD" in status(upsd)
    assert requests(halt) == 1
    assert (house.root / "run/pimains-halt/cut").read_text() == "pimains: cut by the last act of this shutdown\n300\neaton\n"
    assert ups.log.count("-> forced") == 1
    assert sum(line.count("127.0.0.1") for line in ups.log.splitlines() if "logged out after" in line) == 2


def test_from_low_to_the_request_takes_no_longer_than_final_delay_where_nobody_is_waited_for(
    house: House, upsd: Upsd, halt: TestInstance
) -> None:
    guarding(house, at(upsd))
    upsd.say("eaton", **LB)
    until(lambda: "FSD" in status(upsd))
    began = time.monotonic()
    house.until(lambda: requests(halt))
    assert time.monotonic() - began < 1 + 1.2


def test_a_client_that_hangs_is_waited_for_its_budget_and_named(house: House, upsd: Upsd, halt: TestInstance) -> None:
    """Scenario 10, and 9: the driver dies meanwhile, which changes nothing."""
    ups = guarding(house, at(upsd), HOSTSYNC_SECONDS_MAX="6")
    with upsd.talk("bert", "bert") as ask:
        assert ask("LOGIN eaton") == "OK"
        upsd.say("eaton", **LB)
        until(lambda: "FSD" in status(upsd))
        began = time.monotonic()
        upsd.kill_driver("eaton")
        house.until(lambda: requests(halt), what=ups.story)
        assert 6 - 1 < time.monotonic() - began - 1 < 6 + 1
    assert "going on without 127.0.0.1: still logged in" in ups.log


def test_four_seconds_on_battery_are_nothing(house: House, upsd: Upsd, halt: TestInstance) -> None:
    """Scenarios 1 and 11."""
    ups = guarding(house, at(upsd))
    upsd.say("eaton", status="OB")
    house.until((ups.lib / "outage").exists)
    house.until((ups.run / "battery_end").exists)
    time.sleep(4)
    upsd.say("eaton", status="OL")
    house.until(lambda: not (ups.lib / "outage").exists())
    house.until(lambda: not (ups.run / "battery_end").exists())
    assert halt.status == "ready"
    assert halt_request.pending() is None
    assert "FSD" not in status(upsd)


def test_a_flash_of_a_low_battery_on_mains_is_nothing(house: House, upsd: Upsd, halt: TestInstance) -> None:
    """Scenario 5."""
    ups = guarding(house, at(upsd))
    upsd.say("eaton", status="OL LB RB")
    ups.until_logged("REPLBATT")
    upsd.say("eaton", status="OL")
    assert not (ups.lib / "outage").exists()
    assert halt.status == "ready"


def test_a_secondary_of_a_real_primary_follows_its_forced_shutdown_and_is_logged_in_until_step_85(
    house: House, upsd: Upsd, halt: TestInstance, tmp_path: Path
) -> None:
    ups = guarding(house, at(upsd), ROLE="secondary", USERNAME="bert", PASSWORD="bert")
    with upsmon(upsd, tmp_path, "primary", "carl", "carl") as primary:
        until(lambda: clients(upsd) == 2)
        upsd.say("eaton", **LB)
        house.until(house.halts, what=ups.story)
        until(primary.exists)
        assert "85-ups done" in "\n".join(halt_request.progress())
    assert requests(halt) == 1
    assert not (house.root / "run/pimains-halt/cut").exists()
    assert ups.log.count("-> forced") == 1


def test_fsd_that_stands_in_upsd_when_a_machine_comes_up_shuts_nothing_down(house: House, upsd: Upsd, halt: TestInstance) -> None:
    """Scenario 6."""
    with upsd.talk("carl", "carl") as ask:
        assert ask("FSD eaton").startswith("OK")
    ups = house.add(
        "ups",
        pythonpath=str(NUT2),
        UPS=at(upsd),
        ROLE="secondary",
        USERNAME="bert",
        PASSWORD="bert",
        POLL_SECONDS="0.5",
        FINALDELAY_SECONDS="1",
    )
    ups.until_logged("FSD_STANDING")
    time.sleep(2)
    assert halt.status == "ready"
    assert not (ups.lib / "outage").exists()


def test_a_secondary_gives_its_primary_up_and_comes_back_when_the_mains_do(house: House, upsd: Upsd, halt: TestInstance) -> None:
    ups = guarding(house, at(upsd), ROLE="secondary", USERNAME="bert", PASSWORD="bert", HOSTSYNC_SECONDS_MAX="2")
    halt.set("HALT_GRACE_SECONDS", "60")
    halt.svc("-t")
    house.until(lambda: halt.status.startswith("ready"))
    upsd.say("eaton", status="OB LB", charge="50", runtime="1700")
    ups.until_logged("giving up on the primary")
    house.until(lambda: halt.status.startswith("shutting down"), what=ups.story)
    upsd.say("eaton", status="OL")
    house.until(lambda: halt.status.startswith("ready; the last shutdown was cancelled by ups"), what=halt.story)
    house.until(lambda: not (ups.lib / "outage").exists())
    assert house.halts() == []


@pytest.mark.parametrize("phase", ["forced", "delayed"])
def test_killed_at_a_phase_boundary_it_goes_on_with_one_request(house: House, upsd: Upsd, halt: TestInstance, phase: str) -> None:
    ups = guarding(house, at(upsd), FINALDELAY_SECONDS="3", HOSTSYNC_SECONDS_MAX="5")
    with upsd.talk("bert", "bert") as ask:
        assert ask("LOGIN eaton") == "OK"
        upsd.say("eaton", **LB)
        ups.until_logged(f"-> {phase}")
        ups.kill()
        house.until(house.halts, what=ups.story)
    assert requests(halt) == 1
    assert "also asked for" not in halt.log


def test_of_two_upses_one_that_is_critical_takes_its_clients_and_not_this_machine(house: House, upsd: Upsd, halt: TestInstance) -> None:
    ups = guarding(house, f"{at(upsd)} {at(upsd, 'cellar')}")
    upsd.say("eaton", **LB)
    until(lambda: "FSD" in status(upsd))
    ups.until_logged("eaton does not take shutdown.return and runs empty")
    assert "FSD" not in status(upsd, "cellar")
    assert halt.status == "ready"
    upsd.say("cellar", **LB)
    house.until(house.halts, what=ups.story)
    assert (house.root / "run/pimains-halt/cut").read_text().splitlines()[2] == "eaton cellar"


def test_halted_by_somebody_else_in_an_outage_a_primary_tells_its_clients_first(house: House, upsd: Upsd, halt: TestInstance) -> None:
    ups = guarding(house, at(upsd))
    upsd.say("eaton", status="OB", charge="90", runtime="1700")
    house.until((ups.lib / "outage").exists)
    (halt.run / "request").write_text("bored\nanna\n")
    house.until(house.halts, what=ups.story)
    assert "FSD" in status(upsd)
    assert (house.root / "run/pimains-halt/cut").exists()


def test_while_halt_command_fails_nothing_is_cut_and_the_login_is_renewed(
    house: House, upsd: Upsd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIMAINS_ROOT", str(house.root))
    halt = new_halt(house, HALT_COMMAND="/bin/false")
    ups = guarding(house, at(upsd))
    flag = house.root / "run/pimains-halt/cut"
    upsd.say("eaton", **LB)
    house.until(flag.exists, what=ups.story)
    halt.until_logged("this machine is not shut down: HALT_COMMAND failed")
    house.until(lambda: not flag.exists())
    until(lambda: clients(upsd) == 1)
    halt.set("HALT_COMMAND", house.recorder)
    halt.svc("-t")
    house.until(house.halts, what=halt.story)
    assert flag.exists()
    assert requests(halt) == 1


@pytest.mark.parametrize(
    ("said", "written"), [("cut 60 eaton", "60 eaton"), ("cut 60 ../x $(id) -k ok", "60 ok"), ("cut x eaton", ""), ("cut 60", "")]
)
def test_root_takes_what_is_said_for_text(house: House, halt: TestInstance, said: str, written: str) -> None:
    """Whoever is user pimains answers in the place of the service."""
    (house.root / "run/pimains/ups").mkdir()
    with Orders(house.root / "run/pimains/ups", {"outage-last": "REASON"}) as orders:
        for path in (house.root / "run/pimains/ups/orders").rglob("*"):
            path.chmod(0o777)
        (house.root / "run/pimains/ups/orders").chmod(0o777)
        environment = {"PATH": os.environ["PATH"], "PIMAINS_ROOT": str(house.root)}
        step = subprocess.Popen([TOP / "services/ups/halt.d/85-ups"], env=environment)
        while step.poll() is None:
            for order in orders.take():
                orders.answer(order.id, said)
            select.select([orders], [], [], 0.05)
    flag = house.root / "run/pimains-halt/cut"
    assert ("" if not flag.exists() else " ".join(flag.read_text().split("\n")[1:]).strip()) == written


def test_a_secondary_that_went_alone_says_when_its_primary_forces_after_all_and_goes_on(
    house: House, upsd: Upsd, halt: TestInstance
) -> None:
    pause = pause_at(house, "10-pause")
    ups = guarding(house, at(upsd), ROLE="secondary", USERNAME="bert", PASSWORD="bert", HOSTSYNC_SECONDS_MAX="2")
    upsd.say("eaton", status="OB LB", charge="50", runtime="1700")
    house.until(lambda: "step 10-pause" in halt.status, what=ups.story)
    house.until(lambda: ups.status.startswith("this machine is shutting down, and its primary has forced nothing: "), what=ups.story)
    with upsd.talk("carl", "carl") as ask:
        assert ask("FSD eaton").startswith("OK")
    house.until(lambda: ups.status.startswith("this machine is shutting down, as its primary has forced: "), what=ups.story)
    ups.until_logged("the primary has forced a shutdown after all: from here there is no return")
    with upsd.talk("tester", "tester") as ask:
        assert ask('SET VAR eaton ups.status "OL"').startswith("OK")
    ups.until_logged("the power is back, and will be cut once more")
    let_go(pause)
    house.until(house.halts, what=halt.story)
    assert requests(halt) == 1
