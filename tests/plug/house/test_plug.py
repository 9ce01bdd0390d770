"""The plug service with pimains' own simulated plug: faults on demand, and what needs no firmware."""

import os
import re
import signal
import subprocess
import time

import pytest

from tests.kit import TOP, House, TestInstance
from tests.plug.plugs import KEY, NEWEST, OLDEST, OTHER_KEY, aioesphomeapi, house_plug


def announce_halt(house: House, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run halt.d/80-plug as the halt service does."""
    settings = {"PIMAINS_ROOT": str(house.root), "PIMAINS_REASON": "a test", "PIMAINS_BUDGET_SECONDS": "13", **environment}
    return subprocess.run(
        [TOP / "services/plug/halt.d/80-plug"], env={**os.environ, **settings}, capture_output=True, text=True, check=False, timeout=60
    )


def add_plug(house: House, port: str, version: str = OLDEST, name: str = "plug", *, svscan: bool = True, **variables: str) -> TestInstance:
    return house.add("plug", name, svscan=svscan, pythonpath=aioesphomeapi(version), HOST="127.0.0.1", PORT=port, **variables)


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("key", ["", KEY])
def test_switched_off_it_asks_for_a_shutdown(house: House, version: str, key: str) -> None:
    with house_plug(*(["--key", key] if key else [])) as device:
        halt = house.add("halt", svscan=False, HALT_COMMAND=house.recorder)
        plug = add_plug(house, device.port, version, ENCRYPTION_KEY=key)
        house.until(lambda: plug.status == "connected to 127.0.0.1, power on, cut 240 s after a shutdown")
        device.tell("off")
        house.until(lambda: "Delay Switch of House plug was switched off" in halt.read("request") + halt.log)


def test_each_plug_counts_down_when_a_halt_is_announced(house: House) -> None:
    with house_plug() as left, house_plug() as right:
        add_plug(house, left.port, name="left", svscan=False, SHUTDOWN_SECONDS_MAX="40")
        plug = add_plug(house, right.port, name="right", SHUTDOWN_SECONDS_MAX="50")
        house.until(lambda: plug.status.startswith("connected") and (house.root / "run/pimains/left/orders/words").exists())
        began = time.monotonic()
        told = announce_halt(house)
        assert time.monotonic() - began < 10  # who waits for something that does not come waits 12 s
        assert sorted(told.stdout.splitlines()) == [
            "127.0.0.1 cuts the power in 40 s at the latest",
            "127.0.0.1 cuts the power in 50 s at the latest",
        ]
        assert told.returncode == 0
        house.until(lambda: left.has_said("countdown 40 s") and right.has_said("countdown 50 s"))


def test_a_halt_that_is_announced_while_the_agent_restarts_is_told_to_the_plug_all_the_same(house: House) -> None:
    with house_plug() as device:
        plug = add_plug(house, device.port)
        house.until(lambda: plug.status.startswith("connected"))
        plug.kill()
        told = announce_halt(house)
        assert (told.returncode, told.stdout) == (0, "127.0.0.1 cuts the power in 240 s at the latest\n")
        device.until_said("countdown 240 s")


def test_a_halt_goes_on_without_a_plug_that_is_away_and_says_so(house: House) -> None:
    with house_plug() as device:
        port = device.port
    plug = add_plug(house, port)
    house.until(lambda: "127.0.0.1 is away" in plug.status)
    told = announce_halt(house)
    assert (told.returncode, told.stdout) == (1, "127.0.0.1 is away: its power stays on\n")


def test_a_halt_goes_on_without_a_service_that_does_not_answer(house: House) -> None:
    dead = house.root / "run/pimains/dead/orders"
    dead.mkdir(parents=True)
    dead.chmod(0o777)
    (dead / "words").write_text("halt\nstay\n")
    os.mkfifo(dead / "ask")
    (dead / "ask").chmod(0o666)
    told = announce_halt(house, PIMAINS_BUDGET_SECONDS="1.5")
    assert (told.returncode, told.stdout) == (1, "dead did not answer within 1 s: the power of its plug stays as it is\n")
    assert sorted(os.listdir(dead)) == ["ask", "words"]


def test_a_plug_is_not_told_of_a_halt_that_nobody_waits_for_any_more(house: House) -> None:
    with house_plug() as device:
        plug = add_plug(house, device.port)
        house.until(lambda: plug.status.startswith("connected"))
        plug.kill(signal.SIGSTOP)
        told = announce_halt(house, PIMAINS_BUDGET_SECONDS="1")
        assert (told.returncode, told.stdout) == (1, "plug did not answer within 1 s: the power of its plug stays as it is\n")
        plug.kill(signal.SIGCONT)
        told = announce_halt(house, PIMAINS_CALLED_OFF="cancelled")
        assert (told.returncode, told.stdout) == (0, "127.0.0.1 leaves the power on\n")
        assert not device.has_said("countdown 240 s")


def test_a_plug_whose_firmware_always_cuts_after_the_same_time_is_not_told_of_a_halt(house: House) -> None:
    with house_plug("--without", "Countdown") as device:
        plug = add_plug(house, device.port)
        missing = "connected to 127.0.0.1, but its firmware has no number 'Countdown': its power stays on after a shutdown"
        house.until(lambda: plug.status.startswith(missing))
        told = announce_halt(house)
        assert (told.returncode, told.stdout) == (1, "127.0.0.1 cuts too early with its firmware, so it is not told: its power stays on\n")
        device.tell("status")
        device.until_said("Real Delay Switch 1")


def test_who_connects_to_a_plug_that_counts_down_says_so_and_the_power_stays_on_only_if_the_plug_can_be_told(house: House) -> None:
    with house_plug() as device:
        plug = add_plug(house, device.port)
        house.until(lambda: plug.status.startswith("connected"))
        assert announce_halt(house).returncode == 0
        device.tell("hang-up")
        house.until(lambda: plug.status == "connected to 127.0.0.1, which cuts the power soon")
        house.until(lambda: "connected to 127.0.0.1 (House plug) again" in plug.log)
        told = announce_halt(house, PIMAINS_CALLED_OFF="cancelled")
        assert (told.returncode, told.stdout) == (0, "127.0.0.1 leaves the power on\n")
        device.tell("status")
        device.until_said("Real Delay Switch 1")
    house.until(lambda: "127.0.0.1 is away" in plug.status)
    told = announce_halt(house, PIMAINS_CALLED_OFF="cancelled")
    assert (told.returncode, told.stdout) == (1, "127.0.0.1: it is away\n")
    house.until(lambda: "127.0.0.1 cannot be told that this machine stays up and may cut its power: it is away" in plug.log)


def test_without_a_halt_service_a_plug_that_is_switched_off_is_told_to_people(house: House) -> None:
    with house_plug() as device:
        plug = add_plug(house, device.port)
        house.until(lambda: plug.status.startswith("connected"))
        device.tell("off")
        line = r"Delay Switch of House plug was switched off( \d+ s ago)?, but no halt service may be asked: create_service "
        house.until(lambda: re.match(line, plug.status) and plug.read("unwell") == plug.status)


@pytest.mark.parametrize(
    ("has", "given", "line"),
    [
        ([], {"ENCRYPTION_KEY": KEY}, "ENCRYPTION_KEY: the plug does not encrypt: empty this file, or give the plug a key"),
        (["--key", KEY], {}, "ENCRYPTION_KEY: the plug wants a key: the one in its yaml, below api: encryption: key:"),
        (["--key", KEY], {"ENCRYPTION_KEY": OTHER_KEY}, "ENCRYPTION_KEY: this is not the key of that plug"),
        (["--password", "right"], {"PASSWORD": "wrong"}, "PASSWORD: this is not the password of that plug"),
        ([], {"DELAY_SWITCH": "Kettle"}, "DELAY_SWITCH: the plug has no switch 'Kettle'; it has Delay Switch, Real Delay Switch"),
        ([], {"HEARTBEAT_SWITCH": "Real Delay Switch"}, "HEARTBEAT_SWITCH: finds 'Real Delay Switch', which another setting finds too; it"),
        (
            ["--without", "Dead Man"],
            {"ON_LOST": "shutdown"},
            "DEAD_MAN_NUMBER: the plug has no number 'Dead Man', which ON_LOST=shutdown needs",
        ),
    ],
)
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_a_plug_that_refuses_us_says_which_setting_to_edit(
    house: House, version: str, has: list[str], given: dict[str, str], line: str
) -> None:
    with house_plug(*has) as device:
        plug = add_plug(house, device.port, version, **given)
        house.until(lambda: f"{plug.directory}/variables/{line}" in plug.status, what=line)
        house.until(lambda: plug.log.count(line) == 1)
        pid = plug.pid
        plug.set("DELAY_SWITCH", "Delay Switch")
        house.until(lambda: plug.pid not in (0, pid))


def test_a_legacy_password_logs_in(house: House) -> None:
    with house_plug("--password", "right") as device:
        plug = add_plug(house, device.port, PASSWORD="right")
        house.until(lambda: plug.status.startswith("connected"))


def test_variables_that_are_replaced_while_it_starts_are_an_edit_and_no_crash(house: House) -> None:
    variables = {path.name: path.read_text().partition("\n")[0] for path in (TOP / "services/plug/variables").iterdir()}
    paths = {"PYTHONPATH": f"{TOP / 'lib'}:{aioesphomeapi()}", "PIMAINS_ROOT": str(house.root)}
    (house.root / "plug").mkdir()
    done = subprocess.run(
        ["/usr/bin/python3", "-Pm", "pimains.plug.service"],
        cwd=house.root / "plug",
        env={**os.environ, **variables, **paths, "HOST": "127.0.0.1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
