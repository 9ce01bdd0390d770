"""The simulated solar house: a sun, panels, a battery and loads, whose devices speak VE.Direct into ptys once a second of its time.

    python3 -m pimains.house.sun --bmv LINK --mppt LINK [--mppt LINK] --hour 9 --speed 60

Each LINK becomes a link to a pty: the PORT of a vedirect service. The devices are called bmv, mppt, mppt2 ...; a CHANCE is 0-1.
With --outputs FILE, the PIMAINS_HOUSE_OUTPUTS of a relays service (pins.py), relays feed their loads: --draws 17=2000.
Lines on its standard input:

    clouds 0.7 | load 900 | relays 1000 | soc 0.5 | hour 13.5     how the house is, W for loads
    hex NAME CHANCE | flip NAME CHANCE | lose NAME CHANCE         HEX messages in blocks; turned bits, lost bytes among all of its bytes
    silent NAME on | off                                          it says nothing
    serial NAME HQ1234                                            another device is there (a bmv's product id, such as 0xA389)
    synchronised NAME on | off                                    whether it knows the charge of the battery
    unplug NAME | plug NAME | swap NAME NAME                      its cable; two cables
    weld PIN on | off                                             the contact of a relay sticks together, whatever its pin does
    say NAME HEXADECIMAL                                          these bytes
    quit
"""

import argparse
import os
import random
import select
import sys
import time
import tty
from pathlib import Path

from pimains.house import loads
from pimains.house.loads import Loads
from pimains.house.solar import SolarHouse
from pimains.house.victron import BatteryMonitor, Charger, Faults

_STEP_SECONDS = 1.0
_BEHIND_SECONDS_MAX = 10.0  # what a busy machine could not keep up with is left out


class Cable:
    """A pty whose other end is at `link` while it is plugged in."""

    def __init__(self, link: Path) -> None:
        self.link = link
        self._ends: tuple[int, int] | None = None

    def plug(self) -> None:
        """Its link is there from now on."""
        if self._ends is not None:
            return
        here, there = os.openpty()
        tty.setraw(there)
        os.fchmod(there, 0o666)  # the service is another user
        os.set_blocking(here, False)
        self._ends = here, there
        self.lead_to(self.link)

    def lead_to(self, link: Path) -> None:
        """Be at another link."""
        self.link = link
        if self._ends is not None:
            aside = link.with_name(f".{link.name}.aside")
            aside.unlink(missing_ok=True)
            aside.symlink_to(os.ttyname(self._ends[1]))
            aside.rename(link)

    def unplug(self) -> None:
        """Whoever reads it hears that; the link goes."""
        if self._ends is None:
            return
        self.link.unlink(missing_ok=True)
        for end in self._ends:
            os.close(end)
        self._ends = None

    def pour(self, data: bytes) -> int:
        """Say as much as there is room for; how many bytes that was."""
        if self._ends is None:
            return 0
        try:
            return os.write(self._ends[0], data)
        except BlockingIOError:
            return 0

    def say(self, data: bytes) -> None:
        """What nobody reads is lost, as on a wire."""
        if data:
            self.pour(data)


class Device:
    """Something that speaks VE.Direct, its cable, and what happens on the way."""

    def __init__(self, speaker: BatteryMonitor | Charger, link: Path, chance: random.Random) -> None:
        self.speaker = speaker
        self.cable = Cable(link)
        self.faults = Faults(chance)
        self.cable.plug()

    def speak(self, house: SolarHouse) -> None:
        """For one second."""
        self.cable.say(b"".join(map(self.faults.on, self.speaker.blocks(house))))


class Sun:
    """The house and its devices by name; `loads` are what relays feed."""

    def __init__(self, house: SolarHouse, devices: dict[str, Device], loads: Loads | None = None) -> None:
        self.house = house
        self.devices = devices
        self.relays = 0.0
        self._loads = loads

    def live(self, seconds: int = 1) -> None:
        """So many seconds of its own time, of which the devices tell once."""
        relays = self.relays + (self._loads.draw() if self._loads else 0.0)
        for _ in range(seconds):
            self.house.live(_STEP_SECONDS, relays)
        for device in self.devices.values():
            device.speak(self.house)

    def obey(self, line: str) -> None:
        """Do what a line says. Raises ValueError, KeyError or OSError."""
        match line.split():
            case ["clouds" | "load" | "soc" | "relays" | "hour" as what, number]:
                self._set(what, float(number))
            case ["hex" | "flip" | "lose" as what, name, chance]:
                setattr(self.devices[name].faults, what, float(chance))
            case ["silent", name, "on" | "off" as switch]:
                self.devices[name].faults.is_silent = switch == "on"
            case ["serial", name, identity]:
                self.devices[name].speaker.identity = identity
            case ["synchronised", name, "on" | "off" as switch]:
                speaker = self.devices[name].speaker
                if not isinstance(speaker, BatteryMonitor):
                    raise ValueError(name)
                speaker.is_synchronised = switch == "on"
            case ["unplug", name]:
                self.devices[name].cable.unplug()
            case ["plug", name]:
                self.devices[name].cable.plug()
            case ["swap", name, other]:
                one, two = self.devices[name].cable, self.devices[other].cable
                links = two.link, one.link
                one.lead_to(links[0])
                two.lead_to(links[1])
            case ["weld", pin, "on" | "off" as switch] if self._loads:
                self._loads.weld(int(pin), switch == "on")
            case ["say", name, data]:
                self.devices[name].cable.say(bytes.fromhex(data))
            case [_, *_]:
                raise ValueError(line)

    def _set(self, what: str, number: float) -> None:
        if what == "hour":
            self.house.seconds += ((number - self.house.hour) % 24) * 3600
        elif what == "relays":
            self.relays = number
        else:
            setattr(self.house, what, number)

    def close(self) -> None:
        """All cables are unplugged."""
        for device in self.devices.values():
            device.cable.unplug()


def made(options: argparse.Namespace) -> Sun:
    """As the options say."""
    chance = random.Random(options.seed)  # noqa: S311  # no secret: the same faults for the same seed
    house = SolarHouse(options.hour, options.peak, options.capacity, options.soc)
    house.load, house.clouds = options.load, options.clouds
    devices = {f"bmv{number or ''}": Device(BatteryMonitor(), link, chance) for number, link in _numbered(options.bmv)}
    for number, link in _numbered(options.mppt):
        serial = f"HQ9999ABC{chr(ord('D') + max(0, number - 1))}E"
        devices[f"mppt{number or ''}"] = Device(Charger(serial, len(options.mppt)), link, chance)
    return Sun(house, devices, loads.made(options.outputs, options.draws))


def _numbered(links: list[Path]) -> list[tuple[int, Path]]:
    return [(0 if place == 1 else place, link) for place, link in enumerate(links, 1)]


def main(options: argparse.Namespace) -> None:
    """Let it live until told to quit."""
    sun = made(options)
    print(f"speaking at {' '.join(str(device.cable.link) for device in sun.devices.values())}", flush=True)
    due = time.monotonic()
    begun = b""
    try:
        while True:
            ready, _, _ = select.select([sys.stdin], [], [], max(0.0, due - time.monotonic()))
            if ready:
                told = os.read(sys.stdin.fileno(), 4096)  # whole, so that select knows of all that still waits
                if not told:
                    print("no more sun: its standard input has ended, by which it is told; leave it open", flush=True)
                    return
                *lines, begun = (begun + told).split(b"\n")
                for line in lines:
                    if line.split() == [b"quit"]:
                        return
                    _try_to_obey(sun, line.decode(errors="replace"))
                continue
            sun.live(options.every)
            due = max(due + options.every * _STEP_SECONDS / options.speed, time.monotonic() - _BEHIND_SECONDS_MAX / options.speed)
    finally:
        sun.close()


def _try_to_obey(sun: Sun, line: str) -> None:
    try:
        sun.obey(line)
    except (ValueError, KeyError, OSError) as error:
        print(f"{line.strip()!r}: {error!r}; see python3 -m pimains.house.sun --help", file=sys.stderr, flush=True)


def arguments() -> argparse.ArgumentParser:
    """What it may be told."""
    parser = argparse.ArgumentParser(
        prog="python3 -m pimains.house.sun", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bmv", type=Path, action="append", default=[], metavar="LINK", help="a battery monitor, BMV-712 Smart")
    parser.add_argument("--mppt", type=Path, action="append", default=[], metavar="LINK", help="a solar charger; several share the panels")
    parser.add_argument("--hour", type=float, default=12, help="of the day at which it begins (default: %(default)s)")
    parser.add_argument("--peak", type=float, default=1500, metavar="W", help="of all panels (default: %(default)s)")
    parser.add_argument("--capacity", type=float, default=200, metavar="AH", help="of the battery, at 24 V (default: %(default)s)")
    parser.add_argument("--soc", type=float, default=0.8, help="how full the battery is, 0-1 (default: %(default)s)")
    parser.add_argument("--load", type=float, default=120, metavar="W", help="what is always on (default: %(default)s)")
    parser.add_argument("--clouds", type=float, default=0, help="0-1 (default: %(default)s)")
    parser.add_argument("--outputs", type=Path, metavar="FILE", help="what becomes of the house's output pins; relays feed their loads")
    words = "PIN=WATTS[:low]"
    parser.add_argument("--draws", type=loads.load, action="append", default=[], metavar=words, help="what the relay at a pin feeds")
    parser.add_argument("--speed", type=float, default=1, help="its time runs that much faster (default: %(default)s)")
    every = "the devices speak once in so many seconds of its time (default: %(default)s)"
    parser.add_argument("--every", type=int, default=1, metavar="SECONDS", help=every)
    parser.add_argument("--seed", type=int, default=1, help="of its faults (default: %(default)s)")
    return parser


if __name__ == "__main__":
    main(arguments().parse_args())
