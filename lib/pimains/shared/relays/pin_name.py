"""Which pin a relay hangs at: a GPIO number of the header, or a line of any GPIO chip by its label."""

import re
from typing import NamedTuple

_CHIP_LINE = re.compile(r"([A-Za-z0-9_.@/-]{1,31}):([0-9]{1,3})")
HEADER_LAST = 27
ALLOWED = f"a GPIO number 0-{HEADER_LAST}, or LABEL:LINE of a GPIO chip, as gpiodetect tells its label"


class PinName(NamedTuple):
    """Line `line` of the chip with this `label`; without a label, of the header."""

    label: str
    line: int

    def __str__(self) -> str:
        return f"{self.label}:{self.line}" if self.label else str(self.line)


def parse(text: str) -> PinName:
    """What PIN says. Raises ValueError."""
    if match := _CHIP_LINE.fullmatch(text):
        return PinName(match[1], int(match[2]))
    if not re.fullmatch(r"[0-9]{1,2}", text) or int(text) > HEADER_LAST:
        raise ValueError
    return PinName("", int(text))
