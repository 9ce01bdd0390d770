"""`pimains ups`, and what create_service says of a second ups."""

import json
import os
from pathlib import Path

import pytest

from pimains.cli.main import main
from pimains.create_service.command import main as create_service
from tests.kit import House, TestInstance
from tests.ups.nut2_library import NUT2
from tests.ups.outages import LB, at, guarding
from tests.ups.upsd import PASSWORD, Upsd

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")
UPSMON = "MONITOR eaton@localhost 1 anna sesame master\nNOTIFYCMD /sbin/upssched\n"


def added(house: House, *words: str) -> int:
    return create_service(["--service_name=ups", f"--servicedir={house.scan}", f"--root={house.root}", "--add-service", *words])


def test_show_tells_how_each_ups_is(house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Upsd(tmp_path, "eaton", "cellar") as upsd:
        upses = f"eaton@127.0.0.1:{upsd.port} cellar@127.0.0.1:{upsd.port}"
        ups = house.add("ups", pythonpath=str(NUT2), UPS=upses, USERNAME="anna", PASSWORD=PASSWORD)
        house.until(lambda: ups.status == "eaton on line, 100 %; cellar on line, 100 %", what=ups.story)
        words = ["ups", "--servicedir", str(house.scan)]
        assert main(words) == 0
        assert capsys.readouterr().out == "ups: eaton: on line, 100 %\nups: cellar: on line, 100 %\n"
        assert main([*words, "--json"]) == 0
        found = json.loads(capsys.readouterr().out)["ups"]["cellar"]
        assert (found["line"], found["battery.charge"], found["output.voltage"], found["battery.end"]) == ("on line", 100, 229, None)


def test_check_tells_what_does_not_go_together(house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    house.add("ups", svscan=False, UPS="eaton@localhost", USERNAME="anna", PASSWORD=PASSWORD)
    with Upsd(tmp_path) as upsd:
        (upsd.directory / "upsmon.conf").write_text(f"POWERDOWNFLAG {upsd.directory}/ups.conf\n")
        (upsd.directory / "upsmon.conf").chmod(0o644)
        words = ["ups", "check", "--servicedir", str(house.scan), "--nut", str(upsd.directory)]
        assert main(words) == 1
        cannot = "the driver dummy-ups cannot have the UPS cut the power: what was shut down stays off when the mains come back"
        left = f"{upsd.directory}/ups.conf was left behind: with it NUT's own hook cuts the UPS at each shutdown; remove it"
        assert capsys.readouterr().out.splitlines() == [
            f"{upsd.directory}/ups.conf:2: {cannot}",
            f"{upsd.directory}/upsmon.conf: holds passwords that everybody may read: chmod 640",
            f"{upsd.directory}/upsmon.conf:1: {left}",
        ]
        assert main([*words, "--json"]) == 1
        assert [each["line"] for each in json.loads(capsys.readouterr().out)["ups"]] == [2, 0, 1]


def test_check_finds_a_wrong_setting(house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ups = house.add("ups", svscan=False, UPS="eaton@localhost", POWER="none")
    assert main(["ups", "check", "--servicedir", str(house.scan), "--nut", str(tmp_path)]) == 1
    assert capsys.readouterr().out.startswith(f"{ups.directory}/variables/POWER: 'none' is no number of power supplies")


def test_import_makes_an_instance_of_an_upsmon_conf(house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    conf, to = tmp_path / "upsmon.conf", tmp_path / "settings"
    conf.write_text(UPSMON)
    assert main(["ups", "import", str(conf), "--to", str(to)]) == 0
    said = capsys.readouterr().out
    assert "sesame" not in said
    assert f"{conf}: line 2: NOTIFYCMD: people are told by the service notify" in said
    assert (to / "PASSWORD").stat().st_mode & 0o777 == 0o600
    assert added(house, f"--restore={to}") == 0
    variables = house.scan / "ups/variables"
    assert [(variables / name).read_text().splitlines()[0] for name in ("UPS", "POWER", "USERNAME", "PASSWORD", "ROLE")] == [
        *("eaton@localhost", "1", "anna", "sesame", "primary")
    ]
    assert main(["ups", "import", str(conf), "--to", str(to)]) == 1
    assert capsys.readouterr().err == f"pimains: {to}: File exists\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# nothing\n", "has no MONITOR with a UPS, its power value, a user, a password and a role"),
        ("MONITOR eaton 1 anna x master\nMINSUPPLIES 3\n", "means settings that the service does not take: MINSUPPLIES: is 3; "),
    ],
)
def test_an_upsmon_conf_of_no_use_gets_one_line(text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    conf = tmp_path / "upsmon.conf"
    conf.write_text(text)
    assert main(["ups", "import", str(conf)]) == 1
    assert capsys.readouterr().err.startswith(f"pimains: {conf}{': ' if said.startswith('has') else ' '}{said}")


def test_the_supplies_of_a_machine_belong_to_one_instance(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    user = ("--username=anna", "--password=sesame")
    assert added(house, "--ups=eaton", *user) == 0
    assert added(house, "--instance=shed", "--ups=shed@shed.lan", *user) == 2
    assert "--power: ups is there already; the supplies of this machine are counted by one instance" in capsys.readouterr().err
    assert added(house, "--instance=shed", "--ups=shed@shed.lan", "--power=0") == 0
    assert added(house, "--instance=shed", *user, "--power=1") == 2
    assert added(house, "--minsupplies=1", "--power=1") == 0  # of itself it is no second one


def test_cancel_is_answered_by_how_far_the_outage_has_come(
    house: House, upsd: Upsd, halt: TestInstance, capsys: pytest.CaptureFixture[str]
) -> None:
    ups = guarding(house, at(upsd), HOSTSYNC_SECONDS_MAX="60")
    words = ["ups", "cancel", "--servicedir", str(house.scan)]
    assert main(words) == 0
    upsd.say("eaton", status="OB", charge="90", runtime="1700")
    house.until((ups.lib / "outage").exists, what=ups.story)
    assert main(words) == 0
    assert capsys.readouterr().out == "ups: nothing to cancel\n" * 2
    with upsd.talk("bert", "bert") as ask:
        assert ask("LOGIN eaton") == "OK"
        upsd.say("eaton", **LB)
        house.until(lambda: ups.status.startswith("forced shutdown, waiting for"), what=ups.story)
        assert main(words) == 1
        assert capsys.readouterr().out == "ups: FSD is set; secondaries are going down\n"
        assert main([*words, "--json"]) == 1
        assert json.loads(capsys.readouterr().out) == {"ups": {"ok": False, "said": "FSD is set; secondaries are going down"}}
        assert ups.status.startswith("forced shutdown, waiting for")
