"""A panel on simulated boards: stepped under a clock of the test's, or as a service beside a real relays service.

panel = SteppedPanel(tmp_path, monkeypatch, {"1": "auto"})
panel.press(1)
panel.pass_seconds(2.1)
assert panel.said("1") == "on"
"""

import contextlib
import mmap
import struct
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import gpiozero

from pimains.core import state
from pimains.core.clock import FakeClock
from pimains.core.instance import Instance
from pimains.core.naps import Nap, Naps, Readable, Stop, poll
from pimains.house.tm1638 import HouseBoard, PanelFactory
from pimains.panel.service import show
from pimains.panel.settings import PanelSettings
from tests.kit import TOP, House, TestInstance, until
from tests.meter.meters import entry_points

if TYPE_CHECKING:
    import pytest  # benchmarks go without

NOON = 1_790_000_000.0 // 86400 * 86400 + 12 * 3600


class SteppedPanel:
    """Relays with these modes, told by files as the service relays tells them, and as many boards as `STBS` says."""

    def __init__(self, top: Path, patch: "pytest.MonkeyPatch", modes: dict[str, str], **given: str) -> None:
        self.run, self.lib = top / "run/pimains/relays", top / "var/lib/pimains/relays"
        self.settings = top / "etc/pimains/relays"
        for directory in (self.run, self.lib, self.settings, top / "variables", top / "run/pimains/panel"):
            directory.mkdir(parents=True)
        values = {"DIO": "19", "CLK": "13", "STBS": "26", "BRIGHTNESS": "2", "TEXT": "", "KEYS": "", "RELAYS": str(self.settings), **given}
        for name, value in {**values, "PIMAINS_ROOT": str(top), "PIMAINS_HOUSE_PANEL": str(top), "TZ": "UTC"}.items():
            patch.setenv(name, value)
        patch.setenv("GPIOZERO_PIN_FACTORY", "pimains-panel")
        self.house = PanelFactory()
        patch.setattr(gpiozero.Device, "pin_factory", self.house)
        (self.run / "status").write_text("nothing to be said\n")
        for number, mode in modes.items():
            self.add(number, mode)
        self.clock = FakeClock(wall=NOON)
        self._me = Instance("panel", top, self.clock)
        self._naps: Naps = show(self._me, PanelSettings(values))
        self._nap: Nap = next(self._naps)
        self._awake_at = self.clock.monotonic() + self._nap.seconds

    def add(self, number: str, mode: str, name: str = "", state: str = "off") -> None:
        """A relay that is made."""
        (self.settings / number).mkdir()
        (self.settings / number / "NAME").write_text(f"{name}\n")
        (self.lib / f"{number}.mode").write_text("auto\n")
        self.tell(number, mode, state)

    def tell(self, number: str, mode: str, state: str = "off", watts: str = "0") -> None:
        """What the service relays tells of one."""
        for what, text in (("mode", mode), ("watts", watts), ("state", state)):
            (self.run / f"{number}.{what}").write_text(f"{text}\n")

    def said(self, number: str) -> str:
        """What was said to it."""
        return (self.lib / f"{number}.mode").read_text().strip()

    @property
    def status(self) -> str:
        """The status line."""
        return (self._me.run / "status").read_text().strip()

    def board(self, number: int = 1) -> HouseBoard:
        """A simulated one."""
        return self.house.boards[number - 1]

    def digits(self, number: int = 1) -> list[int]:
        """What it shows there, without points."""
        return [int(each, 16) & 0x7F for each in self.board(number).chip.shown.split()[:8]]

    def point(self, number: int = 1) -> bool:
        """Whether its last one is lit."""
        return int(self.board(number).chip.shown.split()[7], 16) > 0x7F

    def leds(self, number: int = 1) -> str:
        """From the left."""
        return self.board(number).chip.shown.split()[8]

    def pass_seconds(self, seconds: float) -> None:
        """Time passes; it is awake when it wants to be, and when something is told."""
        end = self.clock.monotonic() + seconds
        while True:
            ready: tuple[Readable, ...] = poll(self._nap, self.clock)
            if not ready:
                if self._awake_at > end:
                    self.clock.advance(end - self.clock.monotonic())
                    return
                self.clock.advance(max(self._awake_at - self.clock.monotonic(), 0.0))
            self._send(ready)

    def _send(self, ready: tuple[Readable, ...]) -> None:
        self._nap = self._naps.send(ready)
        self._awake_at = self.clock.monotonic() + max(self._nap.seconds, 0.001)

    def pass_unheard(self, seconds: float) -> None:
        """Time passes, and it is awake at the end of it, before it hears of what was written meanwhile."""
        self.clock.advance(seconds)
        self._send(())

    def press(self, *keys: int, seconds: float = 0.1, board: int = 1) -> None:
        """Keys go down together, and up again."""
        self.board(board).chip.down |= {*keys}
        self.pass_seconds(seconds)
        self.board(board).chip.down -= {*keys}
        self.pass_seconds(0.1)

    def stop(self) -> None:
        """svc -d."""
        with contextlib.suppress(Stop, StopIteration):
            self._naps.throw(Stop())


class Panel:
    """An instance of panel on simulated boards; without `svscan` it is found with the next one, which saves five seconds."""

    def __init__(self, house: House, relays: Path, *, svscan: bool = True, **variables: str) -> None:
        self.place = house.root / "boards"
        self.place.mkdir()
        self.place.chmod(0o777)
        factory = {"GPIOZERO_PIN_FACTORY": "pimains-panel", "PIMAINS_HOUSE_PANEL": str(self.place)}
        own = {"RELAYS": str(relays), "TEXT": "", **factory, **variables}
        path = str(entry_points(house.root / "python"))
        self.instance: TestInstance = house.add("panel", pythonpath=path, svscan=svscan, **own)
        if svscan:
            until(lambda: self.instance.status not in ("", "starting"), what="the first word of panel")

    def hands(self, *lines: str) -> None:
        """Do something to the boards: see pimains.house.tm1638."""
        with (self.place / "hands").open("w") as hands:
            hands.write("".join(f"{line}\n" for line in lines))

    def shows(self, board: int = 1) -> str:
        """What a board shows."""
        return state.read(self.place / f"board{board}") or ""


class LinesPanel:
    """An instance of panel at lines of the kernel's, which gpiochip.c stands in for, with boards at STB 26 and 6."""

    _BOARD = struct.Struct("=BBB16s")
    _COUNTS = struct.Struct("=2I")
    _COUNTS_AT = 40

    def __init__(self, house: House, relays: Path, *, used: str = "", svscan: bool = True, **variables: str) -> None:
        library, boards = house.root / "gpiochip.so", house.root / "boards"
        subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", library, TOP / "tests/panel/gpiochip.c"], check=True)
        boards.write_bytes(bytes(mmap.PAGESIZE))
        boards.chmod(0o666)
        with boards.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 0)
        simulated = {
            "LD_PRELOAD": str(library),
            "GPIOCHIP_BOARDS": str(boards),
            "GPIOCHIP_PINS": "19 13 26 6",
            "GPIOCHIP_USED": used or "-1",
        }
        own = {"RELAYS": str(relays), "TEXT": "", **simulated, **variables}
        self.instance: TestInstance = house.add("panel", svscan=svscan, **own)

    def hold(self, *keys: int, board: int = 1) -> None:
        """These keys are down, and no others."""
        self._memory[(board - 1) * self._BOARD.size] = sum(1 << (key - 1) for key in keys)

    def cut(self, is_cut: bool, board: int = 1) -> None:
        """Its STB comes off, or is back."""
        self._memory[(board - 1) * self._BOARD.size + 1] = is_cut

    def registers(self, board: int = 1) -> list[int]:
        """Digits and LEDs of each place in turn."""
        return [*self._BOARD.unpack_from(self._memory, (board - 1) * self._BOARD.size)[3]]

    def control(self, board: int = 1) -> int:
        """The last display control command."""
        value: int = self._BOARD.unpack_from(self._memory, (board - 1) * self._BOARD.size)[2]
        return value

    def calls(self) -> int:
        """How often the lines were set or asked."""
        value: int = self._COUNTS.unpack_from(self._memory, self._COUNTS_AT)[0]
        return value

    def errors(self) -> int:
        """What the chips did not understand."""
        value: int = self._COUNTS.unpack_from(self._memory, self._COUNTS_AT)[1]
        return value
