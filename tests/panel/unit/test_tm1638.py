"""The wires of a TM1638, by the simulated chip, which decodes them by the data sheet: panel/tm1638.py, house/tm1638.py."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import gpiozero
import pytest

from pimains.house.tm1638 import PanelFactory, drawn
from pimains.panel.plan.face import Face
from pimains.panel.tm1638 import Board, Silent
from pimains.panel.wires_gpiozero import FactoryWires

FACE = Face((0x3F, 0x86, 0x5B, 0x4F, 0x66, 0x6D, 0x7D, 0x80), (True, False, False, True, False, False, True, True))


class Bench:
    """Two boards, and the house that simulates them."""

    def __init__(self, place: Path) -> None:
        self.house = PanelFactory()
        gpiozero.Device.pin_factory = self.house
        self.wires = FactoryWires(19, 13, [26, 6], place)
        self.boards = [Board(self.wires, number) for number in range(2)]
        self.one, self.other = self.boards
        self.place = place

    def chip(self, number: int) -> str:
        return self.house.boards[number].chip.shown


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    for name, value in (("DIO", "19"), ("CLK", "13"), ("STBS", "26 6"), ("PIMAINS_HOUSE_PANEL", str(tmp_path))):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(gpiozero.Device, "pin_factory", None)
    bench = Bench(tmp_path)
    yield bench
    assert [(board.chip.misunderstood, bench.house.clashes) for board in bench.house.boards] == [([], 0), ([], 0)]


@pytest.mark.parametrize("brightness", range(8))
def test_digits_leds_and_brightness_are_what_was_shown(bench: Bench, brightness: int) -> None:
    bench.one.show(FACE, brightness)
    assert bench.chip(0) == f"3f 86 5b 4f 66 6d 7d 80 10010011 {brightness}"
    assert (bench.place / "board1").read_text().strip() == bench.chip(0)


def test_each_of_two_boards_shows_its_own(bench: Bench) -> None:
    bench.one.show(FACE, 3)
    bench.other.show(Face((1,) * 8, (False,) * 8), 0)
    assert bench.chip(0) == "3f 86 5b 4f 66 6d 7d 80 10010011 3"
    assert bench.chip(1) == "01 01 01 01 01 01 01 01 00000000 0"


def test_a_board_that_is_turned_off_shows_nothing(bench: Bench) -> None:
    bench.one.show(FACE, 3)
    bench.one.turn_off()
    assert bench.chip(0) == "00 00 00 00 00 00 00 00 00000000 dark"


def test_every_set_of_keys_is_read_as_it_is_pressed(bench: Bench) -> None:
    for down in itertools.chain.from_iterable(itertools.combinations(range(1, 9), count) for count in range(9)):
        bench.house.boards[0].chip.down = set(down)
        assert bench.one.keys() == list(down)
    assert bench.other.keys() == []


def test_keys_of_one_board_are_not_those_of_the_other(bench: Bench) -> None:
    bench.house.boards[1].chip.down = {1, 8}
    assert (bench.one.keys(), bench.other.keys()) == ([], [1, 8])


@pytest.mark.parametrize("wire", ["dio", "clk", "stb"])
def test_a_wire_that_comes_off_is_a_board_that_does_not_answer(bench: Bench, wire: str) -> None:
    bench.house.boards[0].handle(["cut", wire])
    with pytest.raises(Silent, match="the board does not answer"):
        bench.one.keys()
    assert bench.other.keys() == []
    bench.house.boards[0].handle(["mend", wire])
    assert bench.one.keys() == []


def test_what_holds_dio_low_is_no_board_without_keys(bench: Bench) -> None:
    bench.house.boards[1].handle(["short", "dio"])
    for board in bench.boards:
        with pytest.raises(Silent, match="something holds DIO low"):
            board.keys()
    bench.house.boards[1].handle(["mend", "dio"])
    assert bench.one.keys() == []
    for board in bench.house.boards:  # they have heard zeros, which is no command
        board.chip.misunderstood.clear()


def test_a_board_without_power_does_not_answer_and_forgets_what_it_showed(bench: Bench) -> None:
    bench.one.show(FACE, 3)
    bench.house.boards[0].handle(["power", "off"])
    with pytest.raises(Silent):
        bench.one.keys()
    bench.house.boards[0].handle(["power", "on"])
    assert bench.chip(0).endswith("dark")
    assert bench.one.keys() == []


def test_a_board_is_drawn_for_who_has_none() -> None:
    text = drawn("3f 86 5b 00 00 00 00 80 10000000 2")
    assert text.splitlines() == [
        " _         _                            ",
        "| |    |   _|                           ",
        "|_|    |. |_                          . ",
        " *    -    -    -    -    -    -    -   ",
        "brightness: 2",
    ]
