"""A plug service with FEEDS another: it switches when the ups service orders it, and what becomes of this machine is nothing to it."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pimains.cli.main import main
from pimains.core.clock import SystemClock
from pimains.core.errors import Away, PimainsError, Refused
from pimains.core.naps import poll, within
from pimains.ups.hosts import directories, talk
from pimains.ups.hosts.settings import HostSettings
from tests.kit import TOP, House, TestInstance
from tests.plug.house.test_plug import add_plug, announce_halt
from tests.plug.plugs import OLDEST, HousePlug, aioesphomeapi, house_plug

Say = Callable[[HostSettings], talk.Talk]


@pytest.fixture
def device() -> Iterator[HousePlug]:
    with house_plug() as device:
        yield device


@pytest.fixture
def tv(house: House, device: HousePlug, monkeypatch: pytest.MonkeyPatch) -> TestInstance:
    monkeypatch.setenv("PIMAINS_ROOT", str(house.root))
    tv = add_plug(house, device.port, name="tv", FEEDS="another")
    house.until(lambda: tv.status == "connected to 127.0.0.1, power on, the plug of another machine", what=tv.story)
    return tv


def host(**given: str) -> HostSettings:
    return directories.of(Path("hosts/tv"), {"PLUG": "tv", **given})


def answer(under_way: talk.Talk) -> str:
    while not under_way.has_ended():
        poll(within(60.0, under_way), SystemClock())
    return under_way.answer()


def error(say: Say) -> PimainsError:
    with pytest.raises(PimainsError) as found:
        answer(say(host()))
    return found.value


def test_a_host_that_hangs_on_a_plug_is_switched_off_and_on(house: House, device: HousePlug, tv: TestInstance) -> None:
    assert answer(talk.look_at(host())) == "up"
    assert answer(talk.order_down(host())) == "127.0.0.1 is switched off"
    house.until(lambda: tv.status == "connected to 127.0.0.1, power on, switched off, the plug of another machine", what=tv.story)
    assert answer(talk.look_at(host())) == "up"  # the machine behind it is asked, and has not gone yet
    device.tell("press press")  # its power is cut
    house.until(lambda: "power off" in tv.status, what=tv.story)
    assert answer(talk.look_at(host())) == "silent"
    assert answer(talk.wake(host())) == "127.0.0.1 is switched on"
    assert answer(talk.look_at(host())) == "up"


def test_this_machine_stays_up_whatever_is_done_at_the_plug_of_another(house: House, device: HousePlug, tv: TestInstance) -> None:
    halt = house.add("halt", HALT_COMMAND=house.recorder)
    house.until(lambda: halt.status == "ready", what=halt.story)
    device.tell("off")
    house.until(lambda: "switched off" in tv.status, what=tv.story)
    assert halt.read("request") == "nothing is asked"
    told = announce_halt(house)
    assert (told.returncode, told.stdout) == (0, "")
    assert not device.has_said("countdown")
    assert not (tv.lib / "armed").exists()
    assert house.halts() == []


def test_the_ledger_tells_why_it_was_switched(tv: TestInstance, capsys: pytest.CaptureFixture[str]) -> None:
    answer(talk.order_down(host()))
    assert main(["why", "tv"]) == 0
    assert "tv: switch off, because tv goes down with its UPS" in " ".join(capsys.readouterr().out.split())


def test_pimains_plug_is_about_the_plug_of_this_machine_unless_another_is_named(house: House, tv: TestInstance) -> None:
    with house_plug("--metering") as own:
        add_plug(house, own.port, svscan=False)
        environment = {**os.environ, "PYTHONPATH": f"{TOP / 'lib'}:{aioesphomeapi(OLDEST)}"}

        def said(*words: str) -> str:
            all_words = ["/usr/bin/python3", "-Pm", "pimains.cli", "plug", "status", f"--servicedir={house.scan}", *words]
            return subprocess.run(all_words, env=environment, capture_output=True, text=True, check=True).stdout

        assert said().startswith("House plug (127.0.0.1): power on, 4.0 W")  # it measures, the other one does not
        assert said("--instance=tv").startswith("House plug (127.0.0.1): power on, cut")


def test_a_plug_that_is_away_or_whose_service_is_down_is_told_as_that(house: House, device: HousePlug, tv: TestInstance) -> None:
    device.tell("quit")
    house.until(lambda: "is away" in tv.status, what=tv.story)
    away = error(talk.order_down)
    assert (type(away), str(away)) == (Away, "the plug service tv: 127.0.0.1 is away")
    tv.svc("-d")
    house.until(lambda: tv.status == "stopped", what=tv.story)
    down = error(talk.look_at)
    assert (type(down), str(down)) == (Away, "the plug service tv does not run (pimains status)")


def test_the_plug_of_this_machine_is_switched_for_nobody(house: House, device: HousePlug, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIMAINS_ROOT", str(house.root))
    tv = add_plug(house, device.port, name="tv")
    house.until(lambda: tv.status.startswith("connected"), what=tv.story)
    refused = error(talk.order_down)
    assert (type(refused), str(refused)) == (
        Refused,
        "the plug service tv is that of this machine: it switches another one only with FEEDS another",
    )
    assert tv.status == "connected to 127.0.0.1, power on, cut 240 s after a shutdown"


def test_a_plug_that_was_this_machines_is_armed_no_more(house: House, device: HousePlug) -> None:
    armed = house.root / "var/lib/pimains/tv/armed"
    armed.parent.mkdir()
    armed.write_text("600\n")
    tv = add_plug(house, device.port, name="tv", FEEDS="another")
    house.until(lambda: tv.status.startswith("connected"), what=tv.story)
    assert not armed.exists()


def test_a_dead_man_switch_is_only_for_the_own_plug(house: House) -> None:
    tv = add_plug(house, "6053", name="tv", FEEDS="another", ON_LOST="shutdown")
    line = "is shutdown; with FEEDS another the plug would cut another machine when this one is away"
    house.until(lambda: tv.status == f"{tv.directory}/variables/ON_LOST: {line}", what=tv.story)


def test_a_stranger_switches_nothing(tv: TestInstance) -> None:
    assert (tv.run / "orders").stat().st_mode & 0o7 == 0
    assert os.stat(tv.run / "orders/ask").st_mode & 0o7 == 0
