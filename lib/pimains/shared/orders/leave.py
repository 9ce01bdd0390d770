"""The order to leave: fserver's to see off its clients, fclient's to leave its server, before this machine goes."""

from pathlib import Path
from typing import NamedTuple

from pimains.core.plan.text import short_line
from pimains.shared.orders.service_end import Orders


class Leave(NamedTuple):
    """To leave within so many seconds."""

    id: str
    seconds: float
    reason: str


class LeaveOrders(Orders):
    """Of a service that understands no other."""

    def __init__(self, run: Path) -> None:
        super().__init__(run, {"leave": "SECONDS REASON"})

    def leaves(self) -> list[Leave]:
        """The orders that have come; what is none is refused."""
        leaves = []
        for order in self.take():
            seconds, _, reason = order.rest.partition(" ")
            if seconds.isascii() and seconds.isdecimal():
                leaves.append(Leave(order.id, float(seconds), short_line(reason) or "no reason given"))
            else:
                self.answer(order.id, f"{seconds!r} is no number of seconds: leave SECONDS REASON", ok=False)
        return leaves
