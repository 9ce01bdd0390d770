"""What the devices of the simulated solar house say over VE.Direct (text mode), and what happens to it on the way."""

import random
from collections.abc import Sequence
from typing import TypeAlias

from pimains.house.solar import SolarHouse

Fields: TypeAlias = Sequence[tuple[str, str]]

_HEX_DIGITS = "0123456789ABCDEF"


def block(fields: Fields) -> bytes:
    """As it goes over the line, with its checksum."""
    text = b"".join(f"\r\n{label}\t{value}".encode() for label, value in fields) + b"\r\nChecksum\t"
    return text + bytes((-sum(text) % 256,))


def hex_message(chance: random.Random) -> bytes:
    """One that a device sends unasked."""
    digits = "".join(chance.choices(_HEX_DIGITS, k=2 * chance.randint(4, 20) + 1))
    return f":A{digits}\n".encode()


class BatteryMonitor:
    """A BMV-712 Smart: two blocks in turn, values and history."""

    def __init__(self) -> None:
        self.identity = "0xA381"  # it tells no serial number
        self.is_synchronised = True

    def blocks(self, house: SolarHouse) -> list[bytes]:
        """What it says in one second."""
        known = self.is_synchronised
        seconds = _seconds_to_go(house)
        values = (
            ("PID", self.identity),
            ("V", f"{house.volts * 1000:.0f}"),
            ("VS", "13357"),
            ("I", f"{house.amperes * 1000:.0f}"),
            ("P", f"{house.battery_watts:.0f}"),
            ("CE", f"{house.consumed_ah * 1000:.0f}" if known else "---"),
            ("SOC", f"{house.soc * 1000:.0f}" if known else "---"),
            ("TTG", ("-1" if seconds is None else f"{seconds / 60:.0f}") if known else "---"),
            ("Alarm", "OFF"),
            ("Relay", "OFF"),
            ("AR", "0"),
            ("BMV", "712 Smart"),
            ("FW", "0413"),
            ("MON", "0"),
        )
        history = (
            ("H1", "-112520"),
            ("H2", "-41000"),
            ("H3", "-36100"),
            ("H4", "41"),
            ("H5", "0"),
            ("H6", f"{-3155000 - house.discharged_wh * 1000 / 25.6:.0f}"),
            ("H7", "23100"),
            ("H8", "29100"),
            ("H9", f"{house.seconds % 86400:.0f}"),
            ("H10", "12"),
            ("H11", "0"),
            ("H12", "0"),
            ("H15", "22"),
            ("H16", "14453"),
            ("H17", f"{8200 + house.discharged_wh / 10:.0f}"),
            ("H18", f"{9100 + house.charged_wh / 10:.0f}"),
        )
        return [block(values), block(history)]


class Charger:
    """A solar charger, MPPT 75/15, at one of `of` equal parts of the panels."""

    def __init__(self, serial: str, of: int = 1) -> None:
        self.identity = serial
        self._of = of

    def blocks(self, house: SolarHouse) -> list[bytes]:
        """What it says in one second."""
        watts = house.panel_watts / self._of
        fields = (
            ("PID", "0xA053"),
            ("FW", "150"),
            ("SER#", self.identity),
            ("V", f"{house.volts * 1000:.0f}"),
            ("I", f"{watts / house.volts * 1000:.0f}"),
            ("VPV", f"{house.panel_volts * 1000:.0f}"),
            ("PPV", f"{watts:.0f}"),
            ("CS", f"{house.charging:d}"),
            ("MPPT", ("2" if house.available() <= house.panel_watts else "1") if house.charging else "0"),
            ("OR", "0x00000000" if house.charging else "0x00000001"),
            ("ERR", "0"),
            ("LOAD", "ON"),
            ("IL", "0"),
            ("H19", f"{10206 + house.yields_wh[0] / self._of / 10:.0f}"),
            ("H20", f"{house.yields_wh[0] / self._of / 10:.0f}"),
            ("H21", f"{house.most_watts[0] / self._of:.0f}"),
            ("H22", f"{house.yields_wh[1] / self._of / 10:.0f}"),
            ("H23", f"{house.most_watts[1] / self._of:.0f}"),
            ("HSDS", f"{279 + house.day}"),
        )
        return [block(fields)]


class Faults:
    """What happens to bytes on their way; chances from 0 to 1."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.flip = 0.0  # of each byte, to have one of its bits turned
        self.lose = 0.0  # of each byte
        self.hex = 0.0  # of each block, to have a HEX message somewhere in it
        self.is_silent = False

    def on(self, data: bytes) -> bytes:
        """What arrives of a block."""
        if self.is_silent:
            return b""
        if self._chance.random() < self.hex:
            place = self._chance.choice([*range(len(data) - 1), len(data)])  # not between the tab and the checksum
            data = data[:place] + hex_message(self._chance) + data[place:]
        if not self.flip and not self.lose:
            return data
        chance = self._chance
        kept = (byte for byte in data if chance.random() >= self.lose)
        return bytes(byte ^ 1 << chance.randrange(8) if chance.random() < self.flip else byte for byte in kept)


def _seconds_to_go(house: SolarHouse) -> float | None:
    """Until the battery is empty; None while it is charged."""
    return house.soc * house.capacity / -house.amperes * 3600 if house.amperes < 0 else None
