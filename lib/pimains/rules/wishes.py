"""What rules say, as relays wants to hear it: /run/pimains/relays/<n>.wish, written anew before it counts as lost."""

from pathlib import Path

from pimains.rules.plan.given import KEEP, OFF, ON, Answer
from pimains.shared.relays import said
from pimains.shared.relays.said import LOST, WISH

_KEPT_WHY = "its rule keeps it as it is"


class Wishes:
    """Those in this directory. What it writes raises OSError."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def say(self, number: int, answer: Answer, *, is_on: bool) -> None:
        """The rule of this relay, which `is_on` now or not, has answered."""
        if answer.word != KEEP:
            self._write(number, f"{answer.word} {answer.reason}")
            return
        before = said.read(self._path(number))
        is_wish = before is not None and before.text.partition(" ")[0] in (ON, OFF)
        self._write(number, before.text if before and is_wish else f"{ON if is_on else OFF} {answer.reason or _KEPT_WHY}")

    def lose(self, number: int, why: str) -> None:
        """Its rule is lost, and its ON_LOST decides."""
        self._write(number, f"{LOST} {why}")

    def forget(self, number: int) -> None:
        """It has no rule any more."""
        self._write(number, "")

    def _write(self, number: int, text: str) -> None:
        said.write(self._path(number), text)

    def _path(self, number: int) -> Path:
        return self._directory / f"{number}.{WISH}"
