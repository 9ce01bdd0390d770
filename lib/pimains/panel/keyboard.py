"""A board as long as it answers: which of its keys were pressed, what it shows, and since when it is silent."""

from pimains.panel.plan.face import Face
from pimains.panel.plan.keys import Presses
from pimains.panel.tm1638 import Board, Silent

_SILENT_SECONDS = 0.5  # what disturbs a wire for a moment is no trouble
_STEADY_SECONDS = 2.0  # a loose contact is one trouble, not many
_SHOW_AGAIN_SECONDS = 5.0  # a board may lose what it shows, and never says so


class Keyboard:
    """A board; `title` is what people are told of where it hangs."""

    def __init__(self, board: Board, title: str) -> None:
        self._board = board
        self._title = title
        self._presses = Presses()
        self._silent_since: float | None = None
        self._answers_since = 0.0
        self._shown: tuple[Face, int] | None = None
        self._show_again_at = 0.0
        self.answers = True
        self.trouble = ""

    def pressed(self, now: float) -> list[int]:
        """The keys, 1-8, that were pressed since it was last asked. Raises GpioError."""
        try:
            down = self._board.keys()
        except Silent as silent:
            if self._silent_since is None:
                self._silent_since = now
            if now - self._silent_since >= _SILENT_SECONDS:
                self.answers, self.trouble = False, f"{self._title}: {silent}"
                self._presses.forget()
                self._shown = None
            return []
        if not self.answers:
            self.answers, self._answers_since = True, now
        elif self.trouble and now - self._answers_since >= _STEADY_SECONDS:
            self.trouble = ""
        self._silent_since = None
        return self._presses.feed(down, now)

    def show(self, face: Face, brightness: int, now: float) -> None:
        """Have it show that, if it does not, and from time to time all the same. Raises GpioError."""
        if not self.answers or (self._shown == (face, brightness) and now < self._show_again_at):
            return
        self._board.show(face, brightness)
        self._shown, self._show_again_at = (face, brightness), now + _SHOW_AGAIN_SECONDS

    def turn_off(self) -> None:
        """Nothing is lit any more. Raises GpioError."""
        self._board.turn_off()
