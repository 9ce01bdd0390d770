"""The plug service with ESPHome's own firmware: every rule that keeps the power of a Pi from being cut by surprise."""

import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.halt.halting import upgrade
from tests.kit import House, TestInstance, until
from tests.plug.firmware import VERSIONS, Plug
from tests.plug.plugs import NEWEST, OLDEST, aioesphomeapi

Plugs = Callable[..., Plug]
CONNECTED = "connected to 127.0.0.1, power on, cut {} s after a shutdown"


def add_plug(house: House, device: Plug, *, version: str = OLDEST, **variables: str) -> TestInstance:
    """A plug service for this device, its clock as fast as the device's."""
    speed = {"PIMAINS_SPEED": str(device.time_scale)} if device.time_scale > 1 else {}
    where = {"HOST": "127.0.0.1", "PORT": str(device.port), "ENCRYPTION_KEY": device.key}
    return house.add("plug", pythonpath=aioesphomeapi(version), **where, **speed, **variables)


def add_halt(house: House, **variables: str) -> TestInstance:
    """A halt service, which svscan finds together with the plug service."""
    return house.add("halt", svscan=False, **{"HALT_COMMAND": house.recorder, **variables})


def heartbeats(device: Plug) -> int:
    """How many the plug has told of since the test listens; each is over soon."""
    return [(name, value) for name, value, _ in device.client.history].count(("Heartbeat Switch", True))


def is_connected(plug: TestInstance) -> bool:
    return plug.status.startswith("connected")


@pytest.mark.parametrize(
    ("firmware", "encrypted", "library"),
    [(VERSIONS[0], False, OLDEST), (VERSIONS[0], True, NEWEST), (VERSIONS[1], False, NEWEST), (VERSIONS[1], True, OLDEST)],
)
def test_the_whole_way_from_the_switch_to_the_cut(house: House, plugs: Plugs, firmware: str, encrypted: bool, library: str) -> None:
    device = plugs(version=firmware, encrypted=encrypted, time_scale=10)
    halt = add_halt(house)
    plug = add_plug(house, device, version=library, SHUTDOWN_SECONDS_MAX="40")
    until(lambda: plug.status == CONNECTED.format(40))
    device.until_state("Countdown", 40)
    device.switch("Delay Switch", False)
    until(house.halts)
    told = device.until_last("real delay", False).device_s
    until(lambda: "127.0.0.1 cuts the power in 40 s at the latest" in halt.log)
    cut = device.until_last("relay", False).device_s
    assert 40 <= cut - told < 42 + device.stalled(told, cut)
    assert len(house.halts()) == 1


def test_a_pi_that_has_just_booted_stays_up_though_the_plug_was_switched_off_before(house: House, plugs: Plugs) -> None:
    device = plugs(time_scale=20)
    device.switch("Delay Switch", False)
    until(lambda: (device.state("Off Requested Age") or 0) >= 60)  # the plug tells it every 60 s
    # a time namespace: what svscan starts believes that the machine booted half a minute ago
    house.enter = ("unshare", "--time", f"--boottime={30 - int(time.clock_gettime(time.CLOCK_BOOTTIME))}")
    halt = add_halt(house)
    plug = house.add("plug", pythonpath=aioesphomeapi(), HOST="127.0.0.1", PORT=str(device.port))
    until(lambda: "switched off" in plug.status)
    until(lambda: heartbeats(device))  # more states came, and nothing was made of them
    assert house.halts() == []
    assert halt.read("accepted") == ""
    device.switch("Delay Switch", True)
    until(lambda: "switched off" not in plug.status)
    device.switch("Delay Switch", False)
    until(house.halts)
    assert " s ago" not in plug.log  # it was seen, and not found out when the plug told its age


def test_a_request_made_while_the_agent_was_away_is_carried_out_once(house: House, plugs: Plugs) -> None:
    device = plugs()
    halt = add_halt(house, HALT_GRACE_SECONDS="3600")
    device.switch("Delay Switch", False)
    plug = add_plug(house, device)
    until(lambda: "was switched off" in halt.status)
    (halt.run / "cancel").write_text("a test\n")
    until(lambda: halt.status.startswith("ready"))
    plug.kill()
    until(lambda: plug.log.count("connected to") >= 2)
    assert halt.status.startswith("ready")
    assert plug.log.count("was switched off") == 1
    device.switch("Delay Switch", True)
    until(lambda: "switched off" not in plug.status)
    device.switch("Delay Switch", False)
    until(lambda: "was switched off" in halt.status)


def test_without_a_confirmation_the_pi_shuts_down_within_five_seconds_and_says_so(house: House, plugs: Plugs) -> None:
    device = plugs()
    halt = add_halt(house)
    plug = add_plug(house, device, ON_LOST="shutdown")
    until(lambda: is_connected(plug) and (plug.lib / "armed").exists())
    began = time.monotonic()
    device.wire(answers=False)
    (halt.run / "request").write_text("a test\nsomebody\n")
    until(house.halts)
    assert 4 < time.monotonic() - began < 12  # after 12 s the step that asks would have given up
    line = "not confirmed within 5 s; this machine shuts down all the same, its power may stay on"
    assert line in plug.status
    until(lambda: line in halt.log)
    assert line in plug.read("error")
    assert not (plug.lib / "armed").exists()


def test_somebody_elses_shutdown_starts_the_countdown_too(house: House, plugs: Plugs) -> None:
    device = plugs()
    halt = add_halt(house)
    plug = add_plug(house, device, ON_LOST="shutdown")
    until(lambda: is_connected(plug) and (plug.lib / "armed").exists())
    (halt.run / "request").write_text("the battery is empty\nups\n")
    until(house.halts)
    device.until_last("real delay", False)
    assert not (plug.lib / "armed").exists()  # nobody minds a machine that goes down
    boot, told_at = (plug.lib / "told").read_text().split()
    assert boot == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert -0.1 < time.monotonic() - float(told_at) < 60  # it is written in tenths
    plug.kill()
    until(lambda: plug.log.count("connected to") >= 2)
    assert "the last shutdown took" not in plug.log  # it is under way
    assert (plug.lib / "told").exists()


def test_the_power_stays_on_while_the_halt_command_fails(house: House, plugs: Plugs) -> None:
    device = plugs()
    halt = add_halt(house, HALT_COMMAND="/bin/false")
    plug = add_plug(house, device, SHUTDOWN_SECONDS_MAX="8", ON_LOST="shutdown")
    until(lambda: is_connected(plug) and (plug.lib / "armed").exists())
    (halt.run / "request").write_text("a test\nsomebody\n")
    told = device.until_last("real delay", False).device_s
    until(lambda: halt.log.count("80-plug: 127.0.0.1 leaves the power on") >= 2)
    until(lambda: device.device_s() > told + 9)
    assert device.relay
    device.until_state("Real Delay Switch", True)
    device.until_state("Dead Man", 1900)
    until(lambda: plug.read("../../../var/lib/pimains/plug/armed") == "1900")


def test_ignoring_a_lost_plug_means_that_its_dead_man_switch_is_off(house: House, plugs: Plugs) -> None:
    device = plugs(time_scale=30)
    device.number("Dead Man", 60)
    plug = add_plug(house, device)
    until(lambda: is_connected(plug))
    device.until_state("Dead Man", 0)
    plug.kill(signal.SIGSTOP)
    time.sleep(5)  # 150 s of the plug's time without a heartbeat
    plug.kill(signal.SIGCONT)
    assert device.relay


def test_a_frozen_pi_is_cut_within_the_configured_time(house: House, plugs: Plugs) -> None:
    device = plugs(time_scale=60)
    plug = add_plug(house, device, ON_LOST="shutdown", DEAD_MAN_SECONDS="300", SHUTDOWN_SECONDS_MAX="120")
    until(lambda: is_connected(plug))
    device.until_state("Dead Man", 300)
    plug.kill(signal.SIGSTOP)
    frozen = device.device_s()
    cut = device.until_last("relay", False).device_s
    assert cut - frozen <= 300 + 5 + device.stalled(frozen, cut)
    plug.kill(signal.SIGCONT)


@pytest.mark.parametrize("direction", ["answers", "requests"])
def test_a_pi_that_cannot_reach_its_plug_halts_before_it_would_be_cut_also_in_the_midst_of_an_upgrade(
    house: House, plugs: Plugs, direction: str
) -> None:
    device = plugs(time_scale=12)
    halt = add_halt(house, STEP_SECONDS_MAX="5", PIMAINS_SPEED="12")
    plug = add_plug(house, device, ON_LOST="shutdown", DEAD_MAN_SECONDS="300", SHUTDOWN_SECONDS_MAX="60")
    until(lambda: is_connected(plug) and (plug.lib / "armed").exists() and plug.read("countdown") == "60")
    with upgrade(house):  # one that never ends, and may be waited for 600 s
        device.wire(**{direction: False})
        lost = time.monotonic()
        until(house.halts)
        assert (time.monotonic() - lost) * 12 > 164
        assert device.relay
    asked = re.compile(r"127\.0\.0\.1 did not hear this machine for (\d+) s and cuts its power after 300 s")
    until(lambda: asked.search(plug.log))
    (silent,) = asked.findall(plug.log)
    assert 172 <= int(silent) < 300
    until(lambda: "s instead of 600 s: a plug that hears no more of this machine cuts its power" in halt.log)


def test_a_killed_and_restarted_agent_loses_nothing(house: House, plugs: Plugs) -> None:
    device = plugs(time_scale=30)
    add_halt(house)
    plug = add_plug(house, device, ON_LOST="shutdown", DEAD_MAN_SECONDS="300")
    for count in range(1, 6):
        until(lambda count=count: plug.log.count("connected to") >= count and is_connected(plug))
        plug.kill()
    assert device.relay
    device.switch("Delay Switch", False)
    until(house.halts)


def test_an_agent_that_is_stopped_switches_the_dead_man_switch_off(house: House, plugs: Plugs) -> None:
    device = plugs()
    plug = add_plug(house, device, ON_LOST="shutdown")
    until(lambda: is_connected(plug))
    device.until_state("Dead Man", 1900)
    plug.svc("-d")
    device.until_state("Dead Man", 0)
    until(lambda: not (plug.lib / "armed").exists())


def test_a_dead_man_switch_too_short_for_a_shutdown_is_lengthened_and_said(house: House, plugs: Plugs) -> None:
    house.add("halt", HALT_COMMAND=house.recorder)
    until((house.root / "var/lib/pimains/halt/length").exists)
    device = plugs()
    plug = add_plug(house, device, ON_LOST="shutdown", DEAD_MAN_SECONDS="100", SHUTDOWN_SECONDS_MAX="90")
    until(lambda: is_connected(plug))
    device.until_state("Dead Man", 252)
    until(lambda: "DEAD_MAN_SECONDS 100 is too short for a shutdown that may take 126 s: the plug is told 252" in plug.log)


def test_a_metering_plug_tells_the_power_and_how_long_the_last_shutdown_took(house: House, plugs: Plugs) -> None:
    device = plugs(metering=True, time_scale=10)
    device.watts(4.2)
    device.number("Idle Watts", 1)
    device.until_state("Power", pytest.approx(4.2))
    device.switch("Real Delay Switch", False)
    began = device.until_last("real delay", False).device_s
    until(lambda: device.device_s() > began + 25)
    device.watts(0.4)
    ended = device.device_s()
    device.until_last("relay", False)
    device.switch("Relay", True)
    device.watts(4.2)
    lib = house.root / "var/lib/pimains/plug"
    lib.mkdir()
    (lib / "told").write_text("another-boot 1.0\n")
    lib.chmod(0o777)
    plug = add_plug(house, device, IDLE_WATTS="1.5", SHUTDOWN_SECONDS_MAX="5")
    until(lambda: is_connected(plug) and plug.read("power") == "4.2")
    until(lambda: "the last shutdown took" in plug.log)
    took = int(re.findall(r"the last shutdown took (\d+) s", plug.log)[0])
    assert 24 <= took <= ended - began + 2 + device.stalled(began, ended)
    device.until_state("Countdown", pytest.approx(took + 180, abs=1))  # that, and the margin
    assert not (lib / "told").exists()
    device.until_state("Idle Watts", 1.5)
