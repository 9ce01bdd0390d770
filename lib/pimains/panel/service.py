"""The service panel: services/panel/README.md says what it is for, this how it goes about it.

Files say how relays are, and it hears of them (relays_told.py). Keys can only be asked for: every 70 ms, so that no press of 80 ms is
missed. What is shown where and what a key does is decided in plan/; tm1638.py speaks with the boards, keyboard.py knows how they are.
"""

from contextlib import suppress
from datetime import datetime

from pimains.core import state
from pimains.core.plan.sentences import clock_was_set
from pimains.core.service import Instance, Naps, Readable, run, within
from pimains.core.troubles import Troubles
from pimains.panel import wires
from pimains.panel.keyboard import Keyboard
from pimains.panel.plan import face
from pimains.panel.plan.face import PLACES, Shown
from pimains.panel.plan.keys import SETTLE_SECONDS, Choices
from pimains.panel.relays_told import RelaysTold
from pimains.panel.settings import PanelSettings
from pimains.panel.tm1638 import Board, Wires
from pimains.shared.gpio.pin import GpioError

KEYS_SECONDS = 0.07  # and 4.7 ms in which the chip looks itself
_SILENT_SECONDS = 0.5
_SHOW_SECONDS = 1.0  # at least so often it is asked what is to be shown
_WITHOUT_PINS_SECONDS = 60.0


def show(me: Instance, settings: PanelSettings) -> Naps:
    """Show relays on the boards and step their modes by the keys, until told to stop."""
    edits = state.Watch(me.directory / "variables")
    panel = Panel(me, settings)
    try:
        while True:
            try:
                panel.begin()
                ready: tuple[Readable, ...] = ()
                while True:
                    panel.attend(ready)
                    ready = yield within(panel.seconds_to_wait(), *panel.told.files)
            except GpioError as error:
                panel.go_without_pins(error)
            if (yield within(_WITHOUT_PINS_SECONDS, edits)):
                return
    finally:
        panel.close()
        edits.close()


class Panel:
    """All boards, and what is chosen by their keys."""

    def __init__(self, me: Instance, settings: PanelSettings) -> None:
        self.me = me
        self._settings = settings
        self._places = settings.places
        self.told = RelaysTold(settings.RELAYS, filter(None, self._places))
        self._choices = Choices()
        self._troubles = Troubles(me.complain, print)
        self._wires: Wires | None = None
        self._boards: list[Keyboard] = []
        self._keys_at = self._show_at = self._turns_since = me.clock.monotonic()
        self._pause = KEYS_SECONDS
        self._stands = ""

    def begin(self) -> None:
        """Take the pins. Raises GpioError."""
        given = self._settings
        self._wires = wires.take(given.DIO, given.CLK, given.STBS, f"pimains {self.me.name}", self.me.run)
        self._troubles.look("pins", "")
        self._boards = [
            Keyboard(Board(self._wires, number), f"board {number + 1} at DIO {given.DIO}, CLK {given.CLK}, STB {stb}")
            for number, stb in enumerate(given.STBS)
        ]
        self._keys_at = self._show_at = self.me.clock.monotonic()
        self._pause, self._stands = KEYS_SECONDS, ""

    def seconds_to_wait(self) -> float:
        """Until the keys are looked at again."""
        return max(0.0, self._keys_at - self.me.clock.monotonic())

    def attend(self, ready: tuple[Readable, ...]) -> None:
        """Hear what is told, look at the keys when that is due, say and show what there is to. Raises GpioError."""
        now = self.me.clock.monotonic()
        if (ready or now >= self.told.look_at) and (relays := self.told.hear(now)):
            self._look_whether_somebody_else_chose(relays, now)
            self._show_at = now
        if now >= self._keys_at:
            self._look_at_keys(now)
        if self._choices.due_at is not None and now >= self._choices.due_at:
            self._say(now)
        if now >= self._show_at:
            self._show(now)
            self._tell()

    def go_without_pins(self, error: GpioError) -> None:
        """Say why nothing is shown; what keys have chosen that nobody sees any more is dropped."""
        self._leave_pins()
        self._choices = Choices()
        setting = self._settings.name_of(error.number) if error.number is not None else ""
        line = f"{self._settings.directory}/{setting}: {error}" if setting else str(error)
        self._troubles.look("pins", line)
        self.me.status(line, well=False)

    def close(self) -> None:
        """Leave the boards dark: what they show would not be true any more, and who pressed a key cannot see what would become of it."""
        for relay in self._choices.relays:
            print(f"relay {relay}: what its key has chosen is dropped: this service ends")
        with suppress(GpioError):
            for board in self._boards:
                board.turn_off()
        self._leave_pins()
        self.told.close()

    def _leave_pins(self) -> None:
        self._boards = []
        if self._wires:
            self._wires.close()
            self._wires = None

    def _look_at_keys(self, now: float) -> None:
        for number, board in enumerate(self._boards):
            before = board.answers, board.trouble
            for key in board.pressed(now):
                self._press(self._places[number * PLACES + key - 1], now)
            if (board.answers, board.trouble) != before:
                self._troubles.look(f"board {number + 1}", board.trouble)
                self._show_at = now
                self._pause = KEYS_SECONDS if any(each.answers for each in self._boards) else _SILENT_SECONDS
        self._keys_at = max(self._keys_at, now - KEYS_SECONDS) + self._pause

    def _press(self, relay: str, now: float) -> None:
        shown = self.told.shown.get(relay)
        mode = shown and self._choices.mode(relay, shown.mode, now)
        if mode is None:  # there is no relay at this key, or nobody knows how it is
            return
        self._choices.step(relay, mode, self.told.said(relay), now)
        self._turns_since = now  # modes are shown now, whoever's turn it was
        self._show_at = now

    def _look_whether_somebody_else_chose(self, relays: set[str], now: float) -> None:
        for relay in relays & {*self._choices.relays}:
            shown = self.told.shown.get(relay)
            if self._choices.look(relay, shown and shown.mode, self.told.said(relay), now):
                print(f"relay {relay} has another mode meanwhile: what its key has chosen is dropped")

    def _say(self, now: float) -> None:
        self._look_whether_somebody_else_chose({*self._choices.relays}, now)
        for relay, mode in self._choices.take(now).items():
            try:
                self.told.say(relay, mode)
                print(f"relay {relay}: {mode}, by its key")
            except OSError as error:  # no trouble that lasts: what was chosen is dropped, and nobody may press that key again
                self.me.complain(f"relay {relay} is not told {mode}: {error.strerror or error}")
        self._show_at = now

    def _show(self, now: float) -> None:
        chosen, due_at = self._choices.relays, self._choices.due_at
        since_press = 0.0 if due_at is None else now - (due_at - SETTLE_SECONDS)
        shown = {relay: told._replace(mode=self._choices.mode(relay, told.mode, now)) for relay, told in self.told.shown.items()}
        brightness = self._brightness()
        waits = [_SHOW_SECONDS]
        for number, board in enumerate(self._boards):
            places = self._places[number * PLACES : (number + 1) * PLACES]
            its_face, seconds = self._face(places, shown, now)
            if {*chosen} & {*places}:
                its_face = face.blinking(its_face, since_press)
                seconds = face.seconds_to_blink(since_press)
            board.show(its_face, brightness, now)
            waits.append(seconds)
        self._show_at = now + min(waits)

    def _face(self, places: list[str], shown: dict[str, Shown], now: float) -> tuple[face.Face, float]:
        turn = face.turn([place if place in shown else None for place in places], self._settings.TEXT, now - self._turns_since)
        return face.face(places, shown, self._settings.TEXT, turn.place), turn.seconds

    def _brightness(self) -> int:
        wall = self.me.clock.wall()
        if not clock_was_set(wall):
            return self._settings.BRIGHTNESS.at(None)
        when = datetime.fromtimestamp(wall)
        return self._settings.BRIGHTNESS.at(when.hour * 60 + when.minute)

    def _tell(self) -> None:
        troubles = [self.told.trouble, *self._troubles.now()]
        there = ", ".join(relay for relay in self._places if relay in self.told.shown)
        count = len(self._boards)
        how = f"{f'relays {there}' if there else 'no relay yet'} on {'a board' if count == 1 else f'{count} boards'}"
        line = "; ".join(filter(None, (how, *troubles)))
        if line != self._stands:
            self._stands = line
            self.me.status(line, well=not any(troubles))


if __name__ == "__main__":
    run(show, PanelSettings, nice=-10)  # who is late misses a press
