"""Whatever becomes of vedirect's files, it stays up, and publishes the device that is there, or says why not."""

import os

import pytest

from tests import damage
from tests.kit import House, until
from tests.vedirect.suns import Sun, mtime

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")


@pytest.mark.parametrize("name", damage.DAMAGES)
def test_it_publishes_whatever_became_of_its_files(house: House, name: str) -> None:
    mppt = Sun(house).add("mppt")
    damage.down(mppt)
    damage.do(name, mppt.lib / "device", mppt.run / "V", mppt.run / "CS.words")
    before = mtime(mppt, "V")
    damage.up(mppt)
    damage.settled(mppt)
    until(lambda: mtime(mppt, "V") > before and float(mppt.read("V")) > 20, what=mppt.story)
    until(lambda: mppt.read("CS.words") in ("bulk", "absorption", "float"), what=mppt.story)
    assert (mppt.lib / "device").read_text() == "SER#=HQ9999ABCDE PID=0xA053 BMV=\n"
    if name in ("empty", "zeroed", "torn", "a directory"):
        mppt.until_logged("device:", "kept as device.corrupt-1; whichever device is there now is taken for the one that was")
