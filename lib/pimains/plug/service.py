"""The service plug: services/plug/README.md says what it is for, this how it goes about it.

It stays connected to the plug and tells it every 20 s that this machine lives. When somebody switches the plug off it
asks the halt service to shut this machine down; and when a shutdown is about to happen, whoever asked for it, it has
the plug count down as long as this machine needs and cut the power then.

    /run/pimains/<instance>/contact   when the plug last heard us, seconds since boot
    /run/pimains/<instance>/countdown seconds from its confirmation of a halt to the cut
    /run/pimains/<instance>/cut       when it cuts after the halt that it was told of, seconds since boot
    /run/pimains/<instance>/answered  when the last request of the plug was passed on, seconds since boot
    /run/pimains/<instance>/delay     the boot, and on or off: the delay switch when it was last seen
    /run/pimains/<instance>/relay, power   on or off; watts, where the plug measures them
    /var/lib/pimains/<instance>/armed      the seconds of the plug's dead-man switch while it is on
    /var/lib/pimains/<instance>/told       the boot and the time when the plug was told of a halt, until that is called off
"""

from __future__ import annotations  # the names of a module that is missing

import asyncio
import random
from collections.abc import Coroutine

from pimains.core import clock as clocks
from pimains.core import state
from pimains.core.coroutine import readable
from pimains.core.errors import Away
from pimains.core.ledger import Reading
from pimains.core.library import Needed
from pimains.core.plan import back_off
from pimains.core.service import Instance, run
from pimains.core.troubles import Troubles
from pimains.plug.plan import off_request
from pimains.plug.settings import PlugSettings
from pimains.shared import halt_request

with Needed("python3-aioesphomeapi") as library:
    from pimains.plug import esphome
    from pimains.plug.cut import PlugCut
    from pimains.plug.dead_man import DeadManSwitch
    from pimains.plug.device import Names, Plug
    from pimains.plug.esphome import Refused, Value
    from pimains.plug.halt_times import HaltTimes
    from pimains.plug.reporting import PlugReport
    from pimains.plug.switching import PlugSwitching

REFUSED_SECONDS = 60.0
SETTLED_SECONDS = 30.0  # who stays connected that long is a plug


async def plug(me: Instance, settings: PlugSettings) -> None:
    """Stay connected, answer those who are about to halt this machine, mind the dead-man switch."""
    library.must_be_there(me.directory)
    esphome.be_quiet_below(settings.LOG_LEVEL)
    keeper = Keeper(me, settings)
    tasks = [asyncio.ensure_future(task) for task in keeper.work()]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Keeper:
    """What the service knows between one event and the next."""

    def __init__(self, me: Instance, settings: PlugSettings) -> None:
        self.me = me
        self.settings = settings
        self.troubles = Troubles(me.complain)
        self.report = PlugReport(me, settings)
        self.times = HaltTimes(me, settings.SHUTDOWN_SECONDS_MAX, self.report.say)
        wanted_seconds = settings.DEAD_MAN_SECONDS if settings.ON_LOST == "shutdown" else None
        self.dead_man = DeadManSwitch(me, settings.HOST, wanted_seconds, self.times, self.report.say)
        self.cut = PlugCut(me, settings.HOST, self.times, self.dead_man, self.report)
        self.switching = PlugSwitching(me, settings.HOST, self.report) if settings.FEEDS == "another" else None

    def work(self) -> list[Coroutine[object, object, None]]:
        """What goes on side by side."""
        if self.switching:
            return [self.stay_connected(), self.switching.answer_orders()]
        return [self.stay_connected(), self.cut.answer_halts(), self.cut.mind_halts(), self.dead_man.mind(self.ask)]

    @property
    def now(self) -> float:
        """Seconds since boot."""
        return self.me.clock.monotonic()

    async def stay_connected(self) -> None:
        """Connect, attend, and begin again; returns when a setting was edited that the plug had refused."""
        given = self.settings
        address = esphome.Address(given.HOST, given.PORT, given.ENCRYPTION_KEY, given.PASSWORD)
        switches = (given.DELAY_SWITCH, given.REAL_DELAY_SWITCH, given.HEARTBEAT_SWITCH)
        names = Names(*switches, given.COUNTDOWN_NUMBER, given.DEAD_MAN_NUMBER, given.POWER_SENSOR)
        try:
            watch = state.Watch(self.me.directory / "variables")
        except FileNotFoundError:  # replaced as a whole this moment
            return
        failures = 0
        self.me.with_ledger(self.times.remember)
        self.me.status(f"connecting to {given.HOST}")
        while True:
            began = self.now
            try:
                await self.attend(await Plug.at(address, names))
            except Refused as refused:
                self.be_away(f"{self.me.directory}/variables/{refused.setting}: {refused}", is_refused=True)
                if await readable(watch, self.me.clock.real_seconds(REFUSED_SECONDS)) and watch.changed():
                    return
            except Away as away:
                failures = 0 if self.now - began > SETTLED_SECONDS else failures + 1
                self.be_away(f"{given.HOST} is away: {away}")
                await self.sleep(back_off.wait_seconds(failures, random.random()))  # noqa: S311  # spreads load, keeps no secret

    def be_away(self, line: str, *, is_refused: bool = False) -> None:
        """Said once, until it is back; a setting that it refuses is said also while it is away."""
        self.me.status(line, well=False)
        self.cut.is_away = True
        if is_refused or not self.troubles.now():
            self.troubles.look("plug", line)

    async def attend(self, plug: Plug) -> None:
        """Prepare the plug for the next shutdown and follow what it tells; ends with Away."""
        if self.switching:
            self.troubles.look("plug", "")
            await self.switching.attend(plug)
        try:
            await self.prepare(plug)
            self.cut.connected(plug)
            self.show(plug)
            self.report.say(f"connected to {self.settings.HOST} ({plug.name}){' again' if self.troubles.now() else ''}")
            self.troubles.look("plug", "")
            await self.cut.settle()
            self.check_standing_request(plug)
            self.check_missed_off(plug)
            heartbeats = asyncio.ensure_future(self.dead_man.keep_heart_beating(plug))
            try:
                was_on = plug.was_on
                while True:
                    entity, value = await plug.device.heard()
                    if entity == plug.delay:
                        self.show(plug)
                        if was_on is True and value is False:
                            self.ask(f"{plug.delay.name} of {plug.name} was switched off", {plug.delay.name: Reading("off", 0.0)})
                        was_on = value
                        self.remember(was_on)
                    elif entity == plug.off_requested_age:
                        self.check_standing_request(plug)
                    elif entity == plug.power:
                        self.report.show_power(value)
                    elif entity in (plug.relay, plug.real_delay):
                        self.show(plug)
                        if plug.is_counting_down:
                            await self.cut.settle()
            finally:
                heartbeats.cancel()
        except asyncio.CancelledError:
            if not self.me.directory.exists():
                await self.cut.is_removed()
            await self.dead_man.disarm(plug)
            raise
        finally:
            self.cut.disconnected()
            await plug.close()

    def show(self, plug: Plug) -> None:
        """How it stands."""
        self.report.show(plug, self.times.countdown_seconds())

    async def prepare(self, plug: Plug) -> None:
        """The countdown, the dead-man switch, idle watts: whatever happens next, the plug knows what to do."""
        await self.times.learn(plug)
        if not plug.is_ours:
            return
        await plug.set_countdown(self.times.countdown_seconds())
        if plug.dead_man is not None:
            await self.dead_man.arm(plug)
        elif self.settings.ON_LOST == "shutdown":
            raise Refused("DEAD_MAN_NUMBER", f"the plug has no number {self.settings.DEAD_MAN_NUMBER!r}, which ON_LOST=shutdown needs")
        if plug.idle_watts is not None and self.settings.IDLE_WATTS is not None:
            await plug.device.set(plug.idle_watts, self.settings.IDLE_WATTS)

    def check_standing_request(self, plug: Plug) -> None:
        """Off may have been asked for while we were away or restarted; before this boot it does not count."""
        age = plug.value(plug.off_requested_age)
        answered = state.number(state.read(self.me.run / "answered"))
        if plug.value(plug.delay) is False and off_request.is_newer(age, self.now, answered):
            self.ask(f"{plug.delay.name} of {plug.name} was switched off {age:.0f} s ago", {plug.delay.name: Reading("off", age)})

    def check_missed_off(self, plug: Plug) -> None:
        """A firmware that does not tell when it was switched off: off now, and on when it was last seen in this boot, is an off."""
        is_on = plug.value(plug.delay)
        if plug.off_requested_age is None and is_on is False and self.last_seen_on():
            self.ask(f"{plug.delay.name} of {plug.name} was switched off while it was away", {plug.delay.name: Reading("off", 0.0)})
        self.remember(is_on)

    def last_seen_on(self) -> bool:
        """Whether the delay switch was on when it was last seen in this boot."""
        return state.read(self.me.run / "delay") == f"{clocks.boot_id()} on"

    def remember(self, is_on: Value) -> None:
        """How the delay switch is seen now."""
        word = f"{clocks.boot_id()} {'on' if is_on else 'off'}"
        if is_on is not None and state.read(self.me.run / "delay") != word:
            self.me.leave("delay", word)

    def ask(self, reason: str, inputs: dict[str, Reading] | None = None) -> None:
        """Have this machine shut down; the halt service writes it into the ledger before it does anything."""
        self.cut.asked_because = {reason: inputs or {}}
        self.report.say(reason)
        try:
            halt_request.ask(reason, self.me.name)
            self.me.leave("answered", f"{self.now:.1f}")
        except (FileNotFoundError, PermissionError):
            self.report.fail(f"{reason}, but no halt service may be asked: create_service --service_name=halt --add-service")

    async def sleep(self, seconds: float) -> None:
        """Seconds of the service's clock."""
        await asyncio.sleep(self.me.clock.real_seconds(seconds))


if __name__ == "__main__":
    run(plug, PlugSettings, nice=-10)
