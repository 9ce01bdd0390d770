"""A machine that stays up keeps its power: whoever told the plug of a halt calls it off, by whatever way the halt ended."""

import json
import os
from collections.abc import Callable

import pytest

from tests.halt.halting import add_step, ask, new_halt
from tests.halt.house.test_halt_command import pimains, said
from tests.kit import House, TestInstance, until
from tests.plug.firmware import Plug
from tests.plug.house.test_plug import add_plug as add_plug_at
from tests.plug.house.test_plug import announce_halt
from tests.plug.house.test_plug_firmware import add_plug, is_connected
from tests.plug.plugs import house_plug

Plugs = Callable[..., Plug]


def halted(house: House, plug: TestInstance, halt: TestInstance) -> None:
    """A shutdown whose HALT_COMMAND does no harm."""
    until(lambda: is_connected(plug))
    ask(halt)
    until(lambda: halt.status.startswith("shut down: "))


def test_a_request_that_is_removed_afterwards_leaves_the_power_of_the_machine_on(house: House, plugs: Plugs) -> None:
    device = plugs(time_scale=10)
    halt = house.add("halt", HALT_COMMAND=house.recorder, PIMAINS_SPEED="10")
    plug = add_plug(house, device, SHUTDOWN_SECONDS_MAX="60")
    halted(house, plug, halt)
    told = device.until_last("real delay", False).device_s
    (halt.run / "accepted").unlink()
    until(lambda: halt.status == "ready")
    assert device.last("real delay").on  # called off before it is ready
    halt.until_logged("80-plug: 127.0.0.1 leaves the power on")  # also if its plug service was quicker
    until(lambda: device.device_s() > told + 62)
    assert device.relay
    assert not (plug.lib / "told").exists()
    assert plug.read("cut") == ""


def test_a_machine_that_is_still_up_is_called_off_before_its_plug_cuts(house: House, plugs: Plugs) -> None:
    device = plugs(time_scale=10)
    halt = house.add("halt", HALT_COMMAND=house.recorder, PIMAINS_SPEED="10")
    plug = add_plug(house, device, SHUTDOWN_SECONDS_MAX="100")
    halted(house, plug, halt)
    until(lambda: "it is still up 50 s after HALT_COMMAND" in halt.log)
    device.until_state("Real Delay Switch", True)
    until(lambda: len(house.halts()) >= 2)
    assert device.relay


def test_a_request_that_is_removed_while_nobody_looks_is_called_off_by_the_plug_service_and_by_who_comes_back(house: House) -> None:
    with house_plug() as device:
        halt = new_halt(house)
        plug = add_plug_at(house, device.port)
        halted(house, plug, halt)
        halt.svc("-d")
        until(lambda: halt.pid == 0)
        (halt.run / "accepted").unlink()
        line = "127.0.0.1 counts down though this machine is not being shut down: calling it off"
        plug.until_logged(line)
        until(lambda: "power on, cut" in plug.status)
        device.tell("status")
        device.until_said("Real Delay Switch 1")
        halt.svc("-u")
        halt.until_logged("80-plug: 127.0.0.1 leaves the power on", "not shutting down: the request was removed")
        until(lambda: halt.status == "ready")
        assert not (halt.run / "progress").exists()


def test_a_halt_service_that_is_stopped_on_a_machine_that_stays_up_calls_its_plug_off_first(house: House) -> None:
    with house_plug() as device:
        halt = new_halt(house)
        plug = add_plug_at(house, device.port)
        halted(house, plug, halt)
        halt.svc("-d")
        halt.until_logged("told to stop, and this machine does not go down", "80-plug: 127.0.0.1 leaves the power on")
        until(lambda: halt.pid == 0 and halt.status == "stopped")
        device.until_said("countdown called off")
        assert not (plug.lib / "told").exists()
        halt.svc("-u")
        until(lambda: halt.status.startswith("shut down: "))
        assert len(house.halts()) == 2  # it goes on with what was asked


def test_a_halt_service_that_is_stopped_goes_only_when_its_plug_knows_that_the_machine_stays_up(house: House) -> None:
    with house_plug() as device:
        halt = new_halt(house)
        plug = add_plug_at(house, device.port)
        halted(house, plug, halt)
        plug.svc("-d")
        until(lambda: plug.pid == 0)
        halt.svc("-d")
        until(lambda: "80-plug could not be called off yet: the power may be cut" in halt.read("unwell"))
        assert halt.pid
        plug.svc("-u")
        until(lambda: halt.pid == 0)
        device.until_said("countdown called off")


@pytest.mark.parametrize(("option", "state"), [("-t", "running"), ("-d", "stopping")])
def test_the_countdown_goes_on_when_halt_is_only_restarted_or_the_machine_goes_down(house: House, option: str, state: str) -> None:
    systemctl = house.root / "bin/systemctl"
    systemctl.parent.mkdir(exist_ok=True)
    systemctl.write_text(f"#!/bin/sh\n[ $1 = is-system-running ] && echo {state} && exit 1\n")
    systemctl.chmod(0o755)
    with house_plug() as device:
        halt = new_halt(house, PATH=f"{systemctl.parent}:{os.environ['PATH']}")
        plug = add_plug_at(house, device.port)
        halted(house, plug, halt)
        pid = halt.pid
        halt.svc(option)
        until(lambda: halt.pid != pid)
        until(lambda: halt.status.startswith("shut down: " if option == "-t" else "stopped"))
        assert not device.has_said("countdown called off")
        assert (plug.lib / "told").exists()
        assert len(house.halts()) == 1


def test_halt_is_not_ready_before_a_plug_that_was_away_knows_that_the_machine_stays_up(house: House) -> None:
    with house_plug() as device:
        halt = new_halt(house)
        plug = add_plug_at(house, device.port)
        halted(house, plug, halt)
        plug.svc("-d")
        until(lambda: plug.pid == 0)
        (halt.run / "accepted").unlink()
        line = "not shut down: the request was removed; 80-plug could not be called off yet: the power may be cut"
        until(lambda: halt.read("unwell") == line)
        plug.svc("-u")
        until(lambda: halt.status == "ready")
        device.tell("status")
        device.until_said("Real Delay Switch 1")


def test_a_plug_that_restarts_while_it_counts_down_is_told_again(house: House, plugs: Plugs) -> None:
    device = plugs()
    halt = house.add("halt", HALT_COMMAND=house.recorder)
    plug = add_plug(house, device)
    halted(house, plug, halt)
    device.until_last("real delay", False)
    device.restart()
    plug.until_logged("127.0.0.1 does not count down any more: telling it again of the shutdown")
    device.until_state("Real Delay Switch", False)


def test_a_countdown_that_somebody_else_began_is_theirs(house: House) -> None:
    with house_plug() as device:
        new_halt(house)
        plug = add_plug_at(house, device.port)
        until(lambda: is_connected(plug))
        (house.root / "var/lib/pimains/plug/told").unlink(missing_ok=True)
        device.tell("countdown")
        until(lambda: plug.status == "connected to 127.0.0.1, which cuts the power soon")
        device.tell("hang-up")
        until(lambda: plug.log.count("connected to") == 2)
        assert plug.status == "connected to 127.0.0.1, which cuts the power soon"
        assert "calling it off" not in plug.log


def test_a_plug_service_that_is_removed_leaves_no_countdown_behind(house: House) -> None:
    with house_plug() as device:
        plug = add_plug_at(house, device.port)
        until(lambda: is_connected(plug))
        assert announce_halt(house).returncode == 0
        plug.directory.rename(plug.directory.with_name(".plug"))  # as create_service --del-service begins
        plug.directory = plug.directory.with_name(".plug")
        plug.svc("-dx")
        device.until_said("countdown called off")
        until(lambda: not (plug.lib / "told").exists())


def test_a_rehearsal_runs_the_steps_undoes_them_and_tells_no_plug(house: House) -> None:
    add_step(house, "50-drives", 'echo "drives ${PIMAINS_CALLED_OFF:-${PIMAINS_REHEARSAL:-no}}" >>$RAN')
    add_step(house, "85-ups", "echo ups >>$RAN")
    with house_plug() as device:
        halt = new_halt(house)
        plug = add_plug_at(house, device.port)
        until(lambda: is_connected(plug))
        rehearsed = pimains(house, "--rehearse", "spring", "cleaning")
        lines = said(rehearsed).splitlines()
        assert rehearsed.returncode == 0, lines
        until(lambda: halt.status.startswith("ready; the last rehearsal (spring cleaning): "))
        halt.until_logged(
            "80-plug: 127.0.0.1 would cut the power in 240 s; it is not told, this is a rehearsal",
            "85-ups left out: it does not know of PIMAINS_REHEARSAL and might have the power cut",
            f"a rehearsal: HALT_COMMAND would be started now: {house.recorder}",
        )
        assert (house.root / "ran").read_text().splitlines() == ["drives 1", "drives the rehearsal is over"]
        assert house.halts() == []
        assert not device.has_said("countdown")
        assert lines[-1] == "all well"
        assert "50-drives undone" in lines


def test_a_rehearsal_that_finds_a_fault_says_which(house: House) -> None:
    add_step(house, "50-drives", "echo the drive is busy; exit 1")
    new_halt(house)
    rehearsed = pimains(house, "--rehearse", "--json")
    assert rehearsed.returncode == 1
    told = json.loads(said(rehearsed))
    assert told["well"] is False
    assert "50-drives failed (exit 1): the drive is busy" in told["lines"]
    assert house.halts() == []
