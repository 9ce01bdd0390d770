"""The panel at lines of the kernel's: the requests of linux/gpio.h as its header declares them, and boards that decode what comes."""

import shutil

import pytest

from tests.kit import House, until
from tests.panel.panels import LinesPanel
from tests.relays.relays import Relays

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="the chip is made by gcc")


def test_it_shows_reads_keys_and_says_that_a_wire_is_off(house: House) -> None:
    panel = LinesPanel(house, house.root / "etc/pimains/relays", svscan=False, STBS="26 6")
    relays = Relays(house, {}, {})
    until(lambda: panel.instance.status == "relays 1, 2 on 2 boards" and panel.registers() == [0] * 16, what=panel.instance.story)
    assert panel.control() == panel.control(2) == 0x8A
    panel.hold(1, 2)
    until(lambda: panel.registers()[0] == panel.registers()[2] == 1, what=panel.instance.story)
    panel.hold()
    until(lambda: panel.registers()[:4] == [1, 1, 1, 1], what=panel.instance.story)
    assert relays.of(1, "mode") == relays.of(2, "mode") == "on"
    assert panel.registers(2) == [0] * 16
    panel.cut(True, board=2)
    until(lambda: "board 2 at DIO 19, CLK 13, STB 6: the board does not answer" in panel.instance.status, what=panel.instance.story)
    assert panel.errors() == 0


def test_a_pin_that_somebody_else_has_is_named_with_its_file(house: House) -> None:
    panel = LinesPanel(house, house.root / "etc/pimains/relays", used="26")
    line = f"{panel.instance.directory}/variables/STBS: GPIO 26 is in use already: by spi0 CS0"
    until(lambda: panel.instance.status == line, what=panel.instance.story)
    panel.instance.set("GPIOCHIP_USED", "-1")  # as if it were let go: any edit has it look at once
    until(lambda: "on a board" in panel.instance.status, what=panel.instance.story)
