"""The kernel's GPIO character device, as far as it goes without a chip: shared/gpio/pin_line.py, shared/gpio/pin.py."""

from pathlib import Path

import pytest

from pimains.core.clock import FakeClock
from pimains.shared.gpio import pin_line
from pimains.shared.gpio.pin import ahead


def size(request: int) -> int:
    """Of what an ioctl's number says that it takes (asm-generic/ioctl.h)."""
    return request >> 16 & 0x3FFF


def test_the_request_for_a_line_and_its_events_are_as_long_as_the_kernels() -> None:
    assert pin_line._LINE_REQUEST.size == size(pin_line._REQUEST) == 592
    assert pin_line._OUTPUT_REQUEST.size == size(pin_line._REQUEST)
    assert pin_line._LINE_VALUES.size == size(pin_line._VALUES) == size(pin_line._SET_VALUES)
    assert pin_line._EVENT.size == 48
    assert pin_line._LINES_REQUEST.size == size(pin_line._REQUEST)
    assert 10 * pin_line._ATTRIBUTE.size == 240


def test_what_is_no_chip_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "gpiochip0").write_text("")
    (tmp_path / "gpiochip1").symlink_to("nowhere")
    (tmp_path / "gpiochip2").symlink_to("/dev/null")
    assert pin_line.header(tmp_path) is None


class HeldUp(FakeClock):
    """A clock; who looks at it is held up for 30 ms after the first looks."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times
        self.other = 0.0

    def monotonic(self) -> float:
        now = super().monotonic()
        if self.times:
            self.times -= 1
            self._monotonic += 0.03
            self.other += 0.03
        return now

    def real_seconds(self, seconds: float) -> float:
        return seconds


@pytest.mark.parametrize("times", [0, 1, 2, 3])
def test_two_clocks_are_compared_without_the_pause_between_the_looks_at_them(times: int) -> None:
    clock = HeldUp(times)
    assert ahead(clock, lambda: clock.other) == pytest.approx(100.0)
