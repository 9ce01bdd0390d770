"""svc -d and svc -t of an ups service in an outage."""

import json
import os
import time

import pytest

from pimains.create_service.command import main as create_service
from tests.halt.halting import let_go, pause_at
from tests.kit import House, TestInstance, until
from tests.ups.outages import LB, at, clients, guarding, requests, status
from tests.ups.upsd import Upsd

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")
REFUSED = "told to stop, which it does when this is over: an outage is under way, on battery (svc -k stops it now)"


def on_battery(house: House, upsd: Upsd) -> TestInstance:
    ups = guarding(house, at(upsd))
    upsd.say("eaton", status="OB", charge="90", runtime="1700")
    house.until((ups.lib / "outage").exists, what=ups.story)
    return ups


def test_svc_d_is_refused_in_words_until_the_outage_is_closed(house: House, upsd: Upsd, halt: TestInstance) -> None:
    ups = on_battery(house, upsd)
    pid = ups.pid
    ups.svc("-d")
    house.until(lambda: ups.status.startswith("on battery for ") and ups.status.endswith(f"; {REFUSED}"), what=ups.story)
    ups.until_logged(REFUSED)
    assert clients(upsd) == 1
    upsd.say("eaton", status="OL")
    house.until(lambda: ups.pid == 0, what=ups.story)
    assert ups.status == "stopped"
    assert not (ups.lib / "outage").exists()
    assert ups.log.count(REFUSED) == 1
    ups.svc("-u")
    house.until(lambda: ups.pid not in (0, pid) and ups.status == "on line, 90 %", what=ups.story)


def test_svc_k_stops_it_amid_an_outage_which_stands(house: House, upsd: Upsd, halt: TestInstance) -> None:
    ups = on_battery(house, upsd)
    ups.svc("-d")
    ups.until_logged(REFUSED)
    ups.svc("-k")
    house.until(lambda: ups.pid == 0, what=ups.story)
    assert (ups.lib / "outage").exists()


def test_svc_t_restarts_it_and_it_is_logged_in_again_within_five_seconds(house: House, upsd: Upsd, halt: TestInstance) -> None:
    ups = on_battery(house, upsd)
    before, pid = (ups.lib / "outage").read_text(), ups.pid
    ups.svc("-t")
    began = time.monotonic()
    house.until(lambda: ups.pid not in (0, pid), what=ups.story)
    until(lambda: clients(upsd) == 1)
    assert time.monotonic() - began < 5
    assert REFUSED not in ups.log
    house.until(lambda: ups.status.startswith("on battery for "), what=ups.story)
    assert (ups.lib / "outage").read_text() == before


def test_it_is_not_removed_amid_an_outage_unless_somebody_has_stopped_it(
    house: House, upsd: Upsd, halt: TestInstance, capsys: pytest.CaptureFixture[str]
) -> None:
    ups = on_battery(house, upsd)
    pid, remove = ups.pid, ["--service_name=ups", "--del-service", f"--servicedir={house.scan}"]
    assert create_service(remove) == 1
    assert capsys.readouterr().err == (
        "create_service: ups is needed: an outage is under way, on battery; sudo pimains ups cancel ends it where that is possible"
        f" (svc -dk {ups.directory} stops it all the same, then remove it)\n"
    )
    assert (ups.pid, clients(upsd)) == (pid, 1)
    ups.svc("-dk")
    house.until(lambda: ups.pid == 0, what=ups.story)
    assert create_service(remove) == 0
    assert not ups.directory.exists()
    assert (ups.lib / "outage").exists()


def test_an_upgrade_amid_a_forced_shutdown_restarts_it_and_it_goes_on(house: House, upsd: Upsd, halt: TestInstance) -> None:
    ups = guarding(house, at(upsd), HOSTSYNC_SECONDS_MAX="600")
    with upsd.talk("bert", "bert") as ask:
        assert ask("LOGIN eaton") == "OK"
        upsd.say("eaton", **LB)
        ups.until_logged("-> forced", "SHUTDOWN_HOSTSYNC")
        before, pid = json.loads((ups.lib / "outage").read_text()), ups.pid
        (ups.directory / "variables/PREFIX").unlink()  # the older one had none
        assert create_service(["--refresh", f"--servicedir={house.scan}"]) == 0  # as postinst does it
        ups.svc("-t")
        house.until(lambda: ups.pid not in (0, pid), what=ups.story)
        house.until(lambda: ups.status.startswith("forced shutdown, waiting for 127.0.0.1: "), what=ups.story)
        assert (ups.directory / "variables/PREFIX").exists()
        assert json.loads((ups.lib / "outage").read_text()) == before
        assert halt.status == "ready"
    house.until(house.halts, what=ups.story)
    assert requests(halt) == 1
    assert ups.log.count("-> forced") == 1
    assert (house.root / "run/pimains-halt/cut").read_text().splitlines()[2] == "eaton"


def test_amid_a_shutdown_of_this_machine_it_obeys_at_once(house: House, upsd: Upsd, halt: TestInstance) -> None:
    pause = pause_at(house, "86-pause")
    ups = guarding(house, at(upsd))
    upsd.say("eaton", **LB)
    house.until(lambda: "step 86-pause" in halt.status, what=halt.story)
    ups.svc("-d")
    house.until(lambda: ups.pid == 0, what=ups.story)
    assert ups.status == "stopped"
    assert "told to stop" not in ups.log
    let_go(pause)
    house.until(house.halts, what=halt.story)


def test_a_machine_that_goes_down_is_not_held_up(house: House, upsd: Upsd, halt: TestInstance) -> None:
    """systemd stops daemontools by TERM and CONT, too."""
    systemctl = house.root / "bin/systemctl"
    systemctl.parent.mkdir()
    systemctl.write_text("#!/bin/sh\n[ $1 = is-system-running ] && echo stopping && exit 1\n")
    systemctl.chmod(0o755)
    ups = guarding(house, at(upsd), PATH=f"{systemctl.parent}:{os.environ['PATH']}")
    upsd.say("eaton", status="OB", charge="90", runtime="1700")
    house.until((ups.lib / "outage").exists, what=ups.story)
    ups.svc("-d")
    house.until(lambda: ups.pid == 0, what=ups.story)
    assert (ups.lib / "outage").exists()


@pytest.mark.parametrize("hours", [1, 3])
def test_a_shutdown_that_was_stopped_with_its_service_hours_ago_is_not_gone_on_with(
    hours: int, house: House, upsd: Upsd, halt: TestInstance
) -> None:
    ups = guarding(house, at(upsd), FINALDELAY_SECONDS="600")
    upsd.say("eaton", **LB)
    ups.until_logged("-> delayed")
    ups.svc("-d")
    ups.svc("-k")
    house.until(lambda: ups.pid == 0, what=ups.story)
    outage = json.loads((ups.lib / "outage").read_text())
    (ups.lib / "outage").write_text(json.dumps({**outage, "since": outage["since"] - hours * 3600}))
    upsd.reboot("OL")
    ups.svc("-u")
    if hours == 1:
        house.until(house.halts, what=ups.story)
    else:
        house.until(lambda: ups.status.startswith("on line") and not (ups.lib / "outage").exists(), what=ups.story)
        assert "FSD" not in status(upsd)
        assert halt.status == "ready"
