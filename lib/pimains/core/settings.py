"""Settings: files in variables/, handed over by envdir, checked before anything happens.

A service declares each of its files once, as an attribute of a Settings class in pimains.<service>.settings:

    class Meter(Settings):
        PIN = integer(0, 27, "GPIO number")
        UNIT = choice("kWh", "m3")
        CA = optional(path())

The values' defaults are in services/<name>/variables/ and nowhere in the code.
"""

import binascii
import contextlib
import os
import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar, overload

from pimains.core.errors import WrongSetting

T = TypeVar("T")
_HOST_NAME = re.compile(
    r"(?=.{1,253}\.?$)([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*\.?$"
)


class Setting(Generic[T]):
    """One file in variables/: its type, what it may hold, and whether it may be empty.

    `kind` says what a value is ("port"), `allowed` which values there are ("1-65535"): both go into messages.
    `parse` raises ValueError for a text that is no such value.
    """

    name = ""

    def __init__(self, parse: Callable[[str], T], kind: str, allowed: str, *, secret: bool = False, may_be_empty: bool = False) -> None:
        self.parse = parse
        self.kind = kind
        self.allowed = allowed
        self.secret = secret
        self.may_be_empty = may_be_empty

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, settings: None, owner: type) -> "Setting[T]": ...
    @overload
    def __get__(self, settings: "Settings", owner: type) -> T: ...
    def __get__(self, settings: "Settings | None", owner: type) -> "Setting[T] | T":
        return self if settings is None else settings.values[self.name]

    def check(self, text: str) -> T:
        """The value that `text` stands for.

        Raises ValueError with one line that says what is wrong and what is allowed, without the file's name.
        """
        if not text:
            if self.may_be_empty:
                return self.parse(text)
            raise ValueError(f"is empty; it needs {_article(self.kind)} {self.kind} ({self.allowed})")
        shown = "the secret" if self.secret else _quoted(text)
        if len(text) > 4096 or not text.isprintable():
            raise ValueError(f"{shown} has characters that do not belong in {_article(self.kind)} {self.kind} ({self.allowed})")
        try:
            return self.parse(text)
        except (ValueError, OverflowError):
            raise ValueError(f"{shown} is no {self.kind} ({self.allowed})") from None


def _article(kind: str) -> str:
    return "an" if kind[0].lower() in "aeio" else "a"  # a UPS


def _quoted(text: str) -> str:
    """`text` in quotation marks, one printable line of at most 100 characters."""
    quoted = repr(text[:80])
    return quoted if len(quoted) <= 100 else f"{quoted[:98]}…'"


class Settings:
    """The settings of one instance, all checked at once.

    Raises WrongSetting, naming the file and what it may hold.
    """

    def __init__(self, environment: Mapping[str, str], directory: Path = Path("variables")) -> None:
        self.directory = directory
        self.values: dict[str, Any] = {}
        for name, setting in self.declared().items():
            try:
                self.values[name] = setting.check(environment.get(name, "").rstrip("\r"))
            except ValueError as wrong:
                raise WrongSetting(f"{directory / name}: {wrong}") from None
        self.check_together()

    @classmethod
    def declared(cls) -> dict[str, Setting[object]]:
        """Every setting by its file's name, in the order of declaration."""
        return {name: value for base in reversed(cls.__mro__) for name, value in vars(base).items() if isinstance(value, Setting)}

    beside: tuple[str, ...] = ()  # directories of an instance that hold settings, too: they are kept and given back with these
    only_as = ""  # the name of its only instance, where a machine has one place for it: others find it by that

    @classmethod
    def made_up(cls, given: Mapping[str, str]) -> dict[str, str]:  # noqa: ARG003  # for subclasses
        """What create_service puts into a new instance where nothing was given: a secret nobody has to think up."""
        return {}

    @classmethod
    def advice(cls, values: Mapping[str, str]) -> list[str]:  # noqa: ARG003  # for subclasses
        """The lines that create_service prints once a new instance with `values` was made."""
        return []

    @classmethod
    def has_to_itself(cls, values: Mapping[str, str]) -> str:  # noqa: ARG003  # for subclasses
        """Why a machine has one instance with such `values`, after the setting that says so ("POWER: ..."); "" where it may have more."""
        return ""

    @classmethod
    def needed_for(cls, run: Path, lib: Path) -> str:  # noqa: ARG003  # for subclasses
        """Why one that is up is not removed now, by what it left in its directories `run` and `lib`; else ""."""
        return ""

    def check_together(self) -> None:
        """Checks that need more than one setting; a subclass raises `self.wrong(...)`."""

    def not_here(self) -> str:
        """What this machine lacks for it, with the file's name; '' when nothing. It may come later: no service waits for an edit then."""
        return ""

    def exposed(self) -> list[Path]:
        """The files of secrets that are set and that not only their owner may read."""
        found = []
        for path in (self.directory / name for name, setting in self.declared().items() if setting.secret and self.values[name]):
            with contextlib.suppress(OSError):  # it came from elsewhere
                found += [path] if path.stat().st_mode & 0o077 else []
        return found

    def wrong(self, name: str, what: str) -> WrongSetting:
        """The error that sends a person to the file `name`."""
        return WrongSetting(f"{self.directory / name}: {what}")


def from_environment(kind: type["SettingsType"]) -> "SettingsType":
    """The settings of the service whose directory is the current one."""
    return kind(os.environ, Path.cwd() / "variables")


SettingsType = TypeVar("SettingsType", bound=Settings)


def _within(parse: Callable[[str], T], low: float, high: float) -> Callable[[str], T]:
    def parse_within(text: str) -> T:
        value = parse(text)
        if not low <= value <= high:  # type: ignore[operator]  # T is int or float
            raise ValueError
        return value

    return parse_within


def _parse_integer(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        raise ValueError
    return int(text)


def _parse_number(text: str) -> float:
    if not re.fullmatch(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?", text):
        raise ValueError
    return float(text)


def integer(low: int, high: int, kind: str = "whole number") -> Setting[int]:
    """A whole number from `low` to `high`."""
    return Setting(_within(_parse_integer, low, high), kind, f"{low}-{high}")


def number(low: float, high: float, kind: str = "number") -> Setting[float]:
    """A number, with decimals where wanted, from `low` to `high`."""
    return Setting(_within(_parse_number, low, high), kind, f"{low:g}-{high:g}")


def port() -> Setting[int]:
    """A TCP or UDP port."""
    return integer(1, 65535, "port")


def choice(*words: str) -> Setting[str]:
    """One of some words, in upper or lower case."""

    def parse(text: str) -> str:
        if text.lower() not in words:
            raise ValueError
        return text.lower()

    return Setting(parse, "choice", " or ".join(filter(None, (", ".join(words[:-1]), words[-1]))))


def flag() -> Setting[bool]:
    """Yes or no: `1` or `0`; empty is no."""

    def parse(text: str) -> bool:
        if text.lower() not in ("", "0", "no", "1", "yes"):
            raise ValueError
        return text.lower() in ("1", "yes")

    return Setting(parse, "yes or no", "1 or 0", may_be_empty=True)


def text(kind: str = "text", *, secret: bool = False) -> Setting[str]:
    """Any one line."""
    return Setting(str, kind, "one line", secret=secret)


def _parse_host(value: str) -> str:
    try:
        if "%" in value:
            import ipaddress  # it knows scopes (fe80::1%eth0), and costs half a megabyte

            return str(ipaddress.ip_address(value))
        import socket  # most services of a small Pi never see an address

        family = socket.AF_INET6 if ":" in value else socket.AF_INET
        return socket.inet_ntop(family, socket.inet_pton(family, value))
    except (ValueError, OSError):
        if not _HOST_NAME.fullmatch(value) or re.fullmatch(r"[0-9.]+", value):
            raise ValueError from None
        return value


def host() -> Setting[str]:
    """A host name or an IP address."""
    return Setting(_parse_host, "host", "a name such as plug.local, or an IP address")


def _parse_key(value: str) -> str:
    if len(binascii.a2b_base64(value, strict_mode=True)) != 32:
        raise ValueError
    return value


def key() -> Setting[str]:
    """32 random bytes in base64, as ESPHome writes its API encryption keys."""
    return Setting(_parse_key, "key", "32 bytes in base64, 44 characters ending in =", secret=True)


def command() -> Setting[list[str]]:
    """A program and its arguments, split as a shell splits words; no shell ever sees it."""

    def parse(value: str) -> list[str]:
        words = shlex.split(value)
        if not words:
            raise ValueError
        return words

    return Setting(parse, "command", "a program and its arguments")


def path() -> Setting[Path]:
    """An absolute path."""

    def parse(value: str) -> Path:
        if not value.startswith("/"):
            raise ValueError
        return Path(value)

    return Setting(parse, "path", "absolute, beginning with /")


_UNIT = re.compile(r"[A-Za-z0-9:_.@\\][A-Za-z0-9:_.@\\-]{0,200}")


def units() -> Setting[list[str]]:
    """Names of systemd units with blanks between them, none when empty."""

    def parse(value: str) -> list[str]:
        names = value.split()
        if not all(_UNIT.fullmatch(name) for name in names):
            raise ValueError
        return names

    return Setting(parse, "list of systemd units", "such as: autofs mpd, or empty", may_be_empty=True)


def optional(setting: Setting[T]) -> Setting[T | None]:
    """The same setting, or empty: then the value is None."""

    def parse(value: str) -> T | None:
        return setting.parse(value) if value else None

    return Setting(parse, setting.kind, f"{setting.allowed}, or empty", secret=setting.secret, may_be_empty=True)
