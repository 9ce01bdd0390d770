"""The plug's dead-man switch: armed, fed with heartbeats, disarmed, and the machine halted before it cuts."""

import asyncio
import math
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from pimains.core import scan_directory
from pimains.core.errors import Away, PimainsError
from pimains.core.instance import Instance
from pimains.plug.halt_times import HaltTimes
from pimains.plug.plan import dead_man
from pimains.shared import plug_cuts

if TYPE_CHECKING:
    from pimains.plug.device import Plug

HEARTBEAT_SECONDS = 20.0
_STARTING_SECONDS = 10.0
_GOODBYE_SECONDS = 2.0


class DeadManSwitch:
    """As it is wanted, of the plug at `host`; `wanted_seconds` is None where it has to be off.

    What others have to know about it is in files (pimains.shared.plug_cuts).
    """

    def __init__(self, me: Instance, host: str, wanted_seconds: int | None, times: HaltTimes, say: Callable[[str], None]) -> None:
        self._me = me
        if damage := plug_cuts.damage(me):
            me.complain(damage)
        self._host = host
        self._wanted_seconds = wanted_seconds
        self._times = times
        self._say = say
        self._has_told_of_upgrades = False
        self._heard_at = 0.0  # the file is for others, and for this service when it was restarted
        self._has_been_heard = False
        self._never_proves: list[str] | None = None  # the entities of the firmware that left every heartbeat without a proof

    async def arm(self, plug: "Plug") -> None:
        """Switch it on or off, as wanted; before it is on, we know that it is."""
        seconds = 0
        if self._wanted_seconds is not None:
            seconds = self._seconds_for(self._wanted_seconds)
            await self._beat(plug)
            if not plug_cuts.arm(self._me, seconds):
                seconds = 0  # after a restart nobody would know that there is something to mind
        await plug.set_dead_man(seconds)
        if not seconds:
            self.forget()

    def _seconds_for(self, wanted: int) -> int:
        """What the plug is told, and a line where that is not as wanted."""
        measured, upgrade = self._times.measured_seconds(), self._times.upgrade_seconds()
        seconds = dead_man.seconds_for(wanted, measured)
        if seconds > wanted:
            self._say(f"DEAD_MAN_SECONDS {wanted} is too short for a shutdown that may take {measured:.0f} s: the plug is told {seconds}")
        room = dead_man.seconds_for_an_upgrade(seconds, self._times.longest_seconds())
        if max(0.0, room) < upgrade and not self._has_told_of_upgrades and self._is_upgraded():
            self._has_told_of_upgrades = True
            here, halt = self._me.directory / "variables", self._me.directory.parent / "halt/variables"
            self._me.complain(
                f"{here}/DEAD_MAN_SECONDS: {seconds} leaves a halt {max(0.0, room):.0f} s to wait for an upgrade, "
                f"and not the {upgrade:.0f} s of {halt}/UPGRADE_SECONDS_MAX; {math.ceil(seconds + upgrade - room)} would"
            )
        return seconds

    def _is_upgraded(self) -> bool:
        """Whether this machine has an update service, which alone begins what a halt waits for."""
        try:
            return any(instance.service == "update" for instance in scan_directory.found(self._me.directory.parent))
        except PimainsError:
            return False

    async def disarm(self, plug: "Plug") -> None:
        """Nobody will send heartbeats any more: that is no reason to cut the power."""
        if not plug_cuts.may_be_armed(self._me):
            return
        try:
            await plug.set_dead_man(0, _GOODBYE_SECONDS)
            self.forget()
        except Away as away:
            self._me.complain(f"the dead-man switch of {self._host} is still on: {away}")

    def forget(self) -> None:
        """There is nothing to mind: it is off, or this machine goes down anyway."""
        plug_cuts.disarm(self._me)

    async def keep_heart_beating(self, plug: "Plug") -> None:
        """Every 20 s; a plug that leaves two in a row without a proof is not really connected.

        But for a firmware that has never proved one: that is said once, and it is not asked again. It gets its heartbeats all the
        same, RPiMP's cuts whom it does not hear; whether the connection stands is seen by the library's pings.
        """
        firmware = [entity.full_name for entity in plug.device.entities]
        failures = 0
        while firmware != self._never_proves:
            try:
                await self._beat(plug)
                failures = 0
            except Away:
                failures += 1
            if failures == 2 and self._has_been_heard:
                plug.device.lost("it does not answer")
                return
            if failures == 2:
                self._never_proves = firmware
                self._say(f"{self._host} never confirms a heartbeat: its firmware cannot, so it is not asked for that any more")
            await self._sleep(HEARTBEAT_SECONDS)
        while True:
            with suppress(Away):
                plug.device.command(plug.heartbeat_switch, True)
            await self._sleep(HEARTBEAT_SECONDS)

    async def mind(self, ask: Callable[[str], None]) -> None:
        """While the plug would cut a machine that it does not hear, halt before it does."""
        asked_at = None
        await self._sleep(_STARTING_SECONDS)  # a restarted service connects first
        while True:
            pause = HEARTBEAT_SECONDS
            armed = plug_cuts.armed_seconds(self._me)
            contact = max(self._heard_at, plug_cuts.heard_at(self._me))
            if armed:
                plug_cuts.leave_countdown(self._me, self._times.countdown_seconds())
            if armed and contact != asked_at:
                lost = self._me.clock.monotonic() - contact
                halt_after = dead_man.halt_after_seconds(armed, self._times.measured_seconds(), self._times.longest_seconds())
                pause = min(pause, max(1.0, halt_after - lost))
                if dead_man.must_halt(armed, halt_after, lost):
                    asked_at = contact
                    ask(f"{self._host} did not hear this machine for {lost:.0f} s and cuts its power after {armed:.0f} s")
            await self._sleep(pause)

    async def _beat(self, plug: "Plug") -> None:
        """One heartbeat, and the time when the plug confirmed it."""
        await plug.heartbeat()
        self._has_been_heard = True
        self._never_proves = None
        self._heard_at = plug_cuts.was_heard(self._me)

    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(self._me.clock.real_seconds(seconds))
