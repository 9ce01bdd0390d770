"""Whoever hands over the wires here: the kernel, or gpiozero where the kernel knows of no header, or where a pin factory is named."""

from collections.abc import Sequence
from pathlib import Path

from pimains.panel.tm1638 import DIO, Wires
from pimains.shared.gpio import gpiozero_factory, pin_line


def take(dio: int, clk: int, stbs: Sequence[int], consumer: str, scratch: Path) -> Wires:
    """These GPIO numbers (BCM) as the wires of boards, all high; others see them as `consumer`'s. Raises GpioError."""
    chip = None if gpiozero_factory.is_named() else pin_line.header()
    if chip:
        return pin_line.Lines(chip, [dio, clk, *stbs], DIO, consumer)
    from pimains.panel.wires_gpiozero import FactoryWires  # gpiozero costs 16 MB

    return gpiozero_factory.in_place_of_a_header(lambda: FactoryWires(dio, clk, stbs, scratch))
