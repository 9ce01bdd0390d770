"""The cut after a halt: a plug is told of each halt that halt.d/80-plug announces, and that it is off where the machine stays up."""

import asyncio
import time
from contextlib import suppress

from pimains.core.coroutine import readable
from pimains.core.errors import Away
from pimains.core.instance import Instance
from pimains.core.ledger import Reading
from pimains.core.plan.text import short_line
from pimains.plug.dead_man import DeadManSwitch
from pimains.plug.device import Plug
from pimains.plug.esphome import CONFIRM_SECONDS
from pimains.plug.halt_times import HaltTimes
from pimains.plug.reporting import PlugReport
from pimains.shared.orders.service_end import Order, Orders


class PlugCut:
    """Of the plug at `host`; whoever holds the connection tells when there is one."""

    def __init__(self, me: Instance, host: str, times: HaltTimes, dead_man: DeadManSwitch, report: PlugReport) -> None:
        self.asked_because: dict[str, dict[str, Reading]] = {}  # the inputs for a reason that this service gave itself
        self.is_away = False
        self._me = me
        self._host = host
        self._times = times
        self._dead_man = dead_man
        self._report = report
        self._plug: Plug | None = None
        self._is_connected = asyncio.Event()

    def connected(self, plug: Plug) -> None:
        """It can be told."""
        self._plug = plug
        self.is_away = False
        self._is_connected.set()

    def disconnected(self) -> None:
        """It cannot."""
        self._plug = None
        self._is_connected.clear()

    async def answer_halts(self) -> None:
        """Have the plug cut the power after each halt that is announced."""
        with Orders(self._me.run, {"halt": "REASON", "stay": "REASON"}) as orders:
            while True:
                await readable(orders)
                for order in orders.take():
                    await self._answer(orders, order)

    async def _answer(self, orders: Orders, order: Order) -> None:
        if order.word == "stay":
            is_done, line = await self._call_off(short_line(order.rest))
        elif orders.is_awaited(order.id):
            is_done, line = await self._begin(short_line(order.rest))
        else:
            is_done, line = False, "nobody waits for the answer any more: it was told that the power of its plug stays as it is"
        orders.answer(order.id, line, ok=is_done)

    async def _begin(self, reason: str) -> tuple[bool, str]:
        """Whether the plug has confirmed it, and what to tell people."""
        began = time.monotonic()
        if not self.is_away:
            # a service that was just restarted
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_connected.wait(), CONFIRM_SECONDS - 1)
        if self._plug is None:
            return self._fail(f"{self._host} is away: its power stays on")
        if not self._plug.is_ours:
            return self._fail(f"{self._host} cuts too early with its firmware, so it is not told: its power stays on")
        seconds = self._times.countdown_seconds()
        confirmed = "yes" if self._plug.confirmed_countdown == seconds else "no"
        inputs = {**self.asked_because.get(reason, {}), "countdown confirmed before": Reading(confirmed)}
        self._report.note(f"cut the power in {seconds} s", reason, inputs)
        try:
            await self._plug.begin_countdown(seconds, CONFIRM_SECONDS - (time.monotonic() - began))
        except Away as away:
            return self._fail(f"{self._host}: {away}; this machine shuts down all the same, its power may stay on")
        self._dead_man.forget()
        self._times.begins()
        line = f"{self._host} cuts the power in {seconds} s at the latest"
        self._me.status(line)
        self._report.say(line)
        return True, line

    def _fail(self, line: str) -> tuple[bool, str]:
        """This machine shuts down all the same."""
        self._dead_man.forget()
        self._report.fail(line)
        return False, line

    async def _call_off(self, reason: str) -> tuple[bool, str]:
        """The shutdown did not happen: whether the plug knows, and what to tell people."""
        self._report.note("leave the power on", reason, {})
        try:
            if self._plug is None:
                raise Away("it is away")
            await self._plug.end_countdown()
            if self._plug.dead_man is not None:
                await self._dead_man.arm(self._plug)
        except Away as away:
            self._report.fail(f"{self._host} cannot be told that this machine stays up and may cut its power: {away}")
            return False, f"{self._host}: {away}"
        self._times.does_not_begin()
        self._report.show(self._plug, self._times.countdown_seconds())
        return True, f"{self._host} leaves the power on"
