"""What the meter service may be told."""

import re
from pathlib import Path

from pimains.core.settings import Setting, Settings, choice, integer, number, optional, path, text
from pimains.meter.measure import IMPULSES_MAX, IMPULSES_MIN


def _parse_url(value: str) -> str:
    if not re.fullmatch(r"https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253})(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?", value):
        raise ValueError
    return value


def url() -> Setting[str]:
    """The address of an HTTP server, without name and password in it."""
    return Setting(_parse_url, "address", "such as https://pi.lan:8460 or http://127.0.0.1:8460")


def _parse_fingerprint(value: str) -> str:
    digits = value.rpartition("=")[2].replace(":", "").lower()  # openssl writes "sha256 Fingerprint=" before it
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        raise ValueError
    return digits


class MeterSettings(Settings):
    """services/meter/variables/."""

    PIN = integer(0, 27, "GPIO number")
    EDGE = choice("falling", "rising")
    PULL = choice("up", "down", "none")
    BOUNCE_MS = number(0, 1000, "time in milliseconds")
    UNIT = choice("kwh", "m3")
    IMPULSES_PER_KWH = optional(number(IMPULSES_MIN, IMPULSES_MAX, "number of pulses"))
    IMPULSES_PER_M3 = optional(number(IMPULSES_MIN, IMPULSES_MAX, "number of pulses"))
    SOURCE = optional(Setting(lambda value: _source(value), "name", "1-64 letters, digits, dots, hyphens and underscores"))
    START_TOTAL = optional(number(0, 1e9, "reading of the meter's face"))
    INTERVAL = number(1, 3600, "time in seconds")
    COMMIT_SECONDS = number(1, 600, "time in seconds")
    COLLECTOR = optional(url())
    TOKEN = optional(text("token", secret=True))
    CA: Setting[Path | None] = optional(path())
    FINGERPRINT = optional(Setting(_parse_fingerprint, "fingerprint", "64 hexadecimal digits"))
    MAX_JOURNAL_MB = number(0.1, 100_000, "size in megabytes")

    def check_together(self) -> None:
        """The unit has its pulses, a token goes where it is safe."""
        if self.impulses_per_unit is None:
            raise self.wrong(f"IMPULSES_PER_{'M3' if self.UNIT == 'm3' else 'KWH'}", f"is empty; with UNIT {self.unit} it has to be there")
        if (self.CA or self.FINGERPRINT) and not (self.COLLECTOR or "").startswith("https://"):
            raise self.wrong("COLLECTOR", f"{self.COLLECTOR or ''!r} has no certificate; CA and FINGERPRINT need an address with https://")
        if self.CA and self.FINGERPRINT:
            raise self.wrong("CA", "and FINGERPRINT are both there; empty one of them")
        if self.COLLECTOR and not self.TOKEN:
            raise self.wrong("TOKEN", "is empty; the collector at COLLECTOR takes readings only with the token of their source")

    @property
    def unit(self) -> str:
        """As people write it."""
        return "m3" if self.UNIT == "m3" else "kWh"

    @property
    def impulses_per_unit(self) -> float | None:
        """Pulses for one unit."""
        return self.IMPULSES_PER_M3 if self.UNIT == "m3" else self.IMPULSES_PER_KWH


def _source(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", value):
        raise ValueError
    return value
