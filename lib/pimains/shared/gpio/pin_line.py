"""A line of the kernel's GPIO character device (linux/gpio.h, version 2 of its interface: Linux 5.10 and newer).

The kernel stamps each edge of an input when it comes (CLOCK_MONOTONIC) and keeps a thousand of them; we sleep until there is one.
A line becomes an output with its value in one request, so that nothing is switched on the way; it stays so as long as anybody has the
line's descriptor open. Several lines in one request are set together. One that others drive, too, is an open drain with a pull-up: set
high it is let go, so that whoever is at its other end may pull it low and be heard, and nobody ever drives against another.
"""

import errno
import grp
import os
import pwd
import select
import struct
import sys
import time
from collections.abc import Callable, Sequence
from fcntl import ioctl
from pathlib import Path
from typing import NamedTuple, Self

from pimains.core.clock import Clock
from pimains.shared.gpio.pin import Changed, GpioError, ahead

# the drivers of the pins at a Raspberry Pi's header; a line's number is its BCM number there
_HEADERS = ("pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1")
_CHIP_INFO = 0x8044B401
_LINE_INFO = 0xC100B405
_REQUEST = 0xC250B407
_VALUES = 0xC010B40E
_SET_VALUES = 0xC010B40F
_INPUT_BOTH_EDGES = 1 << 2 | 1 << 4 | 1 << 5
_ACTIVE_LOW = 1 << 1
_OUTPUT = 1 << 3
_OPEN_DRAIN = 1 << 6
_FLAGS, _OUTPUT_VALUES = 1, 2  # the ids of attributes
_PULLS = {"up": 1 << 8, "down": 1 << 9, "none": 1 << 10}
_RISING = 1
_USED = 1  # a flag of a line's information
# struct gpio_v2_line_request with one line: its offset, consumer, flags, number of lines, room for events; the descriptor
_LINE_REQUEST = struct.Struct("=I252x32sQ264xII20xi")
# the same with one attribute: its id, value, and which lines it is for
_OUTPUT_REQUEST = struct.Struct("=I252x32sQI20xI4xQQ216xII20xi")
# the same for several lines, with two attributes, whose parts are id, value, lines
_ATTRIBUTE = struct.Struct("=I4xQQ")
_LINES_REQUEST = struct.Struct("=256s32sQI20x240sII20xi")
_LINE_VALUES = struct.Struct("=QQ")  # struct gpio_v2_line_values: bits, mask
# struct gpio_v2_line_event: time stamp in ns, id, offset, number of the event among all lines, among this one's
_EVENT = struct.Struct("=QIIII24x")
_EVENTS_KEPT = 1024
_EVENTS_A_READ = 64


class Chip(NamedTuple):
    """A GPIO chip: its device, its driver's name for it, how many lines it has."""

    device: Path
    label: str
    lines: int


def header(devices: Path = Path("/dev")) -> Chip | None:
    """The chip with the pins of a Raspberry Pi's header; None if there is none. Raises GpioError if it may not be opened."""
    return labelled(_HEADERS, devices)


def labelled(labels: tuple[str, ...], devices: Path = Path("/dev")) -> Chip | None:
    """The first chip that its driver calls one of these; None if there is none. Raises GpioError if one may not be opened."""
    forbidden = None
    for device in sorted(devices.glob("gpiochip*")):
        try:
            chip = _chip(device)
        except PermissionError:
            forbidden = forbidden or device
        except OSError:  # it just went, or is none
            continue
        else:
            if chip.label in labels:
                return chip
    if forbidden:
        raise GpioError(_who_may(forbidden))
    return None


class LinePin:
    """Line `number` of a chip, an input pulled "up", "down" or "none"."""

    def __init__(self, chip: Chip, number: int, pull: str, clock: Clock, changed: Changed) -> None:
        import threading  # those who only switch need none

        self.factory = f"{chip.device} ({chip.label})"
        self.missed = 0
        self._clock = clock
        self._changed = changed
        self._number = number
        wanted = _LINE_REQUEST.pack(number, b"pimains", _INPUT_BOTH_EDGES | _PULLS[pull], 1, _EVENTS_KEPT, -1)
        self._line = _request(chip, [number], wanted)
        self._stop, self._stopped = os.pipe2(os.O_CLOEXEC)
        self._thread = threading.Thread(target=self._live, daemon=True)

    @property
    def is_high(self) -> bool:
        """The level now. Raises GpioError when the chip is gone."""
        return _value(self._line, f"GPIO {self._number} is gone: {self.factory}")

    def listen(self) -> None:
        """From now on every edge is told; those since the line was taken, too."""
        self._thread.start()

    def close(self) -> None:
        """Give the line back."""
        os.close(self._stopped)
        if self._thread.is_alive():
            self._thread.join()
        os.close(self._line)
        os.close(self._stop)

    def _live(self) -> None:
        expected = 1
        poll = select.poll()
        poll.register(self._line, select.POLLIN)
        poll.register(self._stop, 0)
        while True:
            ready = dict(poll.poll())
            if self._stop in ready:
                return
            try:
                told = os.read(self._line, _EVENTS_A_READ * _EVENT.size)
            except OSError:  # the chip is gone: whoever asks for the level learns of it
                return
            since_boot = ahead(self._clock, time.monotonic)
            for stamp, kind, _, _, number in _EVENT.iter_unpack(told):
                self.missed += (number - expected) % (1 << 32)
                expected = number + 1
                self._changed(since_boot + stamp / 1e9, kind == _RISING)


class LineOutput:
    """An output of a chip, by the descriptor of its line, which `title` is the chip and number of."""

    def __init__(self, line: int, title: str) -> None:
        self.factory = title
        self._line = line

    @classmethod
    def take(cls, chip: Chip, number: int, is_on: bool, active_low: bool, consumer: str) -> Self:
        """Make line `number` an output that is on, or off, from the beginning. Raises GpioError."""
        flags = _OUTPUT | (_ACTIVE_LOW if active_low else 0)
        wanted = _OUTPUT_REQUEST.pack(number, consumer.encode()[:31], flags, 1, _OUTPUT_VALUES, int(is_on), 1, 1, 0, -1)
        return cls(_request(chip, [number], wanted), f"GPIO {number} of {chip.device} ({chip.label})")

    def fileno(self) -> int:
        """The line's descriptor."""
        return self._line

    @property
    def is_on(self) -> bool:
        """Whether it is on. Raises GpioError when the chip is gone."""
        return _value(self._line, f"{self.factory} is gone")

    def set(self, is_on: bool) -> None:
        """Switch it. Raises GpioError when the chip is gone."""
        try:
            ioctl(self._line, _SET_VALUES, _LINE_VALUES.pack(int(is_on), 1))
        except OSError as error:
            raise GpioError(f"{self.factory} is gone: {error.strerror}") from None

    def close(self) -> None:
        """Close this descriptor; the line is given back with the last one."""
        os.close(self._line)


class Lines:
    """Outputs of one chip that are set together, high in the beginning; the `shared` one is an open drain, which others may pull low.

    A line is its place in `numbers`, and several are bits of an integer. Raises GpioError.
    """

    def __init__(self, chip: Chip, numbers: Sequence[int], shared: int, consumer: str) -> None:
        self.factory = f"{chip.device} ({chip.label})"
        every = (1 << len(numbers)) - 1
        attributes = _ATTRIBUTE.pack(_FLAGS, _OUTPUT | _OPEN_DRAIN | _PULLS["up"], shared) + _ATTRIBUTE.pack(_OUTPUT_VALUES, every, every)
        offsets = struct.pack(f"={len(numbers)}I", *numbers)
        wanted = _LINES_REQUEST.pack(offsets, consumer.encode()[:31], _OUTPUT, 2, attributes, len(numbers), 0, -1)
        self._shared = shared
        self._lines = _request(chip, numbers, wanted)

    def prepared(self, steps: Sequence[tuple[int, int]]) -> Callable[[], list[bool]]:
        """What carries out `steps`: each the levels that lines get, and which lines; (0, 0) asks whether the shared one is high.

        It returns the answers; it is prepared because it may be wanted thousands of times. It raises GpioError when the chip is gone.
        """
        # a buffer that may be written to is handed to the kernel as it is; of bytes a kilobyte is copied each time
        looks = (0, self._shared)
        calls = [(_SET_VALUES if step[1] else _VALUES, bytearray(_LINE_VALUES.pack(*(step if step[1] else looks)))) for step in steps]
        lines = self._lines

        def carry_out() -> list[bool]:
            seen = []
            try:
                for request, values in calls:
                    ioctl(lines, request, values)
                    if request == _VALUES:
                        seen.append(values[0] != 0)
            except OSError as error:
                raise GpioError(f"{self.factory} is gone: {error.strerror}") from None
            return seen

        return carry_out

    def close(self) -> None:
        """Give the lines back."""
        os.close(self._lines)


def _value(line: int, gone: str) -> bool:
    values = bytearray(_LINE_VALUES.pack(0, 1))
    try:
        ioctl(line, _VALUES, values)
    except OSError as error:
        raise GpioError(f"{gone}: {error.strerror}") from None
    return bool(values[0] & 1)


def _chip(device: Path) -> Chip:
    told = bytearray(68)
    handle = os.open(device, os.O_RDWR | os.O_CLOEXEC)
    try:
        ioctl(handle, _CHIP_INFO, told)
    finally:
        os.close(handle)
    return Chip(device, _text(told[32:64]), int.from_bytes(told[64:], "little"))


def _request(chip: Chip, numbers: Sequence[int], request: bytes) -> int:
    for number in numbers:
        if number >= chip.lines:
            raise GpioError(f"there is no GPIO {number}: {chip.device} ({chip.label}) has 0-{chip.lines - 1}", "PIN", number)
    handle = -1
    wanted = bytearray(request)
    try:
        handle = os.open(chip.device, os.O_RDWR | os.O_CLOEXEC)
        ioctl(handle, _REQUEST, wanted)
        return int.from_bytes(wanted[-4:], sys.byteorder)
    except OSError as error:
        if error.errno == errno.EBUSY:
            number, consumer = _in_use(handle, numbers)
            raise GpioError(f"GPIO {number} is in use already: by {consumer}", "PIN", number) from None
        raise GpioError(f"GPIO {', '.join(map(str, numbers))}: {chip.device} ({chip.label}): {error.strerror}") from None
    finally:
        if handle >= 0:
            os.close(handle)


def _in_use(chip: int, numbers: Sequence[int]) -> tuple[int, str]:
    """The first of the lines that somebody has, and who."""
    for number in numbers:
        told = bytearray(256)
        told[64:68] = number.to_bytes(4, sys.byteorder)
        ioctl(chip, _LINE_INFO, told)
        if told[72] & _USED:
            break
    return number, _text(told[32:64]) or "somebody"


def _text(field: bytes | bytearray) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "replace")


def _who_may(device: Path) -> str:
    user = pwd.getpwuid(os.geteuid()).pw_name
    group = grp.getgrgid(device.stat().st_gid).gr_name
    if group == "root":
        return f"{device} is for root only: sudo udevadm trigger --subsystem-match=gpio lets the group pimains have it"
    return f"{device} is for the group {group}, which {user} is not in: sudo adduser {user} {group}"
