"""The plug service with other people's firmware as ESPHome runs it: one with RPiMP's behaviour, and a strip with equal names."""

from collections.abc import Callable

import pytest

from tests.kit import House, until
from tests.plug.firmware import Plug
from tests.plug.house.test_plug import announce_halt
from tests.plug.house.test_plug_firmware import add_halt, add_plug, is_connected
from tests.plug.plugs import NEWEST

Plugs = Callable[..., Plug]
NEVER = "127.0.0.1 never confirms a heartbeat: its firmware cannot, so it is not asked for that any more"
HOUR, DAY = 3600.0, 86400.0


def rpimp(plugs: Plugs, time_scale: int = 1) -> Plug:
    """Switched on within the 15 s after which its boot would cut."""
    device = plugs(other="rpimp", time_scale=time_scale)
    device.switch("Delay Switch", True)
    return device


def test_a_firmware_that_proves_no_heartbeat_stays_connected_and_does_not_cut(house: House, plugs: Plugs) -> None:
    device = rpimp(plugs, time_scale=60)
    plug = add_plug(house, device, version=NEWEST)
    plug.until_logged(NEVER)
    began = device.device_s()
    until(lambda: device.device_s() > began + HOUR / 2, 120)
    assert len(device.all("heartbeat")) > 10  # without them it cuts after ten minutes
    assert device.relay
    assert plug.log.count("connected to") == 1
    assert plug.log.count(NEVER) == 1
    assert "is away" not in plug.log


def test_an_off_in_a_gap_of_the_connection_is_not_missed(house: House, plugs: Plugs) -> None:
    device = rpimp(plugs, time_scale=10)
    halt = add_halt(house)
    plug = add_plug(house, device, version=NEWEST)
    until(lambda: plug.read("delay").endswith(" on"))
    device.lose_the_agent()
    until(lambda: "is away" in plug.status)
    device.switch("Delay Switch", False)
    device.wire()
    until(house.halts)
    plug.until_logged("Delay Switch of Sonoff S26 was switched off while it was away")
    halt.until_logged("cuts too early with its firmware")
    assert len(house.halts()) == 1


def test_its_real_delay_switch_is_not_touched_because_it_would_cut_after_fifteen_seconds(house: House, plugs: Plugs) -> None:
    device = rpimp(plugs, time_scale=10)
    plug = add_plug(house, device, version=NEWEST)
    until(lambda: is_connected(plug))
    asked = len(device.all("cut"))
    told = announce_halt(house)
    assert (told.returncode, told.stdout) == (1, "127.0.0.1 cuts too early with its firmware, so it is not told: its power stays on\n")
    asked_at = device.device_s()
    until(lambda: device.device_s() > asked_at + 20)
    assert device.relay
    assert len(device.all("cut")) == asked
    device.switch("Real Delay Switch", False)  # what it does when somebody else does it
    began = device.device_s()
    cut = device.until_last("relay", False).device_s
    assert cut - began < 17 + device.stalled(began, cut)


def test_each_boot_of_it_is_followed_by_a_cut(plugs: Plugs) -> None:
    device = plugs(other="rpimp", time_scale=10)
    booted = device.last("cut").device_s
    cut = device.until_last("relay", False).device_s
    assert 15 <= cut - booted < 17 + device.stalled(booted, cut)


def strip(plugs: Plugs, time_scale: int = 1) -> Plug:
    return plugs(other="strip", time_scale=time_scale)


def test_equal_names_on_a_strip_are_refused_with_the_setting_to_edit(house: House, plugs: Plugs) -> None:
    plug = add_plug(house, strip(plugs), version=NEWEST)
    line = "DELAY_SWITCH: the plug has 2 of the name 'Delay Switch': give one of Outlet 1: Delay Switch, Outlet 2: Delay Switch"
    until(lambda: plug.status.endswith(line))
    plug.set("DELAY_SWITCH", "Outlet 2: Delay Switch")
    until(lambda: is_connected(plug))


def test_the_outlet_that_is_named_is_the_one_that_is_told_and_cut(house: House, plugs: Plugs) -> None:
    device = strip(plugs, time_scale=10)
    halt = add_halt(house)
    plug = add_plug(house, device, version=NEWEST, DELAY_SWITCH="Outlet 2: Delay Switch", SHUTDOWN_SECONDS_MAX="40")
    until(lambda: plug.status == "connected to 127.0.0.1, power on, cut 40 s after a shutdown")
    (house.root / "run/pimains/halt/request").write_text("a test\nanna\n")
    told = device.until_last("outlet 2 real delay", False).device_s
    cut = device.until_last("outlet 2 relay", False).device_s
    assert 40 <= cut - told < 42 + device.stalled(told, cut)
    assert device.last("outlet 1 relay").on
    assert device.last("outlet 1 real delay").on
    until(lambda: halt.status.startswith("shut down: "))
    halt.until_logged("80-plug: 127.0.0.1 cuts the power in 40 s")


@pytest.mark.long
def test_a_day_with_each_is_twenty_lines_at_most(house: House, plugs: Plugs) -> None:
    devices = {"plug": rpimp(plugs, time_scale=720), "strip": strip(plugs, time_scale=720)}
    plug = add_plug(house, devices["plug"], version=NEWEST)
    other = add_plug(house, devices["strip"], version=NEWEST, name="strip", svscan=False, DELAY_SWITCH="Outlet 2: Delay Switch")
    plug.until_logged(NEVER)
    until(lambda: is_connected(other))
    began = devices["strip"].device_s()
    until(lambda: devices["strip"].device_s() > began + DAY, 300)
    # whether RPiMP's cuts is tested at a speed at which the five real seconds of a confirmation are not an hour
    assert all(len(device.all(what)) > 500 for device, what in zip(devices.values(), ("heartbeat", "outlet 2 heartbeat"), strict=True))
    assert [len(each.log.splitlines()) <= 20 for each in (plug, other)] == [True, True], plug.log + other.log
    assert plug.log.count(NEVER) == 1
