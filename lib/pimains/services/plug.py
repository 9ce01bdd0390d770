"""plug: a Pi that its smart plug powers.

It stays connected to the plug and tells it every 20 s that this machine lives. When somebody switches the plug off it
asks the halt service to shut this machine down; and when a shutdown is about to happen, whoever asked for it, it has
the plug count down as long as this machine needs and cut the power then.

    /run/pimains/<instance>/halting   written by halt.d/80-plug: its process id, `halt` or `stay`, and the reason
    /run/pimains/<instance>/answer    a FIFO it reads the answer from: its process id, `ok` or `failed`, a sentence
    /run/pimains/<instance>/contact   when the plug last heard us, seconds since boot
    /run/pimains/<instance>/answered  when the last request of the plug was passed on, seconds since boot
    /run/pimains/<instance>/relay, power   on or off; watts, where the plug measures them
    /var/lib/pimains/<instance>/armed      the seconds of the plug's dead-man switch while it is on
    /var/lib/pimains/<instance>/told       the boot and the time when the plug was told of a halt
"""

from __future__ import annotations  # the names of a module that is missing

import asyncio
import os
import random
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from pimains.core import clock as clocks
from pimains.core import halt_request, halt_steps, notify, state
from pimains.core.coroutine import readable
from pimains.core.errors import Away, WrongSetting
from pimains.core.ledger import Ledger, Reading
from pimains.core.service import Instance, run
from pimains.plan import back_off, dead_man, halt_time, off_request
from pimains.plan.budget import percentile_95
from pimains.settings.plug import PlugSettings

try:
    from pimains.devices import esphome
    from pimains.devices.esphome import Refused
    from pimains.devices.journal import last_word_of_previous_boot
    from pimains.devices.plug import Names, Plug
except ModuleNotFoundError as missing:
    MISSING: str | None = missing.name
else:
    MISSING = None

HEARTBEAT_SECONDS = 20.0
REFUSED_SECONDS = 60.0
SETTLED_SECONDS = 30.0  # who stays connected that long is a plug
POWER_SECONDS = 10.0
STARTING_SECONDS = 10.0
GOODBYE_SECONDS = 2.0
T = TypeVar("T")


async def plug(me: Instance, settings: PlugSettings) -> None:
    """Stay connected, answer those who are about to halt this machine, mind the dead-man switch."""
    if MISSING:
        raise WrongSetting(f"the Python module {MISSING} is missing: apt install python3-aioesphomeapi, then svc -t {me.directory}")
    esphome.be_quiet_below(settings.LOG_LEVEL)
    keeper = Keeper(me, settings)
    tasks = [asyncio.ensure_future(task) for task in (keeper.stay_connected(), keeper.answer_halts(), keeper.mind_the_dead_man())]
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
        self.plug: Plug | None = None
        self.away = ""  # what was said about it
        self._asked_because: dict[str, dict[str, Reading]] = {}
        self._is_connected = asyncio.Event()
        self._subject = f"{me.name}: halt"
        self._halts: list[float] = []
        self._steps_seconds = 0.0
        self._power_shown_at = -POWER_SECONDS

    @property
    def now(self) -> float:
        """Seconds since boot."""
        return self.me.clock.monotonic()

    # the connection

    async def stay_connected(self) -> None:
        """Connect, attend, and begin again; returns when a setting was edited that the plug had refused."""
        given = self.settings
        address = esphome.Address(given.HOST, given.PORT, given.ENCRYPTION_KEY, given.PASSWORD)
        switches = (given.DELAY_SWITCH, given.REAL_DELAY_SWITCH, given.HEARTBEAT_SWITCH)
        names = Names(*switches, given.COUNTDOWN_NUMBER, given.DEAD_MAN_NUMBER, given.POWER_SENSOR)
        watch = state.Watch(self.me.directory / "variables")
        failures = 0
        self.with_ledger(self.remember)
        self.me.status(f"connecting to {given.HOST}")
        while True:
            began = self.now
            try:
                await self.attend(await Plug.at(address, names))
            except Refused as refused:
                self.be_away(f"{self.me.directory}/variables/{refused.setting}: {refused}")
                if await readable(watch, self.me.clock.real_seconds(REFUSED_SECONDS)) and watch.changed():
                    return
            except Away as away:
                failures = 0 if self.now - began > SETTLED_SECONDS else failures + 1
                self.be_away(f"{given.HOST} is away: {away}")
                await self.sleep(back_off.wait_seconds(failures, random.random()))  # noqa: S311  # spreads load, keeps no secret

    def be_away(self, line: str) -> None:
        """Said once, until it is back."""
        self.me.status(line, well=False)
        if not self.away or ("variables/" in line and line != self.away):
            self.me.complain(line)
            self.away = line

    async def attend(self, plug: Plug) -> None:
        """Prepare the plug for the next shutdown and follow what it tells; ends with Away."""
        try:
            await self.prepare(plug)
            self.plug = plug
            self._is_connected.set()
            self.show(plug)
            self.say(f"connected to {self.settings.HOST} ({plug.name}){' again' if self.away else ''}")
            self.away = ""
            self.check_standing_request(plug)
            heartbeats = asyncio.ensure_future(self.keep_heart_beating(plug))
            try:
                was_on = plug.was_on
                while True:
                    entity, value = await plug.device.heard()
                    if entity == plug.delay:
                        if was_on is True and value is False:
                            self.ask(f"{plug.delay.name} of {plug.name} was switched off", {plug.delay.name: Reading("off", 0.0)})
                        was_on = value
                        self.show(plug)
                    elif entity == plug.off_requested_age:
                        self.check_standing_request(plug)
                    elif entity == plug.power:
                        self.show_power(value)
                    elif entity in (plug.relay, plug.real_delay):
                        self.show(plug)
            finally:
                heartbeats.cancel()
        except asyncio.CancelledError:
            await self.disarm(plug)
            raise
        finally:
            self.plug = None
            self._is_connected.clear()
            await plug.close()

    async def prepare(self, plug: Plug) -> None:
        """The countdown, the dead-man switch, idle watts: whatever happens next, the plug knows what to do."""
        await self.learn_halt_time(plug)
        if not plug.is_ours:
            return
        await plug.set_countdown(self.countdown_seconds())
        if plug.dead_man is not None:
            await self.set_dead_man(plug)
        elif self.settings.ON_LOST == "shutdown":
            raise Refused("DEAD_MAN_NUMBER", f"the plug has no number {self.settings.DEAD_MAN_NUMBER!r}, which ON_LOST=shutdown needs")
        if plug.idle_watts is not None and self.settings.IDLE_WATTS is not None:
            await plug.device.set(plug.idle_watts, self.settings.IDLE_WATTS)

    async def set_dead_man(self, plug: Plug) -> None:
        """ON_LOST=ignore switches it off, ON_LOST=shutdown on; before it is on, we know that it is."""
        seconds = 0
        if self.settings.ON_LOST == "shutdown":
            wanted, halt = self.settings.DEAD_MAN_SECONDS, self.halt_seconds()
            seconds = dead_man.seconds_for(wanted, halt)
            if seconds > wanted:
                self.say(f"DEAD_MAN_SECONDS {wanted} is too short for a shutdown that may take {halt:.0f} s: the plug is told {seconds}")
            await self.beat(plug)
            if not self.keep("armed", str(seconds)):
                seconds = 0  # after a restart nobody would know that there is something to mind
        await plug.set_dead_man(seconds)
        if not seconds:
            self.keep("armed", None)

    async def keep_heart_beating(self, plug: Plug) -> None:
        """Every 20 s; a plug that leaves two in a row without a proof is not really connected."""
        failures = 0
        while failures < 2:
            try:
                await self.beat(plug)
                failures = 0
            except Away:
                failures += 1
            await self.sleep(HEARTBEAT_SECONDS)
        plug.device.lost("it does not answer")

    async def beat(self, plug: Plug) -> None:
        """One heartbeat, and the time when the plug confirmed it."""
        await plug.heartbeat()
        self.me.leave("contact", f"{self.now:.1f}")

    # switched off by somebody

    def check_standing_request(self, plug: Plug) -> None:
        """Off may have been asked for while we were away or restarted; before this boot it does not count."""
        age = plug.value(plug.off_requested_age)
        answered = _number(state.read(self.me.run / "answered"))
        if plug.value(plug.delay) is False and off_request.is_newer(age, self.now, answered):
            self.ask(f"{plug.delay.name} of {plug.name} was switched off {age:.0f} s ago", {plug.delay.name: Reading("off", age)})

    def ask(self, reason: str, inputs: dict[str, Reading] | None = None) -> None:
        """Have this machine shut down; the halt service writes it into the ledger before it does anything."""
        self._asked_because = {reason: inputs or {}}
        self.say(reason)
        try:
            halt_request.ask(reason, self.me.name)
            self.me.leave("answered", f"{self.now:.1f}")
        except (FileNotFoundError, PermissionError):
            self.fail(f"{reason}, but no halt service may be asked: create_service --service_name=halt --add-service")

    # somebody is about to halt this machine

    async def answer_halts(self) -> None:
        """Have the plug cut the power after each halt that halt.d/80-plug announces."""
        answer = self.me.run / "answer"
        with suppress(FileExistsError):
            os.mkfifo(answer)
        answer.chmod(0o660)
        watch = state.Watch(self.me.run)
        pipe = os.open(answer, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            while True:
                announced = state.read(self.me.run / "halting")
                if announced:
                    asked_by, what, reason = (*announced.split(" ", 2), "", "")[:3]
                    tell = self.call_off if what == "stay" else self.tell_plug
                    said = await tell(halt_request.one_line(reason))
                    with suppress(BlockingIOError):
                        os.read(pipe, 65536)  # an answer that nobody waited for
                    os.write(pipe, f"{asked_by} {said}\n".encode())
                    state.remove(self.me.run / "halting")
                await readable(watch)
                watch.changed()
        finally:
            os.close(pipe)
            state.remove(answer)

    async def tell_plug(self, reason: str) -> str:
        """`ok` or `failed`, and what to tell people."""
        host = self.settings.HOST
        began = time.monotonic()
        if not self.away:
            # a service that was just restarted
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_connected.wait(), esphome.CONFIRM_SECONDS - 1)
        if self.plug is None:
            return self.fail_to_tell(f"{host} is away: its power stays on")
        if not self.plug.is_ours:
            return self.fail_to_tell(f"{host} cuts too early with its firmware, so it is not told: its power stays on")
        seconds = self.countdown_seconds()
        confirmed = "yes" if self.plug.confirmed_countdown == seconds else "no"
        self.note(
            f"cut the power in {seconds} s",
            reason,
            {**self._asked_because.get(reason, {}), "countdown confirmed before": Reading(confirmed)},
        )
        try:
            await self.plug.begin_countdown(seconds, esphome.CONFIRM_SECONDS - (time.monotonic() - began))
        except Away as away:
            return self.fail_to_tell(f"{host}: {away}; this machine shuts down all the same, its power may stay on")
        self.keep("armed", None)
        self.keep("told", f"{clocks.boot_id()} {time.monotonic():.1f}")
        line = f"{host} cuts the power in {seconds} s at the latest"
        self.me.status(line)
        self.say(line)
        return f"ok {line}"

    async def call_off(self, reason: str) -> str:
        """The shutdown did not happen: `ok` or `failed`, and what to tell people."""
        host = self.settings.HOST
        self.note("leave the power on", reason, {})
        try:
            if self.plug is None:
                raise Away("it is away")
            await self.plug.end_countdown()
            if self.plug.dead_man is not None:
                await self.set_dead_man(self.plug)
        except Away as away:
            self.fail(f"{host} cannot be told that this machine stays up and may cut its power: {away}")
            return f"failed {host}: {away}"
        self.keep("told", None)
        self.show(self.plug)
        return f"ok {host} leaves the power on"

    def fail_to_tell(self, line: str) -> str:
        """This machine shuts down all the same."""
        self.keep("armed", None)
        self.fail(line)
        return f"failed {line}"

    # halt times and the dead-man switch

    def countdown_seconds(self) -> int:
        """From the plug's confirmation to the cut."""
        return halt_time.countdown_seconds(self._halts, self.settings.SHUTDOWN_SECONDS_MAX)

    def halt_seconds(self) -> float:
        """From the request to the end: what the steps before the plug's took, as far as they were measured, and the countdown."""
        return self._steps_seconds + self.countdown_seconds()

    def remember(self, ledger: Ledger) -> None:
        """What earlier halts and their steps took."""
        self._halts = ledger.durations(self._subject)
        took = (ledger.durations(step.subject) for step in halt_steps.steps())
        self._steps_seconds = sum(percentile_95(seconds) for seconds in took if seconds)

    async def learn_halt_time(self, plug: Plug) -> None:
        """How long the last halt took, from the plug's own meter or the journal of the boot before this one."""
        boot, _, told_at = (state.read(self.me.lib / "told") or "").partition(" ")
        if boot and boot != clocks.boot_id():
            seconds = plug.value(plug.last_halt)
            if not seconds:
                last_word = await last_word_of_previous_boot()
                if last_word and last_word.boot_id == boot.replace("-", ""):
                    seconds = last_word.monotonic_seconds - (_number(told_at) or 0)
            if seconds and 0 < seconds <= 3600:
                self.say(f"the last shutdown took {seconds:.0f} s")
                self.with_ledger(lambda ledger: ledger.took(self._subject, seconds))
                self._halts.append(seconds)
            self.keep("told", None)

    async def mind_the_dead_man(self) -> None:
        """While the plug would cut a machine that it does not hear, halt before it does."""
        asked_at = None
        await self.sleep(STARTING_SECONDS)  # a restarted service connects first
        while True:
            pause = HEARTBEAT_SECONDS
            armed = _number(state.read(self.me.lib / "armed"))
            contact = _number(state.read(self.me.run / "contact")) or 0.0
            if armed and contact != asked_at:
                lost, halt = self.now - contact, self.halt_seconds()
                pause = min(pause, max(1.0, dead_man.halt_after_seconds(armed, halt) - lost))
                if dead_man.must_halt(armed, halt, lost):
                    asked_at = contact
                    self.ask(f"{self.settings.HOST} did not hear this machine for {lost:.0f} s and cuts its power after {armed:.0f} s")
            await self.sleep(pause)

    async def disarm(self, plug: Plug) -> None:
        """Nobody will send heartbeats any more: that is no reason to cut the power."""
        if state.read(self.me.lib / "armed") is None:
            return
        try:
            await plug.set_dead_man(0, GOODBYE_SECONDS)
            self.keep("armed", None)
        except Away as away:
            self.me.complain(f"the dead-man switch of {self.settings.HOST} is still on: {away}")

    # telling people

    def show(self, plug: Plug) -> None:
        """The status line and the state files."""
        host, is_on = self.settings.HOST, plug.value(plug.relay)
        if is_on is not None:
            self.write("relay", "on" if is_on else "off")
        if not plug.is_ours:
            missing = f"its firmware has no number {self.settings.COUNTDOWN_NUMBER!r}"
            self.me.status(f"connected to {host}, but {missing}: its power stays on after a shutdown; flash it with esphome/", well=False)
        elif plug.is_counting_down:
            self.me.status(f"connected to {host}, which cuts the power soon")
        else:
            power = {True: ", power on", False: ", power off", None: ""}[None if is_on is None else bool(is_on)]
            asked = ", switched off" if plug.value(plug.delay) is False else ""
            self.me.status(f"connected to {host}{power}{asked}, cut {self.countdown_seconds()} s after a shutdown")

    def show_power(self, watts: float | None) -> None:
        """A reading a second would be too many."""
        if watts is not None and self.now - self._power_shown_at >= POWER_SECONDS:
            self._power_shown_at = self.now
            self.write("power", f"{watts:.1f}")

    def write(self, name: str, value: str) -> None:
        """A state file, when it changed or grows old."""
        if name == "power" or state.read(self.me.run / name) != value:
            self.me.leave(name, value)

    def keep(self, name: str, value: str | None) -> bool:
        """A value that outlives a reboot, None: none; whether the disk took it."""
        try:
            if value is None:
                state.remove(self.me.lib / name)
            else:
                state.write(self.me.lib / name, value, durable=name == "armed")
        except OSError as error:
            self.me.complain(f"{self.me.lib / name}: {error.strerror}")
            return False
        return True

    def say(self, line: str) -> None:
        """An event, for the log."""
        if self.settings.LOG_LEVEL in ("info", "debug"):
            print(line)

    def fail(self, line: str) -> None:
        """Somebody has to know."""
        self.me.complain(line)
        self.me.status(line, well=False)
        notify.post(line, "", "plug")

    def note(self, action: str, cause: str, inputs: dict[str, Reading]) -> None:
        """Into the ledger; a ledger that cannot be written keeps nobody from shutting down."""
        self.with_ledger(lambda ledger: ledger.record(self.me.name, action, cause, inputs))

    def with_ledger(self, use: Callable[[Ledger], T]) -> T | None:
        """What `use` returns; None, and a line, when the ledger cannot be used."""
        try:
            return use(self.me.ledger)
        except (OSError, sqlite3.Error) as error:
            self.me.complain(f"the ledger cannot be used: {error}")
            return None

    async def sleep(self, seconds: float) -> None:
        """Seconds of the service's clock."""
        await asyncio.sleep(self.me.clock.real_seconds(seconds))


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None


if __name__ == "__main__":
    run(plug, PlugSettings, nice=-10)
