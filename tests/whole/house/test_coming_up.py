"""Lines that are pasted in one go: what asks a service waits until the one that was just made is there."""

import json
import os
import subprocess

from tests.kit import TOP, House
from tests.meter.meters import Meter, entry_points


def pimains(house: House, *words: str) -> subprocess.CompletedProcess[str]:
    env = {"PYTHONPATH": str(TOP / "lib"), "PATH": "/usr/bin:/bin", "PIMAINS_ROOT": str(house.root)}
    return subprocess.run(["/usr/bin/python3", "-P", "-m", "pimains.cli", *words], env=env, capture_output=True, text=True, check=False)


def test_a_meter_that_svscan_has_still_to_find_is_set_when_it_is_up(house: House) -> None:
    house.start()
    pins = house.root / "pins"
    os.mkfifo(pins)
    pins.chmod(0o666)
    settings = {"GPIOZERO_PIN_FACTORY": "pimains-house", "PIMAINS_HOUSE_PINS": str(pins)}
    meter = house.add("meter", svscan=False, pythonpath=str(entry_points(house.root / "python")), **settings)
    assert meter.status == ""
    done = pimains(house, "meter", "set", "12345.6", f"--servicedir={house.scan}")
    assert done.returncode == 0, done.stderr
    assert "total is 12345.600 kWh now" in done.stdout


def test_a_halt_service_that_svscan_has_still_to_find_rehearses_when_it_is_up(house: House) -> None:
    house.start()
    house.add("halt", svscan=False, HALT_COMMAND=house.recorder)
    done = pimains(house, "halt", "--rehearse", "--json", f"--servicedir={house.scan}")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout[done.stdout.index("{") :])["well"] is True
    assert house.halts() == []


def test_one_that_is_down_is_not_waited_for(house: House) -> None:
    meter = Meter(house)
    house.until(lambda: "kWh" in meter.instance.status)
    meter.instance.svc("-d")
    house.until(lambda: meter.instance.pid == 0)
    done = pimains(house, "meter", "set", "5", f"--servicedir={house.scan}")
    assert (done.returncode, done.stderr) == (1, f"pimains: meter is not running (svc -u {meter.instance.directory})\n")
