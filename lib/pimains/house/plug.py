"""A smart plug of the simulated house, with the entities of pimains' firmware: python3 -m pimains.house.plug --port 0

It prints `LISTENING 127.0.0.1:PORT` and what happens to its relay, and reads commands, one a line, from its standard
input or from the FIFO given with --control:

    on off press          what a person does: the delay switch, the button (`press press`: twice, the relay opens at once)
    load WATTS            what the machine behind it draws (--metering)
    garbage half huge     say garbage, half a frame, the beginning of an endless frame to whoever is connected
    flood nonsense              list entities without end to who asks next; tell states that cannot be
    countdown             switch the real delay switch off, as somebody else
    reboot                break the connections and begin anew
    mute unmute           hear everything and answer nothing, and again as it should be
    hang-up               break the connections
    status                print how it is
    quit
"""

import argparse
import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

from aioesphomeapi import api_pb2

from pimains.house.esphome_server import Server

HEARTBEAT_SECONDS = 3.0
AFTER_CUT_SECONDS = 5.0
RPIMP_CUT_SECONDS = 15.0
RPIMP_SILENCE_SECONDS = 600.0
IDLE_SAMPLES = 10
SWITCHES = ("Delay Switch", "Real Delay Switch", "Heartbeat Switch", "Relay")
NUMBERS = {"Countdown": (5, 3600), "Dead Man": (0, 86400), "Idle Watts": (0, 100)}
SENSORS = ("Off Requested Age", "Uptime", "Power", "Last Halt")
METERING = ("Idle Watts", "Power", "Last Halt")
RPIMP_LACKS = (*NUMBERS, *SENSORS)
NAN = float("nan")


class HousePlug:
    """The plug's logic, as in esphome/: see there for the why of each rule."""

    def __init__(
        self, name: str, metering: bool, speed: float, without: Iterable[str] = (), *, is_rpimp: bool = False, outlet: int = 0
    ) -> None:
        self.name = name
        self.is_rpimp = is_rpimp
        self.outlet = outlet
        self.speed = speed
        self.load_watts = 4.0
        names = (*SWITCHES, *NUMBERS, *SENSORS)
        lacks = {*without, *(() if metering else METERING), *(RPIMP_LACKS if is_rpimp else ())}
        self.keys = {name: key for key, name in enumerate(names, 1) if name not in lacks}
        self.values: dict[str, float] = {"Delay Switch": True, "Real Delay Switch": True, "Heartbeat Switch": False, "Relay": True}
        self.values |= {"Countdown": 120.0, "Dead Man": 0.0, "Idle Watts": 0.0, "Off Requested Age": NAN, "Uptime": 0.0}
        self.values |= {"Power": self.load_watts, "Last Halt": NAN}
        self.server: Server | None = None
        self.floods = False
        self._loop = asyncio.get_running_loop()
        self._started = self.now()
        self._off_since: float | None = None
        self._heartbeat_at: float | None = None
        self._countdown_since: float | None = None
        self._idle_samples: int | None = None  # None: the watts do not decide
        self._on_at: float | None = None

    def boot(self) -> None:
        """As its firmware begins; ours has nothing to do."""
        if self.is_rpimp:
            self._boot_as_rpimp()

    def _boot_as_rpimp(self) -> None:
        """Its template switches are restored as off, which runs what they do when they are switched off."""
        self.values |= {"Countdown": RPIMP_CUT_SECONDS, "Dead Man": RPIMP_SILENCE_SECONDS, "Delay Switch": False}
        self._heartbeat_at = self.now()
        self._start_countdown()

    def reboot(self) -> None:
        """As after an update: the relay stays as it is, no countdown runs any more."""
        if self.server is not None:
            self.server.hang_up()
        self._countdown_since = self._idle_samples = self._off_since = None
        self.values |= {"Real Delay Switch": self.values["Relay"], "Delay Switch": self.values["Relay"], "Heartbeat Switch": False}
        self.boot()

    def now(self) -> float:
        """Seconds of the plug's time."""
        return self._loop.time() * self.speed

    # what people do

    def switch_delay(self, on: bool) -> None:
        """The delay switch: on closes the relay, off asks the Pi to shut down."""
        self._off_since = None if on else self.now()
        self._set("Delay Switch", on)
        self._tell_age()
        if on and (self._countdown_since is None or self.is_rpimp):
            self._countdown_since = None
            self._close_relay()

    def press(self, times: int) -> None:
        """The button: once toggles the delay switch, twice opens the relay at once."""
        if times > 1:
            self._open_relay("button pressed twice")
        else:
            self.switch_delay(not self.values["Delay Switch"])

    # what the API asks for

    def info(self) -> Any:
        """DeviceInfoResponse."""
        return api_pb2.DeviceInfoResponse(
            name=self.name, friendly_name="House plug", mac_address="02:00:00:00:00:01", esphome_version="2026.10.0"
        )

    def entities(self) -> Iterable[Any]:
        """One ListEntities...Response each."""
        for number in range(100_000 if self.floods else 0):
            yield api_pb2.ListEntitiesSwitchResponse(key=1000 + number, name=f"\x1b[31m{number}\n")
        for name, key in self.keys.items():
            plain = {"key": key, "name": name, "object_id": name.lower().replace(" ", "_"), **self._place}
            if name in SWITCHES:
                yield api_pb2.ListEntitiesSwitchResponse(**plain)
            elif name in NUMBERS:
                low, high = NUMBERS[name]
                yield api_pb2.ListEntitiesNumberResponse(**plain, min_value=low, max_value=high, step=1)
            else:
                yield api_pb2.ListEntitiesSensorResponse(**plain)

    def connected(self) -> None:
        """The age of a standing request is told to whoever comes."""
        self._tell_age()

    def states(self) -> Iterable[Any]:
        """One ...StateResponse each."""
        return [self._state(name) for name in self.keys]

    def commanded(self, command: Any) -> None:
        """A switch or a number is to be set."""
        name = {key: name for name, key in self.keys.items()}.get(command.key, "")
        if name == "Delay Switch":
            self.switch_delay(command.state)
        elif name == "Real Delay Switch" and not command.state:
            self.start_countdown()
        elif name == "Real Delay Switch" and command.state and self.values["Relay"]:
            if self._countdown_since is not None:
                self._print("countdown called off")
            self._countdown_since = self._idle_samples = None
            self._set(name, True)
        elif name == "Heartbeat Switch" and command.state:
            self._heartbeat_at = self.now()
            if self.is_rpimp:
                self._print("heartbeat")
            else:
                self._set(name, True)
        elif name == "Relay":
            (self._close_relay if command.state else lambda: self._open_relay("commanded"))()
        elif name in NUMBERS and NUMBERS[name][0] <= command.state <= NUMBERS[name][1]:
            self._set(name, command.state)

    # what time brings

    async def live(self) -> None:
        """Once a second of its time, all that time brings."""
        second = 0
        while True:
            await asyncio.sleep(1 / self.speed)
            second += 1
            now = self.now()
            if self.values["Heartbeat Switch"] and self._heartbeat_at is not None and now - self._heartbeat_at >= HEARTBEAT_SECONDS:
                self._set("Heartbeat Switch", False)
            if second % 60 == 0:
                self._set("Uptime", now - self._started)
                if self._off_since is not None:
                    self._tell_age()
            self._measure()
            self._count_down(now)
            dead_man = self.values["Dead Man"]
            if dead_man and self.values["Relay"] and self._heartbeat_at is not None and now - self._heartbeat_at >= dead_man:
                self._open_relay(f"no heartbeat for {dead_man:g} s")
            if self._on_at is not None and now >= self._on_at:
                self._on_at = None
                self._close_relay()

    def _measure(self) -> None:
        watts = self.load_watts if self.values["Relay"] else 0.0
        self._set("Power", watts)
        if self._idle_samples is not None:
            self._idle_samples = self._idle_samples + 1 if watts < self.values["Idle Watts"] else 0

    def start_countdown(self) -> None:
        """What switching the real delay switch off does."""
        if self.values["Relay"]:
            self._start_countdown()

    def _start_countdown(self) -> None:
        if self._countdown_since is None:
            self._countdown_since = self.now()
            self._set("Last Halt", NAN)
            idle = self.values["Idle Watts"]
            self._idle_samples = 0 if "Power" in self.keys and idle and self.values["Power"] >= 1.5 * idle else None
            self._print(f"countdown {self.values['Countdown']:g} s")
        self._set("Real Delay Switch", False)

    def _count_down(self, now: float) -> None:
        if self._countdown_since is None:
            return
        lasted = now - self._countdown_since
        if self._idle_samples is not None and self._idle_samples >= IDLE_SAMPLES:
            self._set("Last Halt", lasted - IDLE_SAMPLES)
            self._open_relay(f"idle for {IDLE_SAMPLES} s, {lasted:.0f} s after the countdown began")
        elif lasted >= self.values["Countdown"]:
            self._open_relay(f"countdown over after {lasted:.0f} s")

    def _open_relay(self, why: str) -> None:
        self._countdown_since = self._idle_samples = None
        self._print(f"relay off: {why}")
        self._set("Relay", False)
        if self.values["Delay Switch"] and why.startswith(("countdown", "idle")):
            self._on_at = self.now() + AFTER_CUT_SECONDS  # somebody wants it on again

    def _close_relay(self) -> None:
        if not self.values["Relay"]:
            self._print("relay on")
            self._heartbeat_at = None
        self._set("Relay", True)
        self._set("Real Delay Switch", True)

    def _tell_age(self) -> None:
        self._set("Off Requested Age", NAN if self._off_since is None else self.now() - self._off_since)

    def tell_nonsense(self) -> None:
        """States that no plug has."""
        for name in self.keys:
            if name not in SWITCHES:
                for value in (float("inf"), NAN, -1e30, 1e30):
                    self._set(name, value)

    def _set(self, name: str, value: float) -> None:
        """A number is told whenever it is set, everything else when it changes; like ESPHome."""
        if name not in self.keys or (name not in NUMBERS and self.values[name] == value):
            return
        self.values[name] = value
        if self.server is not None:
            self.server.publish(self._state(name))

    def _state(self, name: str) -> Any:
        value = self.values[name]
        plain = {"key": self.keys[name], **self._place}
        if name in SWITCHES:
            return api_pb2.SwitchStateResponse(**plain, state=bool(value))
        if name in NUMBERS:
            return api_pb2.NumberStateResponse(**plain, state=value)
        return api_pb2.SensorStateResponse(**plain, state=value, missing_state=value != value)

    @property
    def _place(self) -> dict[str, int]:
        return {"device_id": self.outlet} if self.outlet else {}  # libraries before sub-devices have no such field

    def _print(self, line: str) -> None:
        print(f"outlet {self.outlet}: {line}" if self.outlet else line, flush=True)


class HouseStrip:
    """A strip with two outlets, each a plug of its own: their entities have equal names and equal keys, and differ by their device."""

    def __init__(self, outlets: list[HousePlug]) -> None:
        self.outlets = outlets

    def info(self) -> Any:
        """DeviceInfoResponse."""
        info = self.outlets[0].info()
        for plug in self.outlets:
            info.devices.add(device_id=plug.outlet, name=f"Outlet {plug.outlet}")
        return info

    def entities(self) -> Iterable[Any]:
        """One ListEntities...Response each."""
        return [entity for plug in self.outlets for entity in plug.entities()]

    def connected(self) -> None:
        """The age of a standing request is told to whoever comes."""
        for plug in self.outlets:
            plug.connected()

    def states(self) -> Iterable[Any]:
        """One ...StateResponse each."""
        return [state for plug in self.outlets for state in plug.states()]

    def commanded(self, command: Any) -> None:
        """Of the outlet that is meant; the first is meant by who does not say."""
        next((plug for plug in self.outlets if plug.outlet == command.device_id), self.outlets[0]).commanded(command)


def obey(plug: HousePlug, server: Server, words: list[str]) -> None:
    """Carry out one line of commands; raises ValueError when it is none."""
    garbage = bytes(range(255, 0, -1)) * 4
    deeds: dict[str, Callable[[], None]] = {
        "on": lambda: plug.switch_delay(True),
        "off": lambda: plug.switch_delay(False),
        "press": lambda: plug.press(len(words)),
        "garbage": lambda: server.say(garbage),
        "half": lambda: server.say(b"\0\x10\x1a\x0d"),
        "huge": lambda: server.say(b"\0\x80\x80\x80\x05\x1a" + bytes(10 * 1024 * 1024)),
        "flood": lambda: setattr(plug, "floods", True),
        "nonsense": plug.tell_nonsense,
        "countdown": plug.start_countdown,
        "reboot": plug.reboot,
        "mute": lambda: setattr(server, "is_mute", True),
        "unmute": lambda: setattr(server, "is_mute", False),
        "hang-up": server.hang_up,
        "status": lambda: print(", ".join(f"{name} {plug.values[name]:g}" for name in plug.keys), flush=True),
        "quit": lambda: sys.exit(0),
    }
    if words[:1] == ["load"]:
        plug.load_watts = float(words[1])
    elif words:
        deed = deeds.get(words[0])
        if deed is None:
            raise ValueError(f"{words[0]!r} is none of {', '.join(deeds)}, load WATTS")
        deed()


async def main(options: argparse.Namespace) -> None:
    """Serve until told to quit."""

    def new(outlet: int) -> HousePlug:
        return HousePlug(options.name, options.metering, options.speed, options.without, is_rpimp=options.rpimp, outlet=outlet)

    outlets = [new(1), new(2)] if options.strip else [new(0)]
    plug = outlets[-1]
    server = Server(HouseStrip(outlets) if options.strip else plug, options.key, options.password)
    for each in outlets:
        each.server = server
    port = await server.start(options.host, options.port)
    print(f"LISTENING {options.host}:{port}", flush=True)
    for each in outlets:
        each.boot()
    loop = asyncio.get_running_loop()
    commands = os.open(options.control, os.O_RDWR | os.O_NONBLOCK) if options.control else sys.stdin.fileno()

    def read() -> None:
        data = os.read(commands, 4096)
        if not data:
            loop.remove_reader(commands)
        for line in data.decode("utf-8", "replace").splitlines():
            try:
                obey(plug, server, line.split())
            except (ValueError, IndexError) as error:
                print(f"not done: {error}", flush=True)

    with contextlib.suppress(PermissionError):  # a plain file or /dev/null: nobody will say anything
        loop.add_reader(commands, read)
    await asyncio.gather(*(each.live() for each in outlets))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python3 -m pimains.house.plug", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=6053, help="0: any that is free")
    parser.add_argument("--name", default="house-plug", help="what it calls itself")
    parser.add_argument("--key", help="encryption key, 32 bytes in base64; without one it does not encrypt")
    parser.add_argument("--password", help="password of a firmware before 2026.1")
    parser.add_argument("--metering", action="store_true", help="it measures power")
    parser.add_argument("--without", metavar="ENTITY", action="append", default=[], help="an entity that its firmware lacks")
    parser.add_argument("--rpimp", action="store_true", help="its firmware is RPiMP's: it proves no heartbeat, and cuts after 15 s")
    parser.add_argument("--strip", action="store_true", help="it has two outlets; commands are for the second")
    parser.add_argument("--speed", type=float, default=1, help="its time runs that much faster")
    parser.add_argument("--control", metavar="FIFO", help="read commands from there instead of standard input")
    asyncio.run(main(parser.parse_args()))
