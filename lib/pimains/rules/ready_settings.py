"""What a ready-made rule may be told: the files in its directory `<n>.rule`, line 1 the value, then what it means.

KIND says which of the kinds below it is; services/rules/ready/<kind>/ has the files of a new one.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from pimains.core.settings import Setting, Settings, choice, flag, integer, number, optional
from pimains.rules.plan.ready import day_spans
from pimains.rules.plan.ready.after import After
from pimains.rules.plan.ready.by_file import ByFile
from pimains.rules.plan.ready.daily import Daily
from pimains.rules.plan.ready.day_spans import Moment, Span
from pimains.rules.plan.ready.floating import Floating
from pimains.rules.plan.ready.readings import Charge
from pimains.rules.plan.ready.schedule import Schedule
from pimains.rules.plan.ready.surplus import Surplus
from pimains.shared.relays.relay_settings import time_span

Ready = Surplus | Floating | Daily | After | Schedule | ByFile
ANY, SURPLUS, FLOAT = "any", "surplus", "float"
_NAME = re.compile(r"[A-Za-z0-9_.@-]{1,100}(/[A-Za-z0-9_.@-]{1,100}){0,3}")
_FILE = re.compile(r"[A-Za-z0-9_@-][A-Za-z0-9_.@-]{0,99}")
_MOST_WATTS = 999_999
_WITHIN = 60.0  # seconds that a charger's state which it has left still counts
_EVERY_DAY, _EVERY_MONTH = frozenset(range(1, 8)), frozenset(range(1, 13))


class Value(NamedTuple):
    """The name of a value in W; `is_import`: what it has positive is no surplus, but bought."""

    name: str
    is_import: bool


def _parse_value(text: str) -> Value:
    name = text.removeprefix("-")
    if not _NAME.fullmatch(name) or name.startswith("-"):
        raise ValueError
    return Value(name, text.startswith("-"))


def _value() -> Setting[Value]:
    return Setting(_parse_value, "value", "INSTANCE/NAME such as vedirect.bmv/P; a - before it where positive is import")


def _parse_name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError
    return text


def _soc() -> Setting[str | None]:
    return optional(Setting(_parse_name, "value", "INSTANCE/NAME such as vedirect.bmv/SOC"))


def _percent() -> Setting[float]:
    return number(0, 100, "state of charge in %")


def _watts() -> Setting[float]:
    return number(-_MOST_WATTS, _MOST_WATTS, "power in W")


def _moment() -> Setting[Moment]:
    return Setting(day_spans.parse_moment, "time of day", day_spans.ALLOWED_MOMENT)


def _parse_file(text: str) -> str:
    if not _FILE.fullmatch(text):
        raise ValueError
    return text


class OfKind(Settings):
    """What all kinds have in common."""

    def made(self, present: Callable[[str], bool]) -> Ready:
        """The rule; `present` tells it whether a file below RULES_FILES is there."""
        raise NotImplementedError

    def _needs(self, name: str, why: str) -> None:
        if self.values[name] is None:
            raise self.wrong(name, f"is empty; {why}")


class SurplusSettings(OfKind):
    """More power is there than is used."""

    KIND = choice("surplus")
    VALUE = _value()
    START_WATTS = _watts()
    START_SECONDS = time_span()
    STOP_WATTS = optional(_watts())
    STOP_SECONDS = time_span()
    SOC = _soc()
    SOC_MIN = _percent()

    def check_together(self) -> None:
        """What stops it is not more than what starts it."""
        if self.STOP_WATTS is not None and self.STOP_WATTS > self.START_WATTS:
            raise self.wrong("STOP_WATTS", f"is more than START_WATTS {self.START_WATTS:g}: it would stop at once")
        if self.SOC_MIN:
            self._needs("SOC", "SOC_MIN needs the value that it is compared with, such as vedirect.bmv/SOC")

    def made(self, present: Callable[[str], bool]) -> Surplus:  # noqa: ARG002  # as the others
        """The rule."""
        charge = Charge(self.SOC or "", self.SOC_MIN)
        name, is_import = self.VALUE
        return Surplus(name, self.START_WATTS, self.START_SECONDS, self.STOP_WATTS, self.STOP_SECONDS, charge, is_import)


class FloatSettings(OfKind):
    """The charger of an isolated system holds back."""

    KIND = choice("float")
    STATE = choice("absorption", "float")
    WITHIN = time_span()
    VALUE = _soc()
    GIVES_WATTS = number(0, _MOST_WATTS, "power in W")
    START_SECONDS = time_span()
    STOP_SECONDS = time_span()
    SOC = _soc()
    SOC_MIN = _percent()

    def check_together(self) -> None:
        """A bound needs what it bounds."""
        if self.SOC_MIN:
            self._needs("SOC", "SOC_MIN needs the value that it is compared with, such as vedirect.bmv/SOC")

    def made(self, present: Callable[[str], bool]) -> Floating:  # noqa: ARG002  # as the others
        """The rule."""
        charge = Charge(self.SOC or "", self.SOC_MIN)
        is_float = self.STATE == "float"
        return Floating(is_float, self.WITHIN, self.VALUE or "", self.GIVES_WATTS, self.START_SECONDS, self.STOP_SECONDS, charge)


class DailySettings(OfKind):
    """So many minutes each day."""

    KIND = choice("daily")
    MINUTES = number(1, 1440, "number of minutes")
    FROM = _moment()
    TO = _moment()
    WHEN = choice(ANY, SURPLUS, FLOAT)
    MUST = flag()
    RUNS = integer(1, 24, "number of runs")
    VALUE = optional(_value())
    START_WATTS = optional(_watts())
    START_SECONDS = time_span()
    STOP_WATTS = optional(_watts())
    STOP_SECONDS = time_span()

    def check_together(self) -> None:
        """They fit between FROM and TO, and a surplus has its value."""
        if not self.FROM.sun and not self.TO.sun:
            if self.FROM.minutes >= self.TO.minutes:
                raise self.wrong("TO", f"is not after FROM {self.FROM}: a day goes from 0:00 to 24:00")
            if self.TO.minutes - self.FROM.minutes < self.MINUTES:
                raise self.wrong("MINUTES", f"are more than there are from FROM {self.FROM} to TO {self.TO}")
        if self.WHEN == SURPLUS:
            self._needs("VALUE", "WHEN surplus needs the value that tells it, such as vedirect.bmv/P")
            self._needs("START_WATTS", "WHEN surplus needs the power from which on it is one")
            if self.STOP_WATTS is not None and (self.START_WATTS or 0) < self.STOP_WATTS:
                raise self.wrong("STOP_WATTS", f"is more than START_WATTS {self.START_WATTS:g}: it would stop at once")

    def made(self, present: Callable[[str], bool]) -> Daily:  # noqa: ARG002  # as the others
        """The rule."""
        return Daily(self.MINUTES, self.FROM, self.TO, self._when(), self.MUST, self.RUNS)

    def _when(self) -> Surplus | Floating | None:
        if self.WHEN == FLOAT:
            battery = self.VALUE.name if self.VALUE else ""
            return Floating(False, _WITHIN, battery, 0.0, self.START_SECONDS, self.STOP_SECONDS, Charge())
        if self.WHEN == SURPLUS and self.VALUE is not None and self.START_WATTS is not None:
            name, is_import = self.VALUE
            return Surplus(name, self.START_WATTS, self.START_SECONDS, self.STOP_WATTS, self.STOP_SECONDS, Charge(), is_import)
        return None


class AfterSettings(OfKind):
    """After another relay."""

    KIND = choice("after")
    RELAY = integer(1, 999, "relay's number")
    WHEN = choice("on", "finished")
    SECONDS = time_span()
    FOR = optional(time_span())

    def check_together(self) -> None:
        """It is another one."""
        if self.directory.stem == str(self.RELAY):
            raise self.wrong("RELAY", f"{self.RELAY} is the relay of this rule: it is to come after another one")

    def made(self, present: Callable[[str], bool]) -> After:  # noqa: ARG002  # as the others
        """The rule."""
        return After(self.RELAY, self.WHEN == "finished", self.SECONDS, self.FOR)


class ScheduleSettings(OfKind):
    """At some times."""

    KIND = choice("schedule")
    TIMES: Setting[tuple[Span, ...]] = Setting(day_spans.parse_spans, "list of times", "such as 6:30-8:00 17:00-sunset")
    DAYS: Setting[frozenset[int] | None] = optional(Setting(day_spans.parse_days, "list of days", "such as mon-fri sun"))
    MONTHS: Setting[frozenset[int] | None] = optional(Setting(day_spans.parse_months, "list of months", "such as 4-9, or 10-3"))

    def made(self, present: Callable[[str], bool]) -> Schedule:  # noqa: ARG002  # as the others
        """The rule."""
        return Schedule(self.TIMES, self.DAYS or _EVERY_DAY, self.MONTHS or _EVERY_MONTH)


class FileSettings(OfKind):
    """While a file is there."""

    KIND = choice("file")
    FILE: Setting[str] = Setting(_parse_file, "file's name", "a name without / below RULES_FILES, not beginning with a dot")
    SOC = _soc()
    SOC_MIN = _percent()

    def check_together(self) -> None:
        """A bound needs what it bounds."""
        if self.SOC_MIN:
            self._needs("SOC", "SOC_MIN needs the value that it is compared with, such as vedirect.bmv/SOC")

    def made(self, present: Callable[[str], bool]) -> ByFile:
        """The rule."""
        return ByFile(self.FILE, Charge(self.SOC or "", self.SOC_MIN), present)


KINDS: dict[str, type[OfKind]] = {
    "surplus": SurplusSettings,
    "float": FloatSettings,
    "daily": DailySettings,
    "after": AfterSettings,
    "schedule": ScheduleSettings,
    "file": FileSettings,
}


def template(templates: Path, kind: str) -> Path:
    """The directory with the files of a new rule of this kind; `templates` is services/."""
    return templates / "rules/ready" / kind
