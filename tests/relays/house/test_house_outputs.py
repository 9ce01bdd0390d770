"""The house's pins tell what outputs do: house/pins.py, by way of relays/output_gpiozero.py."""

import os
import subprocess
from pathlib import Path

from tests.kit import TOP
from tests.meter.meters import entry_points

CODE = """
from pathlib import Path
from pimains.relays import outputs
from pimains.shared.relays import pin_name
one = outputs.take(pin_name.parse("17"), True, False, "relay.1", Path("/tmp"))
two = outputs.take(pin_name.parse("22"), False, True, "relay.2", Path("/tmp"))
assert one.is_on and not two.is_on
one.set(False)
two.set(True)
two.set(True)
assert two.is_on and not one.is_on
two.close()
print(one.factory)
"""


def test_an_output_has_its_level_from_the_beginning_and_each_change_is_told(tmp_path: Path) -> None:
    told = tmp_path / "told"
    path = f"{TOP / 'lib'}:{entry_points(tmp_path / 'python')}"
    factory = {"GPIOZERO_PIN_FACTORY": "pimains-house", "PIMAINS_HOUSE_OUTPUTS": str(told)}
    words = ["/usr/bin/python3", "-c", CODE]
    done = subprocess.run(words, env={**os.environ, "PYTHONPATH": path, **factory}, capture_output=True, text=True, check=False)
    assert (done.stderr, done.stdout) == ("", "GPIO 17 by pin factory House\n")
    levels = [line.rsplit(" ", 1)[0] for line in told.read_text().splitlines()]
    assert levels == ["17 high", "22 high", "17 low", "22 low", "22 input"]


def test_a_pin_that_is_not_there_is_named(tmp_path: Path) -> None:
    code = "from pathlib import Path\n"
    code += "from pimains.relays import outputs\nfrom pimains.shared.relays import pin_name\n"
    code += 'outputs.take(pin_name.parse("x:3"), True, False, "", Path())'
    done = subprocess.run(
        ["/usr/bin/python3", "-c", code], env={**os.environ, "PYTHONPATH": str(TOP / "lib")}, capture_output=True, text=True, check=False
    )
    assert "there is no GPIO chip with the label x (gpiodetect lists them)" in done.stderr
