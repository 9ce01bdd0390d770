"""A board with a TM1638: eight digits, an LED beside each, eight keys (Titan Micro Electronics, data sheet of the TM1638, V1.3).

Three wires: a byte goes over DIO, its lowest bit first, and is taken over with the rising edges of CLK while STB is low; the first one
after STB fell is the command. After the command that reads keys the chip drives DIO, an open drain, a bit from each falling edge on.
Several boards share DIO and CLK; each has an STB of its own. Nothing is acknowledged: that a chip is there is known from what it answers
when keys are read.

Boards of this kind have digit n at the address 2n, its LED at 2n + 1, and all keys at the input K3: bits 0 and 4 of the four bytes are keys
1 to 4 and 5 to 8. Bits 3 and 7 are always 0; a line that nobody drives is high.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from pimains.core.errors import Away
from pimains.panel.plan.face import PLACES, Face

DIO, CLK = 1, 2
_STB = 4
_WRITE, _READ, _ADDRESS, _DISPLAY_ON = 0x40, 0x42, 0xC0, 0x88
_KEY_BYTES = 4
_KEYS = (0, 4)  # the bits of each byte
_ALWAYS_0 = (3, 27)  # two of those of all bytes
_LAST = 8 * (_KEY_BYTES - 1) + _KEYS[-1]  # who needs no more need not fetch them
_LOOKED_AT = tuple(bit for bit in range(_LAST + 1) if bit % 8 in _KEYS or bit in _ALWAYS_0)
_LOOK = (0, 0)
_NOTHING = [True, True, *[False] * len(_LOOKED_AT)]  # DIO is free, before the command and behind it, and all keys are up

Steps = list[tuple[int, int]]


class Wires(Protocol):
    """The wires of all boards: bits DIO, CLK, and the strobes above them. DIO is let go when it is set high."""

    factory: str

    def prepared(self, steps: Sequence[tuple[int, int]]) -> Callable[[], list[bool]]:
        """What carries out steps: the levels of some wires and which wires, or (0, 0), whether DIO is high. Raises GpioError."""

    def close(self) -> None:
        """Let go of them."""


class Silent(Away):
    """No chip answers; the text says what can be known of it."""


class Board:
    """The one at strobe `number`, from 0 on."""

    def __init__(self, wires: Wires, number: int) -> None:
        self._wires = wires
        self._stb = _STB << number
        self._scan = wires.prepared(self._scanning())

    def keys(self) -> list[int]:
        """Which of 1-8 are down. Raises Silent where no chip answers, and GpioError."""
        seen = self._scan()
        if seen == _NOTHING:  # nearly always, 22 times a second
            return []
        is_free, _, *looks = seen
        if not is_free:
            raise Silent("something holds DIO low")
        high = [bit for bit, is_high in zip(_LOOKED_AT, looks, strict=True) if is_high]
        if any(bit in _ALWAYS_0 for bit in high):
            raise Silent("the board does not answer")
        return sorted(1 + bit // 8 + (bit % 8) for bit in high)  # bit 4 is that of keys 5-8

    def show(self, face: Face, brightness: int) -> None:
        """Light what `face` says, at a brightness of 0-7. Raises GpioError."""
        registers = [each for place in range(PLACES) for each in (face.digits[place], int(face.leds[place]))]
        display = _DISPLAY_ON | brightness
        self._wires.prepared([*self._sent(_WRITE), *self._sent(_ADDRESS, *registers), *self._sent(display)])()

    def turn_off(self) -> None:
        """Nothing is lit any more. Raises GpioError."""
        self._wires.prepared(self._sent(_DISPLAY_ON & ~0x08))()

    def _sent(self, *values: int) -> Steps:
        return [(0, self._stb), *_bits(values), (self._stb | DIO, self._stb | DIO)]

    def _scanning(self) -> Steps:
        # DIO is looked at once more before the first bit: the chip wants to be waited for, 2 us
        steps = [_LOOK, (0, self._stb), *_bits([_READ]), (DIO, DIO), _LOOK]
        for bit in range(_LAST + 1):
            steps += [(0, CLK), (CLK, CLK), *([_LOOK] if bit in _LOOKED_AT else [])]
        return [*steps, (self._stb, self._stb)]


def _bits(values: Iterable[int]) -> Steps:
    """DIO is set only where it changes: for an open drain that is dearer than a clock."""
    steps, before = [], None
    for value in values:
        for bit in range(8):
            level = value >> bit & 1
            steps += [(level * DIO, CLK if level == before else DIO | CLK), (CLK, CLK)]
            before = level
    return steps
