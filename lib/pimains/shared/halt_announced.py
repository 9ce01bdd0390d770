"""How the step halt.d/80-plug and a plug service talk: the halt is announced in a file, the answer comes out of a FIFO.

/run/pimains/<instance>/halting   written by the step: its process id, `halt` or `stay`, and the reason
/run/pimains/<instance>/answer    the FIFO: that process id, `ok` or `failed`, a sentence
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pimains.core import state
from pimains.core.plan.text import short_line


class Announcement(NamedTuple):
    """This machine is about to be off; called off: it stays on after all."""

    asked_by: str
    is_called_off: bool
    reason: str


class Announcements:
    """The service's end; readable when there may be an announcement. Close it."""

    def __init__(self, run: Path) -> None:
        self._halting = run / "halting"
        self._answer = run / "answer"
        with suppress(FileExistsError):
            os.mkfifo(self._answer)
        self._answer.chmod(0o660)
        self._watch = state.Watch(run)
        self._pipe = os.open(self._answer, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def fileno(self) -> int:
        """For poll."""
        return self._watch.fileno()

    def read(self) -> Announcement | None:
        """The one that waits for an answer."""
        self._watch.changed()
        announced = state.read(self._halting)
        if not announced:
            return None
        asked_by, what, reason = (*announced.split(" ", 2), "", "")[:3]
        return Announcement(asked_by, what == "stay", short_line(reason))

    def answer(self, announcement: Announcement, said: str) -> None:
        """`said` begins with `ok` or `failed`."""
        with suppress(BlockingIOError):
            os.read(self._pipe, 65536)  # an answer that nobody waited for
        os.write(self._pipe, f"{announcement.asked_by} {said}\n".encode())
        state.remove(self._halting)

    def close(self) -> None:
        """Nobody is answered any more."""
        os.close(self._pipe)
        state.remove(self._answer)
