"""Who asks an ups service: halt's steps 40 and 85, and a person who cancels.

They are answered at once, when halt was asked, or when this machine is logged out.
"""

from collections.abc import Callable, Iterator, Sequence

from pimains.core import state
from pimains.core.instance import Instance
from pimains.shared.orders.service_end import Order, Orders
from pimains.ups.plan.cancelling import Answer
from pimains.ups.plan.outage import Act, Event
from pimains.ups.watched import Watched

_WORDS = {"outage-halt": "REASON", "outage-last": "REASON", "outage-stay": "REASON", "outage-rehearse": "REASON", "outage-cancel": "WHO"}
_EVENTS = {"outage-halt": Event.STEP_40, "outage-last": Event.STEP_85, "outage-stay": Event.CALLED_OFF, "outage-cancel": Event.CANCELLED}
_ANSWERS = {Act.NOTHING_TO_DO: "nothing to do", Act.GO_ON: "go on"}
_LOGOUT_SECONDS = 2.0
_CUT_WAIT_AFTER_OFFDELAY = 60.0
_CUT_WAIT_UNKNOWN = 300.0


class OutageOrders:
    """Of one instance; readable when one asks."""

    def __init__(self, me: Instance, orders: Orders | None = None) -> None:
        self._orders = orders or Orders(me.run, _WORDS)
        self._later: list[str] = []  # those that are answered when halt was asked
        self._last: dict[str, tuple[float, str]] = {}  # those that are answered when this machine is logged out

    def fileno(self) -> int:
        """For poll."""
        return self._orders.fileno()

    def close(self) -> None:
        """None is answered any more."""
        self._orders.close()

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits for his answer."""
        return bool(self._later or self._last)

    def take(self, under_way: Callable[[], str]) -> Iterator[tuple[Order, Event]]:
        """Who asks, and the event that it is; in a rehearsal nothing is decided, and what is `under_way` is told."""
        for order in self._orders.take():
            if order.word == "outage-rehearse":
                self._orders.answer(order.id, under_way() or "nothing would be cut")
            else:
                yield order, _EVENTS[order.word]

    def answer_cancel(self, order: Order, answer: Answer) -> None:
        """What the person reads."""
        self._orders.answer(order.id, answer.text, ok=answer.is_ok)

    def answer(self, order: Order, acts: Sequence[Act], flag: Callable[[], str], now: float) -> None:
        """A step, by what was decided, now or later; `flag` is cut_order's."""
        if Act.GO_ON_LATER in acts:
            self._later.append(order.id)
        elif order.word == "outage-last":
            self._last[order.id] = now + _LOGOUT_SECONDS, flag() if Act.FLAG in acts else "nothing to cut"
        else:
            self._orders.answer(order.id, next((_ANSWERS[act] for act in acts if act in _ANSWERS), "goes on as before"))

    def answer_who_waits(self, now: float, *, is_asked: bool, is_logged_out: bool) -> None:
        """`is_asked`: halt was, or need not be any more."""
        if is_asked:
            for id_ in self._later:
                self._orders.answer(id_, "go on")
            self._later = []
        for id_, (until, text) in [*self._last.items()]:
            if now >= until or is_logged_out:
                self._orders.answer(id_, text)
                del self._last[id_]


def cut_order(upses: Sequence[Watched], cut_wait: float | None) -> str:
    """cut SECONDS UPS...: what step 85 writes down for the last act; CUT_WAIT_SECONDS is `cut_wait`."""
    return " ".join([f"cut {cut_wait or cut_wait_seconds(upses):.0f}", *(each.ups.name for each in upses)])


def cut_wait_seconds(upses: Sequence[Watched]) -> float:
    """From the order to cut until they have, if they do."""
    known = [delay for each in upses if (delay := off_delay_seconds(each)) is not None]
    return max(known) + _CUT_WAIT_AFTER_OFFDELAY if len(known) == len(upses) else _CUT_WAIT_UNKNOWN


def off_delay_seconds(ups: Watched) -> float | None:
    """From the order to cut its output until it does, as far as that is known."""
    delay = state.number(ups.variables.get("ups.delay.shutdown"))
    return delay if delay is not None and 0 <= delay <= 3600 else None
