"""The plug of another machine (FEEDS another): it is switched when that is ordered, and what becomes of this machine is nothing to it."""

import asyncio

from pimains.core.coroutine import readable
from pimains.core.errors import Away
from pimains.core.instance import Instance
from pimains.core.plan.text import short_line
from pimains.plug.device import Plug
from pimains.plug.reporting import PlugReport
from pimains.shared import plug_cuts, plug_switch
from pimains.shared.orders.service_end import Order, Orders

_CONNECT_SECONDS = 4.0  # a service that was just restarted


class PlugSwitching:
    """Of the plug at `host`; whoever holds the connection tells when there is one."""

    def __init__(self, me: Instance, host: str, report: PlugReport) -> None:
        self._me = me
        self._host = host
        self._report = report
        self._plug: Plug | None = None
        self._is_connected = asyncio.Event()
        if plug_cuts.may_be_armed(me):  # from when it was this machine's
            plug_cuts.disarm(me)

    async def attend(self, plug: Plug) -> None:
        """Follow what the plug tells; ends with Away."""
        try:
            self._plug = plug
            self._is_connected.set()
            self._report.say(f"connected to {self._host} ({plug.name}), the plug of another machine")
            self._report.show_switched(plug)
            while True:
                entity, value = await plug.device.heard()
                if entity == plug.power:
                    self._report.show_power(value)
                elif entity in (plug.relay, plug.delay, plug.real_delay):
                    self._report.show_switched(plug)
        finally:
            self._plug = None
            self._is_connected.clear()
            await plug.close()

    async def answer_orders(self) -> None:
        """Switch it, and tell how it is."""
        with Orders(self._me.run, plug_switch.WORDS) as orders:
            while True:
                await readable(orders)
                for order in orders.take():
                    if orders.is_awaited(order.id):
                        is_done, line = await self._answer(order)
                        orders.answer(order.id, line, ok=is_done)

    async def _answer(self, order: Order) -> tuple[bool, str]:
        """Whether it is so now, and what to tell."""
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await self._is_connected.wait()
        except TimeoutError:
            return False, f"{self._host} is away"
        plug = self._plug
        if plug is None:
            return False, f"{self._host} is away"
        if order.word == plug_switch.POWER:
            return True, "off" if plug.value(plug.relay if plug.relay is not None else plug.delay) is False else "on"
        self._report.note(f"switch {order.word}", short_line(order.rest), {})
        try:
            await plug.switch(order.word == plug_switch.ON)
        except Away as away:
            return False, f"{self._host}: {away}"
        self._report.say(f"{self._host} is switched {order.word}: {short_line(order.rest)}")
        return True, f"{self._host} is switched {order.word}"
