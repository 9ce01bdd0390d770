"""Orders to a running service, one line each, through two FIFOs in /run/pimains/<instance>.

    ask     "ID ORDER"
    said    "ID ok TEXT" or "ID failed TEXT"

They work from a shell, too: that is how a halt step asks. Whoever may write there may give orders: root and group pimains.
"""

import os
import select
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

from pimains.core import state
from pimains.core.errors import PimainsError

_ANSWER_SECONDS = 10.0
_BYTES_MAX = 4096  # what a pipe takes in one piece (PIPE_BUF)


class Inbox:
    """The service's end: readable when something was asked, which is answered then or later."""

    def __init__(self, run: Path) -> None:
        self._paths = run / "ask", run / "said"
        self._asked, self._said = (_fifo(path) for path in self._paths)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for path in self._paths:
            state.remove(path)

    def fileno(self) -> int:
        """For poll."""
        return self._asked

    def asked(self) -> list[tuple[str, str]]:
        """The orders that have come, each after the id that its answer is to have."""
        try:
            lines = os.read(self._asked, _BYTES_MAX).decode("utf-8", "replace").splitlines()
        except BlockingIOError:
            return []
        return [(id_, order) for id_, _, order in (line.partition(" ") for line in lines)]

    def answer(self, id_: str, text: str, *, ok: bool = True) -> None:
        """Tell who asked how it went."""
        with suppress(BlockingIOError):  # nobody reads the answers
            os.write(self._said, f"{id_} {'ok' if ok else 'failed'} {text}\n".encode()[:_BYTES_MAX])


class Orders(Inbox):
    """One for orders that are soon done. `carry_out` gets one and returns what is answered; ValueError, OSError, sqlite3.Error say no."""

    def __init__(self, run: Path, carry_out: Callable[[str], str]) -> None:
        super().__init__(run)
        self._carry_out = carry_out

    def carry_out(self) -> None:
        """Do everything that was asked for, and say so."""
        for id_, order in self.asked():
            try:
                self.answer(id_, self._carry_out(order))
            except (ValueError, OSError, sqlite3.Error) as error:
                self.answer(id_, str(error), ok=False)


def _fifo(path: Path) -> int:
    state.remove(path)
    os.mkfifo(path, 0o660)
    path.chmod(0o660)
    return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)


def ask(run: Path, order: str, wait_seconds: float = _ANSWER_SECONDS) -> str:
    """Have the service whose /run/pimains/<instance> is `run` carry out an order; returns what it says.

    Raises PimainsError, FileNotFoundError when it is not running, PermissionError when that is not allowed.
    """
    id_ = str(os.getpid())
    answers = os.open(run / "said", os.O_RDWR | os.O_NONBLOCK)
    try:
        asked = os.open(run / "ask", os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(asked, f"{id_} {order}\n".encode())
        finally:
            os.close(asked)
        return _answer(answers, id_, wait_seconds)
    except TimeoutError:
        raise PimainsError(f"{run.name} did not answer within {wait_seconds:g} s (pimains status)") from None
    finally:
        os.close(answers)


def _answer(answers: int, id_: str, wait_seconds: float) -> str:
    begun, until = "", time.monotonic() + wait_seconds
    while select.select([answers], [], [], max(0.0, until - time.monotonic()))[0]:
        begun += os.read(answers, _BYTES_MAX).decode("utf-8", "replace")
        *lines, begun = begun.split("\n")
        for line in lines:
            said, _, rest = line.partition(" ")
            how, _, words = rest.partition(" ")
            if said == id_:
                if how != "ok":
                    raise PimainsError(words)
                return words
    raise TimeoutError
