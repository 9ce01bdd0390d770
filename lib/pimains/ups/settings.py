"""Which UPSes the ups service watches, what they feed, and when this machine has to go down."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from pimains.core.settings import Setting, Settings, choice, flag, host, integer, number, optional, path, port, text
from pimains.ups.plan import battery, standing
from pimains.ups.texts import LANGUAGES

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_HOST_AND_PORT = re.compile(r"(?:\[([^\]]+)\]|([^:]+))(?::([0-9]+))?")
_POLL_SECONDS_MAX = 20  # upsd drops who is silent for 60 s
_UPSES_MAX = 16
_SUPPLIES_MAX = 16
_PORT = "3493"
_MODEL = Path("/proc/device-tree/model")
_HERE = ("localhost", "127.0.0.1", "::1")


class Ups(NamedTuple):
    """A UPS as it stands in UPS: its name in the ups.conf of `host`, whose upsd listens at `port`."""

    name: str
    host: str
    port: int

    @property
    def is_here(self) -> bool:
        """Whether its upsd is this machine's own."""
        return self.host in _HERE


def _upses(value: str) -> tuple[Ups, ...]:
    found = tuple(dict.fromkeys(_ups(word) for word in value.split()))
    alike = {each._replace(host="localhost") if each.is_here else each for each in found}
    if not 0 < len(found) <= _UPSES_MAX or len(alike) != len(value.split()):
        raise ValueError
    return found


def _ups(word: str) -> Ups:
    name, _, where = word.partition("@")
    parts = _HOST_AND_PORT.fullmatch(where or "localhost")
    if not _NAME.fullmatch(name) or not parts:
        raise ValueError
    return Ups(name, host().parse(parts[1] or parts[2]), port().parse(parts[3] or _PORT))


def _supplies(value: str) -> tuple[int, ...]:
    counts = tuple(int(word) for word in value.split() if re.fullmatch(r"[0-9]{1,2}", word))
    if len(counts) != len(value.split()) or not counts or max(counts) > _SUPPLIES_MAX:
        raise ValueError
    return counts


def _url(value: str) -> str:
    parts = re.fullmatch(r"(https?://)?(?:\[([^\]]+)\]|([^:/\[]+))(?::([0-9]+))?/?", value)
    if not parts:
        raise ValueError
    name = host().parse(parts[2] or parts[3])
    return f"{parts[1] or 'http://'}{f'[{name}]' if parts[2] else name}{f':{port().parse(parts[4])}' if parts[4] else ''}"


def _prefix(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,40}", value):
        raise ValueError
    return value


def _model() -> bytes:
    try:
        return _MODEL.read_bytes()
    except OSError:
        return b""


def names_of(value: str) -> list[str]:
    """What the UPSes of a setting UPS are called. Raises ValueError."""
    upses = _upses(value)
    return [_called(each, upses) for each in upses]


def _called(ups: Ups, among: tuple[Ups, ...]) -> str:
    alike = [each for each in among if each.name == ups.name]
    if len(alike) == 1:
        return ups.name
    return f"{ups.name}@{ups.host}" + (f":{ups.port}" if sum(each.host == ups.host for each in alike) > 1 else "")


class UpsSettings(Settings):
    """services/ups/variables/."""

    beside = ("hosts",)
    UPS = Setting(_upses, "list of UPSes", "such as eaton@localhost cellar@nas.lan:3493, each once")
    POWER = Setting(_supplies, "number of power supplies", f"0-{_SUPPLIES_MAX}, one for all or one for each UPS with blanks between")
    MINSUPPLIES = integer(1, _SUPPLIES_MAX, "number of power supplies")
    ROLE = choice("primary", "secondary")
    USERNAME = optional(text("user name"))
    PASSWORD = optional(text("password", secret=True))
    TLS = choice("off", "try", "require")
    CA = optional(path())
    POLL_SECONDS = number(0.5, _POLL_SECONDS_MAX, "time in seconds")
    IGNORE_LB = flag()
    CHARGE_LOW_PERCENT = optional(number(1, 100, "charge in percent"))
    RUNTIME_LOW_SECONDS = optional(number(1, 86399, "time in seconds"))
    ON_BATTERY_SECONDS_MAX = optional(number(1, 86400, "time in seconds"))
    LOST_SECONDS_MAX = number(5, 3600, "time in seconds")
    OFF_SECONDS = number(0, 3600, "time in seconds")
    FINALDELAY_SECONDS = number(0, 600, "time in seconds")
    HOSTSYNC_SECONDS_MAX = number(1, 3600, "time in seconds")
    CUT_WAIT_SECONDS = optional(number(10, 3600, "time in seconds"))
    WAKE_AT_CHARGE = optional(number(1, 100, "charge in percent"))
    WAKE_AFTER_SECONDS = number(0, 86400, "time in seconds")
    WAKE_GIVE_UP_SECONDS = number(10, 86400, "time in seconds")
    LANGUAGE = choice(*LANGUAGES)
    CCU = optional(Setting(_url, "address", "such as ccu.lan, http://ccu.lan:80 or https://ccu.lan"))
    CCU_USER = optional(text("user name"))
    CCU_PASSWORD = optional(text("password", secret=True))
    CCU_SECONDS = number(10, 3600, "time in seconds")
    PREFIX = Setting(_prefix, "beginning of names", "at most 40 letters, digits, dots, hyphens and underscores")

    def check_together(self) -> None:
        """What feeds this machine has to know it; the numbers have to fit each other."""
        if len(self.POWER) not in (1, len(self.UPS)):
            raise self.wrong("POWER", f"has {len(self.POWER)} numbers; UPS names {len(self.UPS)} (one for all, or one for each)")
        if self.feeds_this_machine and not self.USERNAME:
            raise self.wrong("USERNAME", "is empty; who is fed by a UPS logs in at its upsd (POWER 0 only watches)")
        if bool(self.USERNAME) != bool(self.PASSWORD):
            missing = "PASSWORD" if self.USERNAME else "USERNAME"
            raise self.wrong(missing, "is empty; a login needs USERNAME and PASSWORD, or neither")
        if self.feeds_this_machine and sum(self.power_of(each) for each in self.UPS) < self.MINSUPPLIES:
            raise self.wrong("MINSUPPLIES", f"is {self.MINSUPPLIES}; the UPSes feed less by POWER, so this machine could never stay up")
        if self.IGNORE_LB and not (self.CHARGE_LOW_PERCENT or self.RUNTIME_LOW_SECONDS):
            raise self.wrong("IGNORE_LB", "is 1; then CHARGE_LOW_PERCENT or RUNTIME_LOW_SECONDS has to say what is low")
        if self.CA and self.TLS == "off":
            raise self.wrong("CA", "is set; it needs TLS require or try")
        if self.CCU and not self.CCU_USER:
            raise self.wrong("CCU_USER", "is empty; the CCU of CCU takes values only from one of its users")

    @classmethod
    def advice(cls, values: Mapping[str, str]) -> list[str]:
        """Whether power that comes back is enough to start this machine is known of a Raspberry Pi alone."""
        is_fed = any(word.strip("0") for word in values["POWER"].split())
        if not is_fed or b"Raspberry Pi" in _model():
            return []
        return ["this machine is no Raspberry Pi: its BIOS has to be set to start it when power comes back, or it stays off after a cut"]

    @classmethod
    def has_to_itself(cls, values: Mapping[str, str]) -> str:
        """The supplies of one machine are counted by one instance."""
        is_fed = any(word.strip("0") for word in values["POWER"].split())
        return "POWER: the supplies of this machine are counted by one instance; name all UPSes in its UPS, or give 0" if is_fed else ""

    @classmethod
    def needed_for(cls, run: Path, lib: Path) -> str:
        """An outage is gone through to its end: others are going down, or are woken, and the UPS is cut."""
        from pimains.shared import outage_file  # whoever asks only for settings need not have it

        outage = outage_file.seen_by_others(run, lib)
        return f"an outage is under way, {outage.phase}; sudo pimains ups cancel ends it where that is possible" if outage else ""

    @property
    def feeds_this_machine(self) -> bool:
        """Whether this machine hangs on one of them."""
        return any(self.POWER)

    def power_of(self, ups: Ups) -> int:
        """How many power supplies of this machine hang on it; 0 for none."""
        return self.POWER[0] if len(self.POWER) == 1 else self.POWER[self.UPS.index(ups)]

    def commands(self, ups: Ups) -> bool:
        """Whether this machine is its primary: whose upsd is here, and who has to tell the others, also where it is not fed itself."""
        return self.ROLE == "primary" and ups.is_here and bool(self.USERNAME)

    def called(self, ups: Ups) -> str:
        """How people and files call it: by its name, where another one has the same with its host, too, and its port."""
        return _called(ups, self.UPS)

    @property
    def to_judge(self) -> standing.Limits:
        """What counts as low, and as off."""
        return standing.Limits(self.IGNORE_LB, self.CHARGE_LOW_PERCENT, self.RUNTIME_LOW_SECONDS, self.OFF_SECONDS)

    @property
    def to_last(self) -> battery.Limits:
        """How long it may be fed by a battery."""
        return battery.Limits(self.CHARGE_LOW_PERCENT, self.RUNTIME_LOW_SECONDS, self.ON_BATTERY_SECONDS_MAX, self.LOST_SECONDS_MAX)
