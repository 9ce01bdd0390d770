"""A GPIO chip that a service may not use: shared/gpio/pin_line.py."""

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.kit import TOP

NOBODY = 65534
TELL = """
import sys
from pathlib import Path
from pimains.shared.gpio.pin import GpioError
from pimains.shared.gpio.pin_line import header
try:
    header(Path(sys.argv[1]))
except GpioError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("group", "advice"),
    [
        (0, "is for root only: sudo udevadm trigger --subsystem-match=gpio lets the group pimains have it"),
        (20, "is for the group dialout, which nobody is not in: sudo adduser nobody dialout"),
    ],
)
def test_a_chip_that_one_may_not_use_is_told_with_what_to_do(group: int, advice: str) -> None:
    with tempfile.TemporaryDirectory(prefix="pimains-pins-") as top:
        Path(top).chmod(0o755)
        chip = Path(top) / "gpiochip0"
        chip.write_text("")
        chip.chmod(0o660)
        os.chown(chip, 0, group)
        told = subprocess.run(
            ["/usr/bin/python3", "-c", TELL, top],
            env={"PYTHONPATH": str(TOP / "lib")},
            user=NOBODY,
            group=NOBODY,
            extra_groups=(),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        assert told.stdout == f"{chip} {advice}\n"
