"""What a HomeMatic CCU is to show of the UPSes: which system variables, of which types, with which values, and when.

The names are those that NUT's users in HomeMatic houses know: PREFIX and NUT's name (sv_USV_battery.charge; of the second UPS
sv_USV_cellar.battery.charge), battery.runtime_s as HH:MM:SS, ccu.time when it was written, sv_USV-Monitor with all of them in a line, and
the alarm variable UPS@HOST-Alarm. A UPS that cannot be read has 0 everywhere.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import NamedTuple, TypeAlias

from pimains.core.plan.back_off import wait_seconds
from pimains.core.plan.text import one_line

NUMBERS = ("battery.charge", "battery.runtime", "battery.voltage", "input.voltage", "output.voltage", "ups.load")
TEXTS = ("device.model", "ups.status")
ALARM, LOST, WORDS = "alarm", "lost", "words"
STATE_FILES = (*NUMBERS, *TEXTS, ALARM, LOST, WORDS)
_TOGETHER_SECONDS = 5.0  # numbers that change are gathered for so long: each round is a login
_FLAPPING_SECONDS = 2.0  # even a status that changes all the time has no more rounds
_AWAY_SECONDS = 30.0
_AWAY_SECONDS_MAX = 600.0
_NEVER = float("-inf")
# as SysVar.getAll calls them: the first name is a CCU's, the last that of its simulations; setBool sets both kinds of yes or no
_TYPES = {float: ("NUMBER", "FLOAT"), bool: ("ALARM", "LOGIC", "BOOL"), str: ("STRING",)}
_TO_CREATE = {float: "number", bool: "alarm", str: "character string"}
Value: TypeAlias = float | bool | str


class When(Enum):
    """What a changed value does: have the CCU told at once, with others soon, or no more than go along."""

    AT_ONCE = 1
    SOON = 2
    ALONG = 3


class Wanted(NamedTuple):
    """A value for a variable; whether its lack is told: there are UPSes without a voltage."""

    value: Value
    when: When
    is_needed: bool = True


class Seen(NamedTuple):
    """A UPS as its state files have it; `prefix` is "" or its name and a dot, `at` is UPS@HOST."""

    prefix: str
    at: str
    files: Mapping[str, str]

    @property
    def is_lost(self) -> bool:
        """Whether it cannot be read."""
        return LOST in self.files


class Variable(NamedTuple):
    """A system variable of the CCU; `bounds` of its numbers, None where there are none."""

    type: str
    bounds: tuple[float, float] | None = None


class Choice(NamedTuple):
    """What is written, and what people are told of the rest."""

    write: Mapping[str, Value]
    told: Sequence[str]


def wanted(upses: Sequence[Seen], prefix: str, time: str) -> dict[str, Wanted]:
    """Each variable's value; `time` as people read it."""
    found = {}
    for ups in upses:
        found[f"{ups.at}-Alarm"] = Wanted(ALARM in ups.files, When.AT_ONCE)
        found |= {f"{prefix}{ups.prefix}{name}": value for name, value in _values(ups)}
    found[f"{prefix}ccu.time"] = Wanted(time, When.ALONG)
    found[f"{prefix.rstrip('_')}-Monitor"] = Wanted("; ".join(_listed(ups) for ups in upses), When.ALONG)
    return found


def _values(ups: Seen) -> Iterator[tuple[str, Wanted]]:
    for name in NUMBERS:
        number = 0.0 if ups.is_lost else float(ups.files.get(name, 0))
        yield name, Wanted(number, When.SOON, name in ups.files)
        if name == "battery.runtime":
            yield f"{name}_s", Wanted(_clock(int(number)), When.SOON, name in ups.files)
    for name in TEXTS:
        text = "0" if ups.is_lost else one_line(ups.files.get(name, "0"))
        yield name, Wanted(text, When.AT_ONCE if name == "ups.status" else When.SOON, name in ups.files)


def _listed(ups: Seen) -> str:
    values = [] if ups.is_lost else [f"{name} {ups.files[name]}" for name in (*NUMBERS, *TEXTS) if name in ups.files]
    return one_line(" | ".join([f"{ups.at}: {ups.files.get(WORDS, '')}", *values]))


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def choose(values: Mapping[str, Wanted], there: Mapping[str, Variable], *, takes_strings: bool) -> Choice:
    """Which of `values` go into the variables that are `there`."""
    write: dict[str, Value] = {}
    missing: dict[type, list[str]] = {}
    told = []
    for name, (value, _, is_needed) in values.items():
        variable = there.get(name)
        if variable is None:
            if is_needed:
                missing.setdefault(type(value), []).append(name)
        elif why_not := _why_not(value, variable):
            told.append(f"{name} {why_not}")
        elif takes_strings or not isinstance(value, str):
            write[name] = value
    if not takes_strings:
        told.insert(0, "it takes no character strings: its firmware has no SysVar.setString; numbers and alarms are written")
        missing.pop(str, None)
    lists = [f"{_TO_CREATE[kind]}: {', '.join(names)}" for kind, names in missing.items()]
    return Choice(write, [*([f"it lacks system variables; to create as {'; as '.join(lists)}"] if lists else []), *told])


def _why_not(value: Value, variable: Variable) -> str:
    types = _TYPES[type(value)]
    if variable.type not in types:
        return f"is a variable of type {variable.type} and is not written: it has to be of type {_TO_CREATE[type(value)]}"
    if isinstance(value, str) and "\\" in value:
        return "is not written: its text has a backslash, with which older CCUs take the rest for a script"
    if isinstance(value, float) and variable.bounds and not variable.bounds[0] <= value <= variable.bounds[1]:
        return f"takes {variable.bounds[0]:g} to {variable.bounds[1]:g} only and is not written: widen that in the CCU"
    return ""


class Rounds(NamedTuple):
    """How far the CCU is told; times are monotonic seconds, `written` what there was to write then."""

    written: Mapping[str, Value] = {}
    at: float = _NEVER
    all_at: float = _NEVER
    not_before: float = _NEVER
    failures: int = 0

    def next_at(self, values: Mapping[str, Wanted], seconds: float) -> float:
        """When the next round is due; all values are written each `seconds`."""
        changed = {each.when for name, each in values.items() if self.written.get(name) != each.value}
        soonest = self.all_at + seconds
        if When.AT_ONCE in changed:
            soonest = min(soonest, self.at + _FLAPPING_SECONDS)
        elif When.SOON in changed:
            soonest = min(soonest, self.at + _TOGETHER_SECONDS)
        return max(soonest, self.not_before)

    def is_for_all(self, now: float, seconds: float) -> bool:
        """Whether all values are written, and not only what has changed."""
        return now >= self.all_at + seconds

    def of(self, values: Mapping[str, Wanted]) -> dict[str, Wanted]:
        """Those that have changed, and the ones that go along."""
        return {name: each for name, each in values.items() if each.when is When.ALONG or self.written.get(name) != each.value}

    def done(self, values: Mapping[str, Wanted], now: float, *, for_all: bool) -> "Rounds":
        """The CCU has them."""
        return Rounds({name: each.value for name, each in values.items()}, now, now if for_all else self.all_at)

    def failed(self, now: float, leave_alone_seconds: float = 0.0) -> "Rounds":
        """It could not be told: from then on all is written."""
        pause = wait_seconds(self.failures, first=_AWAY_SECONDS, longest=_AWAY_SECONDS_MAX)
        return Rounds(at=now, not_before=now + max(pause, leave_alone_seconds), failures=self.failures + 1)
