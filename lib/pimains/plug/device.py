"""A smart plug with pimains' firmware (esphome/plug.yaml): what its entities mean.

Raises Away, and Refused where a name in the settings finds nothing.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import NamedTuple, Self

from pimains.core.errors import Away
from pimains.plug.esphome import CONFIRM_SECONDS, Address, AlikeNames, Device, Entity, Refused, Value, connect

FIRST_STATES_SECONDS = 3.0


class Names(NamedTuple):
    """How the settings call the entities that a user may have named otherwise."""

    delay_switch: str = "Delay Switch"
    real_delay_switch: str = "Real Delay Switch"
    heartbeat_switch: str = "Heartbeat Switch"
    countdown: str = "Countdown"
    dead_man: str = "Dead Man"
    power: str = "Power"


class Plug:
    """A connected plug."""

    def __init__(self, device: Device, names: Names) -> None:
        self.device = device
        self.name = device.friendly_name or device.name
        self.delay = self._switch("DELAY_SWITCH", names.delay_switch)
        self.real_delay = self._switch("REAL_DELAY_SWITCH", names.real_delay_switch, self.delay)
        self.heartbeat_switch = self._switch("HEARTBEAT_SWITCH", names.heartbeat_switch, self.delay)
        self.relay = self._beside("switch", "Relay")
        self.countdown = self._beside("number", names.countdown, "COUNTDOWN_NUMBER")
        self.dead_man = self._beside("number", names.dead_man, "DEAD_MAN_NUMBER")
        self.idle_watts = self._beside("number", "Idle Watts")
        self.power = self._beside("sensor", names.power, "POWER_SENSOR")
        self.off_requested_age = self._beside("sensor", "Off Requested Age")
        self.last_halt = self._beside("sensor", "Last Halt")
        self.confirmed_countdown: float | None = None  # since this connection began
        self.was_on: Value = None  # the delay switch, when we connected
        roles = {"REAL_DELAY_SWITCH": self.real_delay, "HEARTBEAT_SWITCH": self.heartbeat_switch}
        for setting, entity in roles.items():
            if entity == self.delay or (setting == "HEARTBEAT_SWITCH" and entity == self.real_delay):
                raise Refused(setting, f"finds {entity.name!r}, which another setting finds too; {self._switches()}")

    @classmethod
    async def at(cls, address: Address, names: Names) -> Self:
        """Connect; returns when every state we look at was told once."""
        device = await connect(address)
        try:
            plug = cls(device, names)
            await plug._first_states()
        except BaseException:
            await device.close()
            raise
        return plug

    @property
    def is_ours(self) -> bool:
        """Whether it counts down as long as we tell it; RPiMP's firmware always cuts after 15 s."""
        return self.countdown is not None

    @property
    def is_counting_down(self) -> bool:
        """Whether the power will be cut soon."""
        return self.value(self.real_delay) is False and self.value(self.relay) is not False

    def value(self, entity: Entity | None) -> Value:
        """What the plug last said of `entity`."""
        return None if entity is None else self.device.values.get(entity)

    async def set_countdown(self, seconds: int) -> None:
        """How long after its countdown began it cuts the power."""
        self.confirmed_countdown = None
        await self.device.set(_there("COUNTDOWN_NUMBER", self.countdown), seconds)
        self.confirmed_countdown = seconds

    async def begin_countdown(self, seconds: int, within_seconds: float = CONFIRM_SECONDS) -> None:
        """Have the power cut in `seconds`; returns when the plug confirmed both the time and the beginning.

        Where this time was confirmed before, all is said in one breath: the plug takes it in that order. Where not, no
        countdown begins before the time is confirmed.
        """
        async with _within(within_seconds):
            if self.confirmed_countdown == seconds:
                await asyncio.gather(self.set_countdown(seconds), self.device.set(self.real_delay, False))
            else:
                await self.set_countdown(seconds)
                await self.device.set(self.real_delay, False)

    async def end_countdown(self, within_seconds: float = CONFIRM_SECONDS) -> None:
        """Have the power stay on; returns when the plug confirmed that no countdown runs."""
        await self.device.set(self.real_delay, True, within_seconds)

    async def switch(self, is_on: bool) -> None:
        """Have the delay switch so, and for on the relay, too; returns when the plug has confirmed."""
        comes_later = self.is_counting_down  # it cuts, waits 5 s, and is on again
        await self.device.set(self.delay, is_on)
        if is_on and self.relay is not None and not comes_later:
            await self.device.confirmed(self.relay, True)

    async def set_dead_man(self, seconds: int, within_seconds: float = CONFIRM_SECONDS) -> None:
        """After how many seconds without a heartbeat it cuts the power; 0 is never."""
        await self.device.set(_there("DEAD_MAN_NUMBER", self.dead_man), seconds, within_seconds)

    async def heartbeat(self) -> None:
        """Say that this machine lives; returns when the plug heard it.

        The switch goes off by itself 3 s later. One that is still on proves nothing: it may be the last we heard.
        """
        if self.value(self.heartbeat_switch):
            await self.device.set(self.heartbeat_switch, False)
        await self.device.set(self.heartbeat_switch, True)

    async def close(self) -> None:
        """Disconnect."""
        await self.device.close()

    async def _first_states(self) -> None:
        switches = (self.delay, self.real_delay, self.relay)
        looked_at = (*switches, self.countdown, self.dead_man, self.off_requested_age, self.last_halt, self.power)
        awaited = {entity for entity in looked_at if entity is not None}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FIRST_STATES_SECONDS):
                while awaited:
                    entity, value = await self.device.heard()
                    awaited.discard(entity)
                    if entity == self.delay:
                        self.was_on = value
        if self.delay in awaited:
            raise Away(f"it does not tell the state of {self.delay.name}")

    def _beside(self, kind: str, name: str, setting: str = "DELAY_SWITCH") -> Entity | None:
        """The entity of the same outlet."""
        try:
            return self.device.find(kind, name, self.delay)
        except AlikeNames as alike:
            raise Refused(setting, str(alike)) from None

    def _switch(self, setting: str, name: str, beside: Entity | None = None) -> Entity:
        try:
            found = self.device.find("switch", name, beside)
        except AlikeNames as alike:
            raise Refused(setting, str(alike)) from None
        if found is None:
            raise Refused(setting, f"the plug has no switch {name!r}; {self._switches()}")
        return found

    def _switches(self) -> str:
        names = [entity.full_name for entity in self.device.entities if entity.kind == "switch"]
        return f"it has {', '.join(names[:12])}" if names else "it has no switches at all"


def _there(setting: str, entity: Entity | None) -> Entity:
    if entity is None:
        raise Refused(setting, "the plug has no number of that name")
    return entity


@contextlib.asynccontextmanager
async def _within(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise Away(f"not confirmed within {seconds:.0f} s") from None
