"""ups beside a real upsd and a CCU: what stands in the CCU's variables, whatever becomes of the CCU."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pimains.cli.main import main
from pimains.house.ccu import Ccu, Firmware, Variable
from tests.kit import TOP, House, TestInstance, until
from tests.ups.nut2_library import NUT2
from tests.ups.outages import LB, at, guarding, requests
from tests.ups.upsd import Upsd

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")
NUMBERS = ("battery.charge", "battery.runtime", "input.voltage", "output.voltage", "ups.load")
TEXTS = ("battery.runtime_s", "device.model", "ups.status", "ccu.time")
ALARM, MONITOR = "eaton@127.0.0.1-Alarm", "sv_USV-Monitor"


@pytest.fixture
def ccu() -> Iterator[Ccu]:
    kinds = {**dict.fromkeys(NUMBERS, "NUMBER"), **dict.fromkeys(TEXTS, "STRING")}
    variables = {f"sv_USV_{name}": Variable(kind) for name, kind in kinds.items()}
    with Ccu({**variables, ALARM: Variable("ALARM"), MONITOR: Variable("STRING")}) as ccu:
        yield ccu


def told(house: House, upsd: Upsd, ccu: Ccu, **settings: str) -> TestInstance:
    """An ups that writes into `ccu`."""
    login = {"CCU": ccu.url, "CCU_USER": "pi", "CCU_PASSWORD": "secret", "CCU_SECONDS": "10"}
    return guarding(house, at(upsd), **{**login, **settings})


def values(ccu: Ccu, *names: str) -> list[object]:
    return [ccu.variables[f"sv_USV_{name}"].value for name in names]


def child(ups: TestInstance) -> int:
    """The process for the CCU, 0 while there is none."""
    tasks = Path(f"/proc/{ups.pid}/task").glob("*/children")
    return int(next(iter(" ".join(each.read_text() for each in tasks).split()), 0))


def is_away(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_the_values_stand_in_the_ccu_and_a_power_cut_at_once(house: House, upsd: Upsd, ccu: Ccu) -> None:
    ups = told(house, upsd, ccu, CCU_SECONDS="3600")
    house.until(lambda: values(ccu, "ups.status") == ["OL"] and not ccu.sessions, what=ups.story)
    assert values(ccu, *NUMBERS, "battery.runtime_s") == [100.0, 1800.0, 230.0, 229.0, 20.0, "00:30:00"]
    assert ccu.variables[ALARM].value is False
    assert str(ccu.variables[MONITOR].value).startswith("eaton@127.0.0.1: on line, 100 % | battery.charge 100 | battery.runtime 1800 | ")
    assert time.strftime("%Y-%m-%d ") in str(values(ccu, "ccu.time")[0])
    began = time.monotonic()
    upsd.say("eaton", status="OB DISCHRG", charge="99")
    until(lambda: values(ccu, "ups.status") == ["OB DISCHRG"] and ccu.variables[ALARM].value is True, 10, ups.story)
    assert time.monotonic() - began < 3
    house.until(lambda: values(ccu, "battery.charge") == [99.0] and not ccu.sessions, what=ups.story)
    assert ccu.sessions_most == 1
    assert ccu.calls.count("Session.login") == ccu.calls.count("Session.logout")
    assert "sv_USV" not in ups.log
    assert ups.read("ccu") == ""


def test_all_is_written_again_each_ccu_seconds_also_when_somebody_else_wrote(house: House, upsd: Upsd, ccu: Ccu) -> None:
    ups = told(house, upsd, ccu)
    house.until(lambda: values(ccu, "ups.load") == [20.0], what=ups.story)
    ccu.variables["sv_USV_ups.load"].value = 3.0
    house.until(lambda: values(ccu, "ups.load") == [20.0], what=ups.story)
    assert ups.log.count("CCU") == 0


def test_what_is_missing_or_of_another_type_is_said_once_and_found_by_check(
    house: House, upsd: Upsd, ccu: Ccu, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del ccu.variables["sv_USV_ups.load"], ccu.variables["sv_USV_ccu.time"]
    ccu.variables["sv_USV_battery.charge"] = Variable("STRING")
    ups = told(house, upsd, ccu)
    missing = "it lacks system variables; to create as number: sv_USV_ups.load; as character string: sv_USV_ccu.time"
    wrong = "sv_USV_battery.charge is a variable of type STRING and is not written: it has to be of type number"
    ups.until_logged(missing, wrong)
    logins = ccu.calls.count("Session.login")
    house.until(lambda: ccu.calls.count("Session.login") > logins and not ccu.sessions, what=ups.story)
    assert ups.log.count(missing) == ups.log.count(wrong) == 1
    assert values(ccu, "battery.charge") == [""]
    assert main(["ups", "check", "--servicedir", str(house.scan), "--nut", str(tmp_path)]) == 1
    assert f"{ups.directory}/variables/CCU: the CCU at {ccu.url}: {missing}; {wrong}" in capsys.readouterr().out.splitlines()
    ccu.variables["sv_USV_ups.load"], ccu.variables["sv_USV_ccu.time"] = Variable("NUMBER"), Variable("STRING")
    ccu.variables["sv_USV_battery.charge"] = Variable("NUMBER")
    house.until(lambda: ups.read("ccu") == "", what=ups.story)
    assert values(ccu, "battery.charge", "ups.load") == [100.0, 20.0]


def test_an_older_ccu_gets_numbers_and_alarms(house: House, upsd: Upsd, ccu: Ccu) -> None:
    ccu.firmware = Firmware(sets_strings=False)
    ups = told(house, upsd, ccu)
    ups.until_logged("it takes no character strings: its firmware has no SysVar.setString; numbers and alarms are written")
    house.until(lambda: values(ccu, "battery.charge", "ups.status") == [100.0, ""], what=ups.story)


@pytest.mark.parametrize("by_error", [True, False])
def test_a_wrong_password_is_said_with_its_file_and_the_ccu_left_alone(
    house: House, upsd: Upsd, ccu: Ccu, tmp_path: Path, capsys: pytest.CaptureFixture[str], by_error: bool
) -> None:
    ccu.firmware = Firmware(refuses_by_error=by_error)
    ups = told(house, upsd, ccu, CCU_PASSWORD="wrong")
    house.until(lambda: "variables/CCU_USER: or CCU_PASSWORD is wrong" in ups.read("ccu"), what=ups.story)
    upsd.say("eaton", status="OB", charge="98")
    house.until(lambda: ups.read("alarm") == "1", what=ups.story)
    time.sleep(2)  # for what must not come there is no event
    assert ccu.calls == ["Session.login"]
    assert main(["ups", "check", "--servicedir", str(house.scan), "--nut", str(tmp_path)]) == 1
    assert f"{ups.directory}/variables/CCU_USER: or CCU_PASSWORD is wrong" in capsys.readouterr().out


def test_a_ups_that_cannot_be_read_has_0_and_the_time(house: House, upsd: Upsd, ccu: Ccu) -> None:
    ups = told(house, upsd, ccu)
    house.until(lambda: values(ccu, "battery.charge") == [100.0] and not ccu.sessions, what=ups.story)
    upsd.stop()
    house.until(lambda: values(ccu, *NUMBERS, "ups.status") == [0.0, 0.0, 0.0, 0.0, 0.0, "0"], what=ups.story)
    assert values(ccu, "ccu.time") != ["0"]
    assert ccu.variables[ALARM].value is True
    assert "no data for " in str(ccu.variables[MONITOR].value)
    upsd.start()
    house.until(lambda: values(ccu, "battery.charge", "ups.status") == [100.0, "OL"], what=ups.story)


def test_a_ccu_that_hangs_or_talks_garbage_is_said_once_and_once_when_it_is_back(house: House, upsd: Upsd, ccu: Ccu) -> None:
    ccu.be("garbage")
    ups = told(house, upsd, ccu)
    ups.until_logged(f"the CCU at {ccu.url}: its answer to Session.login is no JSON")
    ccu.be("well")
    house.until(lambda: values(ccu, "ups.status") == ["OL"], 90, what=ups.story)
    ups.until_logged("the CCU: well again")
    assert ups.read("ccu") == ""


def test_a_session_that_a_killed_process_left_open_is_ended_by_the_next_one(house: House, upsd: Upsd, ccu: Ccu) -> None:
    ups = told(house, upsd, ccu)
    house.until(lambda: values(ccu, "ups.status") == ["OL"] and not ccu.sessions, what=ups.story)
    ccu.be("stuck")
    upsd.say("eaton", status="OL CHRG")
    house.until(lambda: ccu.sessions and ups.read("ccu_session") in ccu.sessions, what=ups.story)
    assert (ups.run / "ccu_session").stat().st_mode & 0o777 == 0o600
    os.kill(child(ups), signal.SIGKILL)
    ups.until_logged("the process for the CCU ended: ended by SIGKILL; another one begins in 60 s")
    ccu.be("well")
    ups.svc("-t")
    house.until(lambda: values(ccu, "ups.status") == ["OL CHRG"] and not ccu.sessions, what=ups.story)
    house.until(lambda: not (ups.run / "ccu_session").exists(), what=ups.story)


def test_a_missing_library_is_said_with_its_package_and_holds_up_nothing(house: House, upsd: Upsd, ccu: Ccu) -> None:
    without = house.root / "without"
    without.mkdir()
    (without / "requests.py").write_text("raise ModuleNotFoundError(name='requests')\n")
    ups = told(house, upsd, ccu, PYTHONPATH=f"{TOP / 'lib'}:{NUT2}:{without}")
    ups.until_logged("the Python module requests is missing: apt install python3-requests, then svc -t ")
    assert "apt install python3-requests" in ups.read("ccu")
    house.until(lambda: ups.status == "on line, 100 %", what=ups.story)


def test_the_process_for_the_ccu_ends_with_the_service_and_begins_anew_with_it(house: House, upsd: Upsd, ccu: Ccu) -> None:
    ups = told(house, upsd, ccu)
    house.until(lambda: values(ccu, "ups.status") == ["OL"], what=ups.story)
    first, before = child(ups), ups.pid
    ups.kill()
    until(lambda: is_away(first), 20, "the process for the CCU to end")
    house.until(lambda: ups.pid not in (0, before) and child(ups) not in (0, first), what=ups.story)
    second = child(ups)
    ups.svc("-d")
    until(lambda: is_away(second), 20, "the process for the CCU to end")
    assert ccu.sessions == set()


@pytest.mark.alone
def test_a_ccu_that_hangs_holds_up_no_shutdown(house: House, upsd: Upsd, ccu: Ccu, halt: TestInstance) -> None:
    ccu.be("hanging")
    ups = told(house, upsd, ccu)
    house.until(lambda: child(ups), what=ups.story)
    upsd.say("eaton", **LB)
    began = time.monotonic()
    house.until(lambda: requests(halt), what=ups.story)
    assert time.monotonic() - began < 0.5 + 1 + 1.2  # POLL_SECONDS, FINALDELAY_SECONDS, and what is allowed without a CCU
    house.until(house.halts, what=ups.story)
