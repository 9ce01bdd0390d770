"""A machine that slept, CLOCK_BOOTTIME ahead of CLOCK_MONOTONIC, with a UPS: what was read before decides nothing."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.kit import House, TestInstance
from tests.ups.liar import Liar, Talk
from tests.ups.messages import Queue
from tests.ups.outages import at, guarding, status
from tests.ups.upsd import Upsd

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root"),
    pytest.mark.skipif(shutil.which("cc") is None, reason="the clock that goes ahead is made by a C compiler"),
]
HOURS = 7200


class Sleeper:
    """An ups service on a machine that can be put to sleep."""

    def __init__(self, house: House, upses: str) -> None:
        here = house.root / "sleep"
        here.mkdir()
        self._slept = here / "seconds"
        self._slept.write_text("0\n")
        source = Path(__file__).parents[1] / "sleep.c"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", here / "sleep.so", source, "-ldl"], check=True)
        preloaded = {"LD_PRELOAD": str(here / "sleep.so"), "SLEPT_SECONDS_FILE": str(self._slept)}
        self.ups: TestInstance = guarding(house, upses, **preloaded)

    def sleep(self) -> None:
        """And wake up: time has gone on."""
        with self._slept.open("r+") as file:
            file.write(f"{HOURS}\n")


def test_a_sleep_is_told_and_a_battery_that_would_be_empty_since_shuts_nothing_down(
    house: House, upsd: Upsd, halt: TestInstance, queue: Queue
) -> None:
    sleeper = Sleeper(house, at(upsd))
    ups = sleeper.ups
    upsd.say("eaton", status="OB DISCHRG", charge="90", runtime="1700")
    house.until(lambda: "on battery" in ups.status and "shutting down in about" in ups.status, what=ups.story)
    sleeper.sleep()  # four times as long as the battery would have lasted
    house.until(lambda: "ups-suspend-finished" in queue.events(), what=ups.story)
    house.until(lambda: ups.status.startswith("on battery for 2 h") and "90 %" in ups.status, what=ups.story)  # what is read now counts
    assert "FSD" not in status(upsd)
    assert halt.status == "ready"
    upsd.say("eaton", status="OL")
    house.until(lambda: ups.status == "on line, 90 %", what=ups.story)
    assert queue.events().count("ups-suspend-finished") == 1


def test_what_upsd_said_before_a_sleep_and_is_heard_after_it_decides_nothing(house: House, halt: TestInstance) -> None:
    with Liar() as liar:
        sleeper = Sleeper(house, f"eaton@127.0.0.1:{liar.port}")

        def said_before(talk: Talk, answer: bytes) -> None:
            liar.lies.clear()
            sleeper.sleep()
            talk.send(answer.replace(b'"OL"', b'"OB LB"'))

        liar.lies["LIST VAR"] = said_before
        sleeper.ups.until_logged("SUSPEND_FINISHED")
        looks = liar.said.count("LIST VAR eaton")
        house.until(lambda: liar.said.count("LIST VAR eaton") > looks + 1, what=sleeper.ups.story)
        assert sleeper.ups.status == "on line, 100 %"
        assert "FSD eaton" not in liar.said
    assert "on battery" not in sleeper.ups.log
    assert halt.status == "ready"
