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


class Orders:
    """The service's end. `carry_out` gets an order and returns what is answered; ValueError, OSError and sqlite3.Error say no."""

    def __init__(self, run: Path, carry_out: Callable[[str], str]) -> None:
        self._carry_out = carry_out
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

    def carry_out(self) -> None:
        """Do everything that was asked for, and say so."""
        try:
            lines = os.read(self._asked, _BYTES_MAX).decode("utf-8", "replace").splitlines()
        except BlockingIOError:
            return
        for line in lines:
            id_, _, order = line.partition(" ")
            try:
                answer = f"{id_} ok {self._carry_out(order)}\n"
            except (ValueError, OSError, sqlite3.Error) as error:
                answer = f"{id_} failed {error}\n"
            with suppress(BlockingIOError):  # nobody reads the answers
                os.write(self._said, answer.encode()[:_BYTES_MAX])


def _fifo(path: Path) -> int:
    state.remove(path)
    os.mkfifo(path, 0o660)
    path.chmod(0o660)
    return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)


def ask(run: Path, order: str) -> str:
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
        return _answer(answers, id_)
    except TimeoutError:
        raise PimainsError(f"{run.name} did not answer within {_ANSWER_SECONDS:g} s (pimains status)") from None
    finally:
        os.close(answers)


def _answer(answers: int, id_: str) -> str:
    begun, until = "", time.monotonic() + _ANSWER_SECONDS
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
