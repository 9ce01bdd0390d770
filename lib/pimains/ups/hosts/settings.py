"""What is known of one host: the files in hosts/NAME/, each with its value in line 1 and then words."""

import re
from pathlib import Path
from typing import NamedTuple

from pimains.core.settings import Setting, Settings, choice, host, number, optional, path, port
from pimains.ups.plan import shedding

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}")
_TARGET = re.compile(r"([A-Za-z_][A-Za-z0-9_.-]{0,31})@(?:\[([^\]]+)\]|([^:]+))(?::([0-9]+))?")
_COMMAND = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./:=@+-]*( [A-Za-z0-9_./:=@+-]+)*")
_MAC = re.compile(r"[0-9a-f]{2}([:-])[0-9a-f]{2}(\1[0-9a-f]{2}){4}")
_UPS = re.compile(r"[A-Za-z0-9_.:@\[\]-]{1,330}")
_SSH_PORT = "22"
_WAYS = ("SSH", "CLIENT", "PLUG")


class Target(NamedTuple):
    """Where to log in, and as whom."""

    user: str
    host: str
    port: int

    def __str__(self) -> str:
        at = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.user}@{at}" + (f":{self.port}" if self.port != int(_SSH_PORT) else "")


def _target(value: str) -> Target:
    parts = _TARGET.fullmatch(value)
    if not parts:
        raise ValueError
    return Target(parts[1], host().parse(parts[2] or parts[3]), port().parse(parts[4] or _SSH_PORT))


def _command(value: str) -> str:
    if not _COMMAND.fullmatch(value):
        raise ValueError
    return value


def _mac(value: str) -> str:
    if not _MAC.fullmatch(value.lower()) or int(value[:2], 16) & 1:
        raise ValueError
    return value.lower().replace("-", ":")


def _name(value: str) -> str:
    if not is_name(value):
        raise ValueError
    return value


def _names(value: str) -> tuple[str, ...]:
    return tuple(_name(word) for word in value.split())


def _upses(value: str) -> tuple[str, ...]:
    if not all(_UPS.fullmatch(word) for word in value.split()):
        raise ValueError
    return tuple(dict.fromkeys(value.split()))


def is_name(text: str) -> bool:
    """Whether a host, or an instance, may be called so."""
    return bool(_NAME.fullmatch(text))


class HostSettings(Settings):
    """services/ups/host/, whose copy is the `directory` hosts/NAME."""

    SSH = optional(Setting(_target, "place to log in", "user@host or user@host:port"))
    KEY = optional(path())
    CLIENT = optional(host())
    PLUG = optional(Setting(_name, "name of a plug service", "such as plug"))
    UPS = Setting(_upses, "list of UPSes", "their names with blanks between, or empty", may_be_empty=True)
    COMMAND = Setting(_command, "command", "a program and its arguments, of letters, digits, blanks and _ . / : = @ + -")
    MAC = optional(Setting(_mac, "Ethernet address of one machine", "such as 00:11:32:aa:bb:cc"))
    AFTER = Setting(_names, "list of hosts", "their names with blanks between, or empty", may_be_empty=True)
    SHED_AT = Setting(shedding.parse, "time to go", shedding.ALLOWED, may_be_empty=True)
    WAKE = choice("yes", "no", "if-up")
    PROOF = optional(port())
    DOWN_SECONDS_MAX = number(5, 3600, "time in seconds")

    def check_together(self) -> None:
        """One way to have it go down, and what that needs."""
        given = [name for name in _WAYS if self.values[name]]
        if len(given) != 1:
            what = f"is set beside {given[0]}" if given else "is empty, and so are CLIENT and PLUG"
            raise self.wrong(given[1] if given else "SSH", f"{what}; one of {', '.join(_WAYS)} says how the host goes down")
        if self.PLUG and self.PROOF:
            raise self.wrong("PROOF", "is set; what hangs on a plug has no address here, the plug itself is asked")
        if self.KEY and not self.SSH:
            raise self.wrong("KEY", "is set; it needs SSH")
        if self.CLIENT and any(limit is not None for limit in self.SHED_AT):
            raise self.wrong("SHED_AT", "is set; a NUT client goes down at FSD alone, unless it is reached by SSH")
        if self.name in self.AFTER:
            raise self.wrong("AFTER", f"names {self.name} itself")

    @property
    def name(self) -> str:
        """What the host is called."""
        return self.directory.name

    @property
    def address(self) -> str:
        """Where it is: a name or an address; "" for one of which only its plug is known."""
        return self.SSH.host if self.SSH else self.CLIENT or ""

    @property
    def way(self) -> str:
        """How it goes down, for people."""
        return str(self.SSH) if self.SSH else f"NUT client {self.CLIENT}" if self.CLIENT else f"plug {self.PLUG}"

    @property
    def key(self) -> Path:
        """The private key."""
        return self.KEY or self.directory / "key"

    @property
    def known_hosts(self) -> Path:
        """Where its host key is pinned, under its name here."""
        return self.directory / "known_hosts"

    @property
    def can_be_woken(self) -> bool:
        """Whether there is something that wakes it."""
        return bool(self.MAC or self.PLUG)
