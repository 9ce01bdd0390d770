"""The cut after a halt: a plug is told of each halt that halt.d/80-plug announces, and that it is off where the machine stays up.

Who told it owns the countdown until it is called off: a plug that counts down for us while no halt is under way is told to leave the
power on, one that was restarted while one is under way is told again.
"""

import asyncio
import time
from contextlib import suppress

from pimains.core import state
from pimains.core.coroutine import readable
from pimains.core.errors import Away
from pimains.core.instance import Instance
from pimains.core.ledger import Reading
from pimains.core.plan.text import short_line
from pimains.plug.dead_man import DeadManSwitch
from pimains.plug.device import Plug
from pimains.plug.esphome import CONFIRM_SECONDS
from pimains.plug.halt_times import HaltTimes
from pimains.plug.plan import standing_halt
from pimains.plug.reporting import PlugReport
from pimains.shared import halt_request, plug_cuts
from pimains.shared.orders.service_end import Order, Orders

_LOOK_SECONDS = 20.0
_LOOK_AGAIN_SECONDS = 5.0  # while a countdown is ours


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
        self._is_to_stay = False  # told by the halt service, and the plug does not know it yet
        self._one_at_a_time = asyncio.Lock()

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
        with Orders(self._me.run, {"halt": "REASON", "rehearse": "REASON", "stay": "REASON"}) as orders:
            while True:
                await readable(orders)
                for order in orders.take():
                    async with self._one_at_a_time:
                        await self._answer(orders, order)

    async def mind_halts(self) -> None:
        """Whenever the halt service has begun or ended something, see to it that the plug does what is wanted now."""
        while True:
            try:
                watch = state.Watch(halt_request.directory())
            except OSError:  # no halt service was started since boot
                await asyncio.sleep(self._me.clock.real_seconds(_LOOK_SECONDS))
                continue
            try:
                while "." not in watch.changed():
                    await self.settle()
                    patience = _LOOK_AGAIN_SECONDS if self._times.has_begun() else None
                    await readable(watch, patience and self._me.clock.real_seconds(patience))
            finally:
                watch.close()

    async def settle(self) -> None:
        """Where the plug does not do what this machine's halt wants, tell it."""
        async with self._one_at_a_time:
            plug = self._plug
            if plug is None:
                return
            due = standing_halt.due(
                was_told=self._times.has_begun(),
                is_to_stay=self._is_to_stay,
                is_going_down=halt_request.is_going_down(),
                is_counting_down=plug.is_counting_down,
                is_powered=plug.value(plug.relay) is not False,
            )
            if due == standing_halt.CALL_OFF:
                self._report.say(f"{self._host} counts down though this machine is not being shut down: calling it off")
                await self._call_off("this machine is not being shut down")
            elif due == standing_halt.TELL_AGAIN:
                self._report.say(f"{self._host} does not count down any more: telling it again of the shutdown")
                await self._begin("told again of the shutdown under way")
            elif due == standing_halt.FORGET:
                self._has_been_called_off()

    async def is_removed(self) -> None:
        """This service will be no more: nobody could call off later what it has told."""
        if self._plug is not None and self._times.has_begun():
            await self._call_off("its plug service is removed")

    async def _answer(self, orders: Orders, order: Order) -> None:
        if order.word == "stay":
            self._is_to_stay = True
            is_done, line = await self._call_off(short_line(order.rest))
        elif order.word == "rehearse":
            is_done, line = self._rehearse()
        elif orders.is_awaited(order.id):
            self._is_to_stay = False
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
        self._times.begins()  # whether it confirms or not, it may count down from now on
        plug_cuts.leave_cut(self._me, self._me.clock.monotonic() + seconds)
        try:
            await self._plug.begin_countdown(seconds, CONFIRM_SECONDS - (time.monotonic() - began))
        except Away as away:
            return self._fail(f"{self._host}: {away}; this machine shuts down all the same, its power may stay on")
        self._dead_man.forget()
        plug_cuts.leave_cut(self._me, self._me.clock.monotonic() + seconds)
        line = f"{self._host} cuts the power in {seconds} s at the latest"
        self._me.status(line)
        self._report.say(line)
        return True, line

    def _rehearse(self) -> tuple[bool, str]:
        """What `_begin` would do now; the plug is told nothing."""
        if self._plug is None:
            return False, f"{self._host} is away: its power would stay on"
        if not self._plug.is_ours:
            return False, f"{self._host} cuts too early with its firmware: its power would stay on"
        return True, f"{self._host} would cut the power in {self._times.countdown_seconds()} s; it is not told, this is a rehearsal"

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
        self._has_been_called_off()
        self._report.show(self._plug, self._times.countdown_seconds())
        return True, f"{self._host} leaves the power on"

    def _has_been_called_off(self) -> None:
        self._is_to_stay = False
        self._times.does_not_begin()
        plug_cuts.no_cut(self._me)
