"""A pin factory of gpiozero's whose pins are moved from outside: GPIOZERO_PIN_FACTORY=pimains-house.

PIMAINS_HOUSE_PINS names a FIFO, which is made when it is not there, or a directory with one for each service whose pins are moved, by its
name; a line moves a pin, each after the other:

    24 low
    24 high
    24 pulses 100 0.03 0.0325 0.002   a hundred times low for 30 ms, high for 32.5 ms, each edge with 2 ms of bounces
    wait 1.5                          seconds
    kill                              ends the process as kill -9 does, between one edge and the next

PIMAINS_HOUSE_OUTPUTS names a file, to which is added what becomes of each output: its number, its level, and when (CLOCK_BOOTTIME):

    17 high 1234.567890
    17 input 1240.000000              nobody drives it any more
"""

import os
import signal
import threading
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

from gpiozero.pins.mock import MockFactory, MockPin

_BOUNCE_SECONDS = 0.0004


class HousePin(MockPin):  # type: ignore[misc]  # gpiozero has no types
    """A pin whose edges are stamped with when they were to come, as the kernel stamps them, however late we hear of them.

    As an output it tells what it does; it has its first level when it becomes one.
    """

    stamp: float | None = None

    def output_with_state(self, state: int) -> None:
        """Direction and level in one."""
        self._function, self._state = "output", bool(state)
        self._tell()

    def _set_function(self, value: str) -> None:
        was_output = self._function == "output"
        super()._set_function(value)
        if was_output and value != "output":
            self._tell("input")

    def _change_state(self, value: bool) -> bool:
        has_changed = bool(super()._change_state(value))
        if has_changed and self._function == "output":
            self._tell()
        return has_changed

    def _tell(self, what: str = "") -> None:
        if path := os.environ.get("PIMAINS_HOUSE_OUTPUTS"):
            now = time.clock_gettime(time.CLOCK_BOOTTIME)
            with Path(path).open("a") as told:
                told.write(f"{self.number} {what or ('high' if self._state else 'low')} {now:.6f}\n")

    def _call_when_changed(self, ticks: float | None = None, state: int | None = None) -> None:
        super()._call_when_changed(self.stamp if ticks is None else ticks, state)


class HouseFactory(MockFactory):  # type: ignore[misc]  # gpiozero has no types
    """gpiozero's own mock factory, with a thread that moves the pins."""

    def __init__(self) -> None:
        super().__init__(pin_class=HousePin)
        self._begun = False
        self._commands = -1
        path = _fifo()
        if path is None:  # outputs need nobody to move them
            self._begun = True
            return
        self._commands = commands(path)

    def pin(self, spec: Any, pin_class: Any = None) -> Any:
        """The pin; from now on it may be moved. `house:3` is line 3 of an expander, which has the number 103."""
        if isinstance(spec, str) and spec.startswith("house:"):
            return self._of_expander(100 + int(spec.partition(":")[2]))
        pin = super().pin(spec, pin_class)
        if not self._begun:
            self._begun = True
            threading.Thread(target=self._live, daemon=True).start()
        return pin

    def _of_expander(self, number: int) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the header of a Raspberry Pi has no such pin
            return self.pins.setdefault(number, self.pins.get(number) or HousePin(self, number))

    def _live(self) -> None:
        while True:
            words = next_command(self._commands)
            if words == ["kill"]:
                os.kill(os.getpid(), signal.SIGKILL)
            elif words[:1] == ["wait"]:
                time.sleep(float(words[1]))
            elif words[1:2] == ["pulses"]:
                _pulse(self._watched(words[0]), int(words[2]), *map(float, words[3:]))
            elif words:
                _move(self._watched(words[0]), words[1] == "high")

    def _watched(self, number: str) -> Any:
        """The pin, once somebody hears its edges."""
        while self.pins[int(number)].when_changed is None:
            time.sleep(0.002)
        return self.pins[int(number)]


def commands(path: Path) -> int:
    """The FIFO, made if it is not there, through which somebody moves what is simulated."""
    with suppress(FileExistsError):
        os.mkfifo(path, 0o660)
    # open for writing, too: what was not read yet waits for us, whoever else comes and goes
    return os.open(path, os.O_RDWR | os.O_CLOEXEC)


def next_command(fifo: int) -> list[str]:
    """The words of one line, and not a byte more: what follows is there for whoever comes after us."""
    line = b""
    while not line.endswith(b"\n"):
        line += os.read(fifo, 1)
    return line.decode("ascii", "replace").split()


def _fifo() -> Path | None:
    """Where it is told what to move; None: nothing."""
    if "PIMAINS_HOUSE_PINS" not in os.environ:
        return None
    path = Path(os.environ["PIMAINS_HOUSE_PINS"])
    if not path.is_dir():
        return path
    own = path / Path.cwd().name
    return own if own.exists() else None


def _pulse(pin: Any, times: int, low: float = 0.0, high: float = 0.0, bounces: float = 0.0) -> None:
    due = time.monotonic()
    for _ in range(times):
        for level, lasts in ((False, low), (True, high)):
            if lasts:
                time.sleep(max(0.0, due - time.monotonic()))
                pin.stamp = due
            for number in range(int(bounces / _BOUNCE_SECONDS)):
                _move(pin, level == (number % 2 == 0))
                pin.stamp = due + (number + 1) * _BOUNCE_SECONDS
            _move(pin, level)
            due += lasts
    time.sleep(max(0.0, due - time.monotonic()) if high else 0.0)
    pin.stamp = None


def _move(pin: Any, level: bool) -> None:
    if level:
        pin.drive_high()
    else:
        pin.drive_low()
        pin.clear_states()  # it keeps every change, for tests of gpiozero's own
