"""What is known of a port and its device since it was opened."""

from pathlib import Path

from pimains.vedirect.plan.belief import Belief
from pimains.vedirect.plan.framing import Framing
from pimains.vedirect.plan.identity import Introduction

_LINE_SECONDS = 60.0
_DAMAGED_BLOCKS = 10
_DAMAGED_SHARE = 0.2


class Connection:
    """What is known since the port was opened."""

    def __init__(self) -> None:
        self.framing = Framing()
        self.belief = Belief()
        self.introduction = Introduction()
        self.line = Line()
        self.has_spoken = False
        self._before = (0, 0)

    def heard_nothing_of(self) -> None:
        """A block was believed: what came before it explains no silence."""
        self.has_spoken = False
        self._before = (self.framing.damaged, self.framing.good)

    def why_nothing(self, path: Path) -> str:
        """Why there is nothing that can be believed, in the words of who has to look after it."""
        damaged, good = (count - before for count, before in zip((self.framing.damaged, self.framing.good), self._before, strict=True))
        if not self.has_spoken:
            return f"{path}: the device is silent: has it power, and is the cable in its VE.Direct socket?"
        if good:
            return f"{path}: what the device says changes so much from block to block that it is not believed"
        if damaged:
            return f"{path}: every block arrives damaged: look at the cable"
        return f"{path}: what comes is no VE.Direct"


class Line:
    """How many blocks arrive damaged, minute by minute."""

    def __init__(self) -> None:
        self.trouble = ""
        self._began: float | None = None
        self._before = (0, 0)

    def look(self, now: float, framing: Framing) -> None:
        """Once in a while."""
        if self._began is not None and now - self._began < _LINE_SECONDS:
            return
        counts = (framing.damaged, framing.good)
        damaged, good = (count - before for count, before in zip(counts, self._before, strict=True))
        is_bad = damaged >= _DAMAGED_BLOCKS and damaged >= _DAMAGED_SHARE * (damaged + good)
        self.trouble = "many blocks arrive damaged: look at the cable" if is_bad and good else ""
        self._began, self._before = now, counts
