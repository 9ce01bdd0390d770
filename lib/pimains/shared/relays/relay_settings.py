"""What one relay may be told: the files in its directory, line 1 the value, then what it means."""

import os
import re
from contextlib import suppress
from pathlib import Path

from pimains.core.errors import WrongSetting
from pimains.core.plan.text import one_line
from pimains.core.settings import Setting, Settings, choice, flag, integer, optional, text
from pimains.shared import settings_directory
from pimains.shared.relays import pin_name
from pimains.shared.relays.pin_name import PinName
from pimains.shared.relays.plan.day_time import QuietHours, parse_quiet_hours
from pimains.shared.relays.plan.modes import parse_duration
from pimains.shared.relays.plan.relay import Limits
from pimains.shared.relays.plan.runs import DAY, MOST_RUNS

_NUMBER = re.compile(r"[1-9][0-9]{0,2}")


def _parse_time(value: str) -> float:
    seconds = 0.0 if value == "0" else parse_duration(f"{value} s" if value.isdecimal() else value)
    if seconds > DAY:
        raise ValueError
    return seconds


def time_span() -> Setting[float]:
    """Seconds, or with a unit: at most a day."""
    return Setting(_parse_time, "time", "seconds, or such as 10min or 2h; at most 1d")


def _parse_group(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", value):
        raise ValueError
    return value


class RelaySettings(Settings):
    """A directory `<n>` below RELAYS; services/relays/relay/ has the files of a new one."""

    NAME = optional(text("name"))
    PIN = Setting(pin_name.parse, "pin", pin_name.ALLOWED)
    ACTIVE_LOW = flag()
    MIN_ON = time_span()
    MIN_OFF = time_span()
    MAX_ON_PER_DAY = optional(time_span())
    MAX_SWITCHES_PER_DAY = optional(integer(0, MOST_RUNS // 2, "number of switchings"))
    RATED_SWITCHES = optional(integer(1, 100_000_000, "number of switchings"))
    QUIET_HOURS: Setting[QuietHours | None] = optional(Setting(parse_quiet_hours, "time of day", "such as 22:00-06:30"))
    PRIORITY = integer(0, 100, "priority")
    GROUP = optional(Setting(_parse_group, "group", "one word of at most 32 letters, digits, _ and -"))
    WATTS = integer(0, 100_000, "power in W")
    FORCED_FOR = optional(time_span())
    AT_START = choice("keep", "off")
    ON_LOST = choice("off", "keep", "on")
    ON_STOP = choice("keep", "off")
    ON_HALT = choice("off", "keep")

    def check_together(self) -> None:
        """A run that is begun may last MIN_ON."""
        if self.MAX_ON_PER_DAY is not None and self.MIN_ON > self.MAX_ON_PER_DAY:
            raise self.wrong("MIN_ON", "is longer than MAX_ON_PER_DAY: no rule could ever switch it on")

    @property
    def pin(self) -> PinName:
        """Where it hangs."""
        return self.PIN

    @property
    def limits(self) -> Limits:
        """What the guards hold."""
        return Limits(
            name=self.NAME or "",
            min_on=self.MIN_ON,
            min_off=self.MIN_OFF,
            max_on_per_day=self.MAX_ON_PER_DAY,
            max_switches_per_day=self.MAX_SWITCHES_PER_DAY,
            quiet_hours=self.QUIET_HOURS,
            priority=self.PRIORITY,
            group=self.GROUP or "",
            watts=float(self.WATTS),
            forced_for=self.FORCED_FOR,
            at_start=self.AT_START,
            on_lost=self.ON_LOST,
            on_stop=self.ON_STOP,
            on_halt=self.ON_HALT,
        )


def numbers(relays: Path) -> list[str]:
    """The relays that have a directory, in their order; none where RELAYS is not there. Raises OSError."""
    try:
        names = os.listdir(relays)
    except FileNotFoundError:
        return []
    return sorted((name for name in names if _NUMBER.fullmatch(name) and (relays / name).is_dir()), key=int)


def unreadable(relays: Path) -> str:
    """Why nobody can tell which relays have a directory there; '' if that can be told."""
    try:
        os.listdir(relays)
        if os.access(relays, os.X_OK):
            return ""
        return f"{relays}: permission denied"
    except OSError as error:
        return f"{relays}: {(error.strerror or str(error)).lower()}"


def is_number(text: str) -> bool:
    """Whether a relay may be called so."""
    return _NUMBER.fullmatch(text) is not None


def name(directory: Path) -> str:
    """What the relay with this directory switches, in a line; '' where that is not said, or cannot be read."""
    with suppress(WrongSetting):
        return one_line(settings_directory.read(directory, ["NAME"]).get("NAME", ""))
    return ""


def read(directory: Path) -> RelaySettings:
    """Those of the relay with this directory. Raises WrongSetting, also for a file that is missing or cannot be read."""
    return RelaySettings(settings_directory.read(directory, RelaySettings.declared()), directory)
