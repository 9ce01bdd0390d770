"""Boards with a TM1638 at a pin factory of gpiozero's, which decode the three wires by the data sheet: GPIOZERO_PIN_FACTORY=pimains-panel.

DIO, CLK and STBS say where they hang, as in the variables of the service panel; PIMAINS_HOUSE_PANEL names a directory. There is told what
each board shows, in board1 and board2: the segments of its digits, its LEDs from the left, how bright they are (dark, or 0-7). And there is
the FIFO `hands`; a line does something to a board, each after the other:

    1 press 3 5 for 0.05              keys go down together and up again; without `for` after 0.1 s
    1 down 3                          and it stays down
    1 up 3
    1 cut dio                         a wire comes off: dio, clk or stb
    1 mend dio
    1 short dio                       something holds it low
    1 power off                       what it showed is lost
    1 power on
    wait 1.5                          seconds

As a program it draws the boards of a directory, and hands on what it is told:

    python3 -m pimains.house.tm1638 /run/pimains/panel
"""

import contextlib
import os
import select
import sys
import threading
import time
from pathlib import Path
from typing import Any

from gpiozero.pins.mock import MockFactory, MockPin

from pimains.core import state
from pimains.house import pins

DIGITS = 8
_KEYS_READ = 4
_PRESS_SECONDS = 0.1
_UNDEFINED = 0x5A  # what registers hold when the power comes, as good as any


class Chip:
    """A TM1638 with the keys of a board: STB, CLK and DIO in, and whether it pulls DIO low out."""

    def __init__(self) -> None:
        self.down: set[int] = set()
        self.turn_on()
        self._levels = (True, True)

    def turn_on(self) -> None:
        """The power comes: nothing is lit, and the registers hold anything."""
        self.registers = [_UNDEFINED] * (2 * DIGITS)
        self.brightness: int | None = None
        self.pulls_low = False
        self.misunderstood: list[int] = []
        self._is_fixed = False
        self._address: int | None = None
        self._bits: list[bool] = []
        self._answer: list[bool] | None = None
        self._is_first = True

    @property
    def shown(self) -> str:
        """The segments of the digits, the LEDs, the brightness."""
        lit = self.registers if self.brightness is not None else [0] * len(self.registers)
        digits = " ".join(f"{each:02x}" for each in lit[0::2])
        return f"{digits} {''.join(str(each & 1) for each in lit[1::2])} {'dark' if self.brightness is None else self.brightness}"

    def wires(self, stb: bool, clk: bool, dio: bool) -> None:
        """Their levels now."""
        stb_before, clk_before = self._levels
        self._levels = stb, clk
        if stb != stb_before:
            self._bits, self._answer, self._address, self._is_first, self.pulls_low = [], None, None, True, False
        elif stb or clk == clk_before:
            return
        elif clk and self._answer is None:
            self._bits.append(dio)
            if len(self._bits) == 8:
                self._take(sum(bit << place for place, bit in enumerate(self._bits)))
                self._bits.clear()
        elif not clk and self._answer is not None:
            self.pulls_low = not self._answer.pop(0) if self._answer else False

    def _take(self, value: int) -> None:
        if not self._is_first:
            if self._address is None:
                self.misunderstood.append(value)
                return
            self.registers[self._address % len(self.registers)] = value
            self._address += 0 if self._is_fixed else 1
            return
        self._is_first = False
        match value >> 6, value & 0x0F:
            case 0b01, 0b0010:
                self._answer = [bool(byte >> bit & 1) for byte in self._keys() for bit in range(8)]
            case 0b01, 0b0000 | 0b0100 as how:
                self._is_fixed = how == 0b0100
            case 0b10, how:
                self.brightness = how & 7 if how & 8 else None
            case 0b11, address:
                self._address = address
            case _:
                self.misunderstood.append(value)

    def _keys(self) -> list[int]:
        """Keys 1-4 are bit 0 of the bytes, keys 5-8 bit 4: all at the input K3."""
        return [(place + 1 in self.down) | (place + 5 in self.down) << 4 for place in range(_KEYS_READ)]


class HouseBoard:
    """A chip, and the wires that lead to it."""

    def __init__(self) -> None:
        self.chip = Chip()
        self.cut: set[str] = set()
        self.is_on = True
        self.is_short = False
        self.told = ""

    def wires(self, stb: bool, clk: bool, dio: bool) -> None:
        """The levels at the other ends; a board pulls up what is not connected."""
        if self.is_on:
            stb, clk, dio = (level or name in self.cut for name, level in (("stb", stb), ("clk", clk), ("dio", dio)))
            self.chip.wires(stb, clk, dio)

    @property
    def pulls_low(self) -> bool:
        """Whether DIO is low for whom it leads to."""
        return self.is_short or (self.is_on and self.chip.pulls_low and "dio" not in self.cut)

    def handle(self, words: list[str]) -> None:
        """What hands do to it."""
        match words:
            case ["down", *keys]:
                self.chip.down |= {int(key) for key in keys}
            case ["up", *keys]:
                self.chip.down -= {int(key) for key in keys}
            case ["press", *keys, "for", seconds]:
                self.handle(["down", *keys])
                time.sleep(float(seconds))
                self.handle(["up", *keys])
            case ["press", *keys]:
                self.handle(["press", *keys, "for", str(_PRESS_SECONDS)])
            case ["cut", "dio" | "clk" | "stb" as name]:
                self.cut.add(name)
            case ["mend", "dio" | "clk" | "stb" as name]:
                self.cut.discard(name)
                self.is_short = False
            case ["short", "dio"]:
                self.is_short = True
            case ["power", "off"]:
                self.is_on = False
            case ["power", "on"]:
                self.chip.turn_on()
                self.is_on = True
            case _:
                raise ValueError(words)


class _Wire(MockPin):  # type: ignore[misc]  # gpiozero has no types
    """A pin with boards at its other end."""

    def output_with_state(self, state: int) -> None:
        """Direction and level in one."""
        self._function, self._state = "output", bool(state)
        self.factory.moved()

    def _set_function(self, value: str) -> None:
        super()._set_function(value)
        self.factory.moved()

    def _change_state(self, value: bool) -> bool:
        if self._state == value:
            return False
        self._state = value
        self.factory.moved()
        return True

    def _get_state(self) -> bool:
        return bool(self._state if self._function == "output" else self.factory.level_of(self))


class PanelFactory(MockFactory):  # type: ignore[misc]  # gpiozero has no types
    """gpiozero's own mock factory, with boards at its pins."""

    def __init__(self) -> None:
        super().__init__(pin_class=_Wire)
        self.pins: dict[int, Any] = {}  # its own, which gpiozero's factories else have in common
        self.clashes = 0  # how often DIO was driven high against a chip
        self._dio, self._clk = int(os.environ["DIO"]), int(os.environ["CLK"])
        self._stbs = [int(each) for each in os.environ["STBS"].split()]
        self.boards = [HouseBoard() for _ in self._stbs]
        self._wires: dict[int, Any] = {}  # by numbers, which not every gpiozero has its pins by
        self._place = Path(os.environ["PIMAINS_HOUSE_PANEL"])
        self._tell()
        threading.Thread(target=self._live, args=(pins.commands(self._place / "hands"),), daemon=True).start()

    def pin(self, spec: Any, pin_class: Any = None) -> Any:
        """The pin, which hangs at boards where it is one of theirs."""
        wire = super().pin(spec, pin_class)
        self._wires[int(spec)] = wire
        return wire

    def moved(self) -> None:
        """A pin has another level, or is let go."""
        driver = self._wires.get(self._dio)
        clk, dio = self._level(self._clk), self.level_of(driver)
        for board, stb in zip(self.boards, self._stbs, strict=True):
            board.wires(self._level(stb), clk, dio)
        if driver and driver._function == "output" and driver._state and any(board.pulls_low for board in self.boards):
            self.clashes += 1
        if all(self._level(stb) for stb in self._stbs):
            self._tell()

    def level_of(self, pin: Any) -> bool:
        """Of a wire that boards may pull low, too."""
        if pin is not None and pin is self._wires.get(self._dio) and any(board.pulls_low for board in self.boards):
            return False
        return bool(pin is None or pin._state)

    def _level(self, number: int) -> bool:
        pin = self._wires.get(number)
        return bool(pin is None or pin._function == "input" or pin._state)

    def _tell(self) -> None:
        for number, board in enumerate(self.boards, 1):
            shown = board.chip.shown if board.is_on else ""
            if shown != board.told:
                board.told = shown
                with contextlib.suppress(OSError):  # its directory went
                    state.write(self._place / f"board{number}", shown)

    def _live(self, hands: int) -> None:
        while True:
            words = pins.next_command(hands)
            try:
                match words:
                    case ["wait", seconds]:
                        time.sleep(float(seconds))
                    case [number, *what]:
                        self.boards[int(number) - 1].handle(what)
            except (ValueError, IndexError):
                print(f"a hand cannot do that: {' '.join(words)}", flush=True)


def drawn(shown: str) -> str:
    """A board as people see it: three lines of digits and points, one of LEDs."""
    *digits, leds, brightness = shown.split()
    lines = ["", "", "", ""]
    for text, led in zip(digits, leds, strict=True):
        a, b, c, d, e, f, g, point = (lit if int(text, 16) >> bit & 1 else " " for bit, lit in enumerate("_||_||_."))
        lines[0] += f" {a}   "
        lines[1] += f"{f}{g}{b}  "
        lines[2] += f"{e}{d}{c}{point} "
        lines[3] += f" {'*' if led == '1' else '-'}   "
    return "\n".join([*lines, f"brightness: {brightness}"])


def main(place: Path) -> None:
    """Draw the boards whenever they change; hand on what is typed."""
    try:
        watch = state.Watch(place)
    except OSError as error:
        sys.exit(f"{place}: {error.strerror}: PIMAINS_HOUSE_PANEL of the service panel names it")
    names = [path.name for path in sorted(place.glob("board[12]"))]
    while True:
        for name in names:
            if shown := state.read(place / name):
                print(f"{name}\n{drawn(shown)}", flush=True)
        ready, _, _ = select.select([watch, sys.stdin], [], [])
        if sys.stdin in ready:
            if not (line := sys.stdin.readline()):
                return
            try:
                hands = os.open(place / "hands", os.O_WRONLY | os.O_NONBLOCK)
            except OSError as error:
                print(f"{place}/hands: {error.strerror}: does the service run?", flush=True)
                continue
            os.write(hands, line.encode())
            os.close(hands)
        names = sorted(name for name in watch.changed() if name.startswith("board"))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("python3 -m pimains.house.tm1638 DIRECTORY, which PIMAINS_HOUSE_PANEL of the service panel names")
    main(Path(sys.argv[1]))
