"""The runner under a real supervise: start, stop, settings edited while it runs, crashes."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.kit import TOP, House

_TOLD_AT_ONCE = """
import asyncio, os, signal
from pimains.core.service import run, seconds
from pimains.core.settings import Settings

def generator():
    os.kill(os.getpid(), signal.SIGTERM)
    while True:
        yield seconds(1e12)

async def forever():
    await asyncio.Event().wait()

def coroutine():
    os.kill(os.getpid(), signal.SIGTERM)
    return forever()

run(lambda me, settings: KIND(), Settings, user=None)
"""


def test_a_service_says_how_it_is_and_stops_when_told(house: House) -> None:
    halt = house.add("halt", HALT_COMMAND=house.recorder)
    house.until(lambda: halt.status == "ready")
    halt.svc("-d")
    house.until(lambda: halt.pid == 0 and halt.status == "stopped")


def test_a_wrong_setting_is_said_once_and_waited_for_until_it_is_edited(house: House) -> None:
    halt = house.add("halt", HALT_COMMAND=house.recorder, STEP_SECONDS_MAX="soon")
    line = f"{halt.directory}/variables/STEP_SECONDS_MAX: 'soon' is no time in seconds (1-3600)"
    house.until(lambda: halt.status == line)
    pid = halt.pid
    assert halt.read("unwell") == line
    halt.set("STEP_SECONDS_MAX", "60")
    house.until(lambda: halt.status == "ready")
    assert halt.pid != pid
    house.until(lambda: halt.log.count(line) == 1)
    assert halt.read("unwell") == ""
    assert house.halts() == []


def test_the_log_has_multilogs_time_stamps_and_the_service_none(house: House) -> None:
    halt = house.add("halt", HALT_COMMAND="")
    house.until(lambda: "HALT_COMMAND: is empty" in halt.log)
    assert all(line.startswith("@4000") for line in halt.log.splitlines())


@pytest.mark.parametrize("kind", ["generator", "coroutine"])
def test_a_stop_that_comes_while_a_service_starts_is_not_lost(kind: str, tmp_path: Path) -> None:
    (tmp_path / "variables").mkdir()
    environment = {**os.environ, "PYTHONPATH": str(TOP / "lib"), "PIMAINS_ROOT": str(tmp_path)}
    subprocess.run(["/usr/bin/python3", "-c", _TOLD_AT_ONCE.replace("KIND", kind)], cwd=tmp_path, env=environment, timeout=60, check=True)
