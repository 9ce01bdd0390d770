"""How halt's step 20-shares and the services fserver and fclient talk: orders to leave go in at one FIFO, answers come out of another.

    /run/pimains/<instance>/leave  PID SECONDS REASON: before this machine goes, within so many seconds
    /run/pimains/<instance>/left   PID ok TEXT, or PID failed TEXT

Who asks repeats its order every second until it is answered, so that one is not lost that came while the service was restarted.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pimains.core import state
from pimains.core.plan.text import short_line

_MANY = 64 * 1024  # what a pipe holds


class Order(NamedTuple):
    """To leave within `seconds`; `asker` is repeated in the answer."""

    asker: str
    seconds: float
    reason: str


class LeaveOrders:
    """The service's end; readable when there is an order. Close it."""

    def __init__(self, run: Path) -> None:
        self._paths = run / "leave", run / "left"
        self._orders, self._answers = (_fifo(path) for path in self._paths)

    def fileno(self) -> int:
        """For poll."""
        return self._orders

    def take(self) -> Order | None:
        """The order that came last, if any did; never waits."""
        try:
            lines = os.read(self._orders, _MANY).decode("utf-8", "replace").splitlines()
        except BlockingIOError:
            return None
        orders = [order for line in lines if (order := _order(line))]
        return orders[-1] if orders else None

    def answer(self, order: Order, text: str, *, ok: bool) -> None:
        """Tell who asked how it went."""
        with suppress(BlockingIOError):
            os.read(self._answers, _MANY)  # answers that nobody waited for
        os.write(self._answers, f"{order.asker} {'ok' if ok else 'failed'} {short_line(text)}\n".encode())

    def close(self) -> None:
        """Nobody is answered any more."""
        for handle in (self._orders, self._answers):
            os.close(handle)
        for path in self._paths:
            state.remove(path)


def _fifo(path: Path) -> int:
    state.remove(path)
    os.mkfifo(path)
    path.chmod(0o660)
    return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)


def _order(line: str) -> Order | None:
    asker, limit, reason = (*line.split(" ", 2), "", "")[:3]
    if not (asker.isdecimal() and limit.isdecimal()):
        return None
    return Order(asker, float(limit), short_line(reason) or "no reason given")
