"""The values that a rule sees, by their names, each with its age; times are seconds of a time that never jumps."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar, overload

from pimains.core.plan.sentences import duration
from pimains.rules.plan.answer import shown
from pimains.rules.plan.calendar import Now
from pimains.rules.plan.not_known import NotKnown
from pimains.shared.relays.plan.runs import DAY

PPVT, CONSO = "PPVT", "CONSO"
ALL_PPV, ALL_P, ALL_CS = "*/PPV", "*/P", "*/CS"  # what is asked for where no instance is named: that of all of them
CALENDAR, HALF_DAY, WHOLE_DAY = "calendar", "12h", "24h"
_FLOATING = frozenset((5.0, 6.0))  # float, and storage, which is a lower float
_ABSORBING_OR_FLOATING = _FLOATING | {4.0, 7.0, 247.0}  # absorption, and an equalisation, which is a higher one
_LONG_AGO = -1e12
_NAME_LONGEST = 160
T = TypeVar("T")


class Number(float):
    """A value, and its `age` in seconds."""

    __slots__ = ("age",)
    age: float


class Words(str):
    """A value that is no number, and its `age` in seconds."""

    __slots__ = ("age",)
    age: float


class Moment:
    """When it is, for all that is given: `time`, and `now` by the wall clock, None while that was not set."""

    __slots__ = ("now", "time")

    def __init__(self) -> None:
        self.time = 0.0
        self.now: Now | None = None

    def begin_of(self, day: str) -> float:
        """When the day began that is meant, as a `time`. Raises NotKnown, ValueError."""
        if day == CALENDAR:
            if self.now is None:
                raise NotKnown("the day", "the clock was not set yet")
            return self.time - self.now.seconds_since_midnight
        if day == WHOLE_DAY:
            return self.time - DAY
        if day == HALF_DAY:
            return self.time - DAY / 2
        raise ValueError(f"day={shown(day)} is none of 'calendar', '12h' and '24h'")


class Data:
    """Values by name: that of a state file, "bmv/SOC", or PPVT and CONSO; `asked` is what rules have asked for.

    A name is known once it was put; what nobody has said again for `lost_after` seconds is not known any more.
    """

    __slots__ = ("_chargers", "_lost_after", "_moment", "_values", "asked")

    def __init__(self, moment: Moment, lost_after: float) -> None:
        self._moment = moment
        self._lost_after = lost_after
        self._values: dict[str, tuple[float | str | None, float]] = {}
        self._chargers: dict[str, tuple[float, float]] = {}  # when each was last seen to leave absorption or float, and float
        self.asked: set[str] = set()

    def put(self, name: str, value: float | str | None, at: float) -> None:
        """It was so at the time `at`; None: it was there, and is not any more."""
        if name in self._chargers:
            before = self._values[name][0]
            if before != value:
                absorbing, floating = self._chargers[name]
                self._chargers[name] = (
                    at if before in _ABSORBING_OR_FLOATING and value not in _ABSORBING_OR_FLOATING else absorbing,
                    at if before in _FLOATING and value not in _FLOATING else floating,
                )
        elif name not in self._values and name.endswith("/CS"):
            self._chargers[name] = _LONG_AGO, _LONG_AGO
        self._values[name] = value, at

    @property
    def put_known(self) -> Callable[[Iterable[tuple[str, tuple[float | str | None, float]]]], None]:
        """To put several at once, each as `put` has it; none of them the state of a charger (CS)."""
        return self._values.update

    def forget(self, name: str) -> None:
        """There is no such value any more, and nobody misses it."""
        self._values.pop(name, None)
        self._chargers.pop(name, None)

    def __getitem__(self, name: str) -> Any:
        """A Number, or Words. Raises NotKnown."""
        if name in self._values:
            self.asked.add(name)
            return self._value(name)
        if name == PPVT:
            return self._sum_of(PPVT, ALL_PPV)
        if name == CONSO:
            return self._consumption()
        self.asks(name)
        raise NotKnown(name, "there is no such value")

    def asks(self, name: object) -> None:
        """A rule has asked for this, which may be anything; no value is called otherwise than in a few plain characters."""
        if isinstance(name, str) and len(name) <= _NAME_LONGEST and name.isprintable():
            self.asked.add(name)

    def _value(self, name: str) -> Any:
        value, at = self._values[name]
        age = self._moment.time - at
        if value is None or age > self._lost_after:
            raise NotKnown(name, "nobody tells it" if value is None else f"its last value is {duration(age)} old")
        known: Number | Words = Words(value) if value.__class__ is str else Number(value)
        known.age = age if age > 0.0 else 0.0
        return known

    @overload
    def get(self, name: str) -> Any: ...
    @overload
    def get(self, name: str, default: T) -> Any | T: ...
    def get(self, name: str, default: T | None = None) -> Any | T | None:
        """The same, or `default` where that is not known."""
        try:
            return self[name]
        except NotKnown:
            return default

    def __contains__(self, name: str) -> bool:
        """Whether it is known."""
        return self.get(name) is not None

    def _all(self, pattern: str) -> list[str]:
        """The names of a value of all instances that have told it."""
        self.asked.add(pattern)
        end = pattern[1:]
        return [name for name in self._values if name.endswith(end)]

    def _sum_of(self, sum_name: str, pattern: str) -> Number:
        names = self._all(pattern)
        if not names:
            raise NotKnown(sum_name, f"no instance tells {pattern[2:]}")
        try:
            parts = [self._value(name) for name in names]
            total = Number(sum(map(float, parts)))
        except ValueError:
            raise NotKnown(sum_name, f"one of {', '.join(names)} is no number") from None
        except NotKnown as part:
            raise NotKnown(sum_name, f"{part.name}: {part.why}") from None
        total.age = max(part.age for part in parts)
        return total

    def _consumption(self) -> Number:
        """What is used now: what the panels give, less what the battery takes (positive P)."""
        produced = self._sum_of(CONSO, ALL_PPV)
        battery = self._sum_of(CONSO, ALL_P)
        used = Number(produced - battery)
        used.age = max(produced.age, battery.age)
        return used

    def charger_is(self, which: int, within: float) -> bool:
        """Whether any charger is in absorption or float (0), or in float (1), or left that less than `within` seconds ago."""
        states = (_ABSORBING_OR_FLOATING, _FLOATING)[which]
        names = self._all(ALL_CS)
        if not names:
            raise NotKnown("CS", "no charger tells it")
        since = self._moment.time - within
        return any(self._value(name) in states or self._chargers[name][which] > since for name in names)
