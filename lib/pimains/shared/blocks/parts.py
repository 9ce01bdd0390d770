"""What a block consists of: the fields that are filled in on it, and the places where other blocks go.

Each field tells what is wrong with a value that somebody has sent for it: "" if nothing is.
"""

import math
import re
from typing import NamedTuple

from pimains.core import settings
from pimains.core.plan.text import one_line, shortened

NUMBER, BOOLEAN, TEXT = "Number", "Boolean", "String"  # what a block may give, as Blockly calls it
THIS = "this"  # the relay whose rule it is
_TEXT_LONGEST = 200
_VALUE_LONGEST = 160
_VALUE = re.compile(r"[A-Za-z0-9_@-][A-Za-z0-9_.@-]{0,99}(/[A-Za-z0-9_@-][A-Za-z0-9_.@-]{0,99}){1,3}")
_FILE = re.compile(r"[A-Za-z0-9_@-][A-Za-z0-9_.@-]{0,99}")
_TIMER = re.compile(r"[\w.-]+(?: [\w.-]+)*")
_TIMER_LONGEST = 40
_TIME = re.compile(r"([0-9]|[01][0-9]|2[0-4]):([0-5][0-9])")
_RELAY = re.compile(r"[1-9][0-9]{0,2}")


class Words(NamedTuple):
    """The same in the languages of the page."""

    en: str
    de: str
    fr: str

    def of(self, language: str) -> str:
        """In this one; English where there is no other."""
        return {"de": self.de, "fr": self.fr}.get(language, self.en)


def same(sign: str) -> Words:
    """What is written alike everywhere."""
    return Words(sign, sign, sign)


NOTHING = same("")


def quoted(what: object) -> str:
    """What somebody has sent, in a line that says what is wrong with it."""
    return shortened(one_line(repr(what)[:200]), 60)


class Choice(NamedTuple):
    """One of several words; the first is that of a new block."""

    name: str
    options: tuple[tuple[str, Words], ...]

    def fault(self, value: object) -> str:
        """What is wrong with it."""
        words = [option for option, _ in self.options]
        return "" if isinstance(value, str) and value in words else f"{quoted(value)} is none of {', '.join(words)}"


class Amount(NamedTuple):
    """A number from `least` to `most`; `at_first` is that of a new block."""

    name: str
    least: float
    most: float
    at_first: float
    is_whole: bool = False

    def fault(self, value: object) -> str:
        """What is wrong with it."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return f"{quoted(value)} is no number"
        if self.is_whole and value != int(value):
            return f"{quoted(value)} is no whole number"
        return "" if self.least <= value <= self.most else f"{quoted(value)} is not from {self.least:.12g} to {self.most:.12g}"


class Written(NamedTuple):
    """A text of some `kind`: "text", or the name of a "value", "file", "host" or "timer" (or of what holds), or a "time" of day."""

    name: str
    kind: str
    at_first: str = ""

    def fault(self, value: object) -> str:
        """What is wrong with it."""
        if not isinstance(value, str):
            return f"{quoted(value)} is no text"
        return _FAULTS[self.kind](value)


class OfRelay(NamedTuple):
    """Which relay: its number as a text, or THIS."""

    name: str

    def fault(self, value: object) -> str:
        """What is wrong with it."""
        if isinstance(value, str) and (value == THIS or _RELAY.fullmatch(value)):
            return ""
        return f"{quoted(value)} is no relay's number, 1-999, nor {THIS}"


class OfVariable(NamedTuple):
    """Which of the workspace's variables."""

    name: str

    def fault(self, value: object) -> str:
        """What is wrong with it; whether there is such a variable, the workspace knows."""
        is_one = isinstance(value, dict) and isinstance(value.get("id"), str)
        return "" if is_one else f"{quoted(value)} is no variable"


Field = Choice | Amount | Written | OfRelay | OfVariable


class Value(NamedTuple):
    """A place for a block that gives one of `types`; `shadow` is what a new block has there: its type, and its fields by the language."""

    name: str
    types: tuple[str, ...]
    shadow: tuple[str, dict[str, object]] | None = None
    is_optional: bool = False


class Statements(NamedTuple):
    """A place for a row of blocks that do something."""

    name: str


Part = Field | Value | Statements
HAT, STATEMENT, LAST, VALUE = "hat", "statement", "last", "value"


class Category(NamedTuple):
    """Blocks that stand together, in one colour."""

    name: str
    words: Words
    colour: str


class Block(NamedTuple):
    """`words` has %1, %2 ... where its parts go; `gives` is the type of a value.

    `shape`: HAT begins a rule, a STATEMENT may be followed by others, nothing follows a LAST one, and a VALUE is a part of others.
    """

    type: str
    category: str
    shape: str
    gives: str
    words: Words
    tip: Words
    parts: tuple[Part, ...] = ()

    @property
    def fields(self) -> dict[str, Field]:
        """By their names."""
        return {part.name: part for part in self.parts if isinstance(part, Field)}

    @property
    def values(self) -> dict[str, Value]:
        """By their names."""
        return {part.name: part for part in self.parts if isinstance(part, Value)}

    @property
    def statements(self) -> dict[str, Statements]:
        """By their names."""
        return {part.name: part for part in self.parts if isinstance(part, Statements)}


def number_place(name: str, at_first: float = 0) -> Value:
    """A place for a number."""
    return Value(name, (NUMBER,), ("number", {"NUM": at_first}))


def text_place(name: str, at_first: Words = NOTHING, *, also: tuple[str, ...] = (), is_optional: bool = False) -> Value:
    """A place for a text, or what else is as good."""
    return Value(name, (TEXT, *also), ("text", {"TEXT": at_first}), is_optional)


def condition_place(name: str) -> Value:
    """A place for what is so or not."""
    return Value(name, (BOOLEAN,))


def minutes_of(time: str) -> int:
    """Since midnight, of a time of day that is one."""
    hour, _, minute = time.partition(":")
    return int(hour) * 60 + int(minute)


def _text_fault(text: str) -> str:
    if len(text) > _TEXT_LONGEST:
        return f"a text of more than {_TEXT_LONGEST} characters: {quoted(text)}"
    return "" if text.replace("\N{NO-BREAK SPACE}", " ").isprintable() else f"{quoted(text)} has a character in it that cannot be shown"


def _value_fault(text: str) -> str:
    if len(text) <= _VALUE_LONGEST and _VALUE.fullmatch(text):
        return ""
    return f"{quoted(text)} is no name of a value, INSTANCE/NAME such as vedirect.bmv/SOC"


def _file_fault(text: str) -> str:
    return "" if _FILE.fullmatch(text) else f"{quoted(text)} is no file's name: one without /, not beginning with a dot"


def _timer_fault(text: str) -> str:
    if len(text) <= _TIMER_LONGEST and _TIMER.fullmatch(text) and text.isprintable():
        return ""
    return f"{quoted(text)} is no name such as noon rest: at most {_TIMER_LONGEST} letters, digits, blanks, dots and dashes"


def _host_fault(text: str) -> str:
    try:
        if not text.startswith("-") and settings.host().parse(text) == text:
            return ""
    except ValueError:
        pass
    return f"{quoted(text)} is no host, such as pc.lan or 192.168.1.7"


def _time_fault(text: str) -> str:
    is_one = _TIME.fullmatch(text) and minutes_of(text) <= minutes_of("24:00")
    return "" if is_one else f"{quoted(text)} is no time of day, 0:00-24:00"


_FAULTS = {
    "text": _text_fault,
    "value": _value_fault,
    "file": _file_fault,
    "host": _host_fault,
    "timer": _timer_fault,
    "time": _time_fault,
}
