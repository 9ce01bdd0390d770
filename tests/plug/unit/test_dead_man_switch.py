"""The dead-man switch as a plug service keeps it, under a clock that only moves when told."""

import asyncio
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from pimains.core.clock import FakeClock
from pimains.core.instance import Instance
from pimains.plug.dead_man import HEARTBEAT_SECONDS, DeadManSwitch
from pimains.plug.halt_times import HaltTimes
from pimains.shared import plug_cuts


class HealthyPlug:
    """It confirms every heartbeat."""

    device = SimpleNamespace(entities=())

    def __init__(self) -> None:
        self.heartbeats = 0

    async def heartbeat(self) -> None:
        self.heartbeats += 1


class DeafPlug(HealthyPlug):
    """It confirms none after the first."""

    async def heartbeat(self) -> None:
        if self.heartbeats:
            await asyncio.Event().wait()
        await super().heartbeat()


async def asked_within(seconds: float, me: Instance, clock: FakeClock, plug: HealthyPlug) -> list[str]:
    """Why the machine would be halted, while a switch of 100 s is kept for so long."""
    asked: list[str] = []
    switch = DeadManSwitch(me, "plug.lan", 100, HaltTimes(me, 10, print), print)
    beating = asyncio.create_task(switch.keep_heart_beating(plug))  # type: ignore[arg-type]
    minding = asyncio.create_task(switch.mind(asked.append))
    end = clock.monotonic() + seconds
    while clock.monotonic() < end:
        for _ in range(5):
            await asyncio.sleep(0)
        clock.advance(HEARTBEAT_SECONDS / 4)
    for task in (beating, minding):
        task.cancel()
    return asked


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def me(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: FakeClock) -> Instance:
    monkeypatch.setenv("PIMAINS_ROOT", str(tmp_path))
    me = Instance("plug", tmp_path / "etc/service/plug", clock)
    for directory in (me.run, me.lib):
        directory.mkdir(parents=True)
    assert plug_cuts.arm(me, 100)
    return me


def test_a_plug_that_hears_nobody_has_the_machine_halted(me: Instance, clock: FakeClock) -> None:
    [asked] = asyncio.run(asked_within(300, me, clock, DeafPlug()))
    assert asked.startswith("plug.lan did not hear this machine for ")


def test_a_run_directory_that_takes_nothing_halts_no_machine_that_its_plug_hears(me: Instance, clock: FakeClock) -> None:
    plug_cuts.was_heard(me)
    (me.run / f".contact.{os.getpid()}").mkdir()  # from now on, as in a full one, no file can be made aside
    plug = HealthyPlug()
    assert asyncio.run(asked_within(3000, me, clock, plug)) == []
    assert plug.heartbeats > 100
