"""Plugs with other firmware than ours: RPiMP's, which proves no heartbeat and tells no ages, and a strip whose outlets have equal names."""

import functools

import pytest

from pimains.core.plan.text import short_line
from tests.kit import House, until
from tests.plug.house.test_plug import add_plug, announce_halt
from tests.plug.plugs import NEWEST, OLDEST, house_plug

NEVER = "127.0.0.1 never confirms a heartbeat: its firmware cannot, so it is not asked for that any more"
each_library = pytest.mark.parametrize("version", [OLDEST, NEWEST])


@each_library
def test_a_firmware_that_never_proves_a_heartbeat_is_said_once_and_stays_connected(house: House, version: str) -> None:
    with house_plug("--rpimp") as device:
        device.tell("on")
        plug = add_plug(house, device.port, version, PIMAINS_SPEED="720")
        plug.until_logged(NEVER)
        for count in range(2, 5):
            device.tell("hang-up")
            until(lambda count=count: plug.log.count("connected to") >= count)
        assert plug.log.count(NEVER) == 1
        assert plug.log.count("is away") <= 3
        assert len(plug.log.splitlines()) <= 20
        pid = plug.pid
        seen = device.said.count("heartbeat")
        until(lambda: device.said.count("heartbeat") > seen + 20)  # without them it would cut
        assert plug.pid == pid
        assert not device.has_said("relay off")
    until(lambda: "is away" in plug.status)


def test_an_off_that_was_missed_is_found_by_comparing(house: House) -> None:
    with house_plug("--rpimp") as device:
        halt = house.add("halt", HALT_COMMAND=house.recorder, HALT_GRACE_SECONDS="3600")
        device.tell("on")
        plug = add_plug(house, device.port)
        until(lambda: plug.read("delay").endswith(" on"))
        plug.svc("-d")
        until(lambda: plug.pid == 0)
        device.tell("off")
        plug.svc("-u")
        until(lambda: "Delay Switch of House plug was switched off while it was away" in halt.status)
        (halt.run / "cancel").write_text("a test\n")
        until(lambda: halt.status.startswith("ready"))
        device.tell("hang-up")
        until(lambda: plug.log.count("connected to") >= 3)
        assert plug.log.count("was switched off") == 1


def test_a_plug_that_is_off_when_it_is_first_seen_shuts_nothing_down(house: House) -> None:
    with house_plug("--rpimp") as device:
        halt = house.add("halt", HALT_COMMAND=house.recorder)
        plug = add_plug(house, device.port)
        until(lambda: plug.read("delay").endswith(" off"))
        device.tell("hang-up")
        until(lambda: plug.log.count("connected to") >= 2)
        assert halt.status == "ready"


def test_a_plug_that_restarts_while_it_counts_down_is_told_again_by_the_simulated_one_too(house: House) -> None:
    with house_plug() as device:
        house.add("halt", HALT_COMMAND=house.recorder)
        plug = add_plug(house, device.port)
        until(lambda: plug.status.startswith("connected"))
        (house.root / "run/pimains/halt/request").write_text("a test\nanna\n")
        device.until_said("countdown 240 s")
        device.tell("reboot")
        until(lambda: device.said.count("countdown 240 s") == 2)


strip = functools.partial(house_plug, "--strip", version=NEWEST)


def test_equal_names_on_a_strip_are_refused_with_the_setting_to_edit(house: House) -> None:
    with strip() as device:
        plug = add_plug(house, device.port, NEWEST)
        line = "DELAY_SWITCH: the plug has 2 of the name 'Delay Switch': give one of Outlet 1: Delay Switch, Outlet 2: Delay Switch"
        until(lambda: plug.status.endswith(line))


def test_the_outlet_that_the_delay_switch_names_is_the_one_that_is_told(house: House) -> None:
    with strip() as device:
        plug = add_plug(house, device.port, NEWEST, DELAY_SWITCH="Outlet 2: Delay Switch", ON_LOST="shutdown")
        until(lambda: plug.status == "connected to 127.0.0.1, power on, cut 240 s after a shutdown")
        assert announce_halt(house).returncode == 0
        device.until_said("outlet 2: countdown 240 s")
        assert not device.has_said("outlet 1")


def test_a_library_that_knows_no_outlets_refuses_what_it_cannot_tell_apart(house: House) -> None:
    with strip() as device:
        plug = add_plug(house, device.port, OLDEST)
        line = "DELAY_SWITCH: the plug has 2 of the name 'Delay Switch': a newer python3-aioesphomeapi may tell them apart"
        until(lambda: plug.status.endswith(short_line(line)))
