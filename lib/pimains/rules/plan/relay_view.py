"""What a rule sees of relays, and the memory that it has of its own: timers."""

from collections.abc import Iterator, Mapping

from pimains.rules.plan.answer import Nonsense, shown
from pimains.rules.plan.data import CALENDAR, Data, Moment
from pimains.rules.plan.not_known import NotKnown
from pimains.shared.relays.plan.relay import Relay

_NAME_LONGEST = 100


class Timer:
    """A rule's own: it is `running`, or `over`, or neither before it was started."""

    __slots__ = ("_name", "_timers")

    def __init__(self, name: str, timers: "Timers") -> None:
        if not isinstance(name, str) or not name.isprintable() or len(name) > _NAME_LONGEST:
            raise Nonsense(f"{shown(name)} is no timer's name, which is a text of at most {_NAME_LONGEST} characters")
        self._name, self._timers = name, timers

    def start(self, seconds: float = 0.0) -> None:
        """Let it run from now on, anew if it was started before."""
        self._timers.started[self._name] = self._timers.moment.time, float(seconds)
        self._timers.has_changed = True

    def stop(self) -> None:
        """Forget that it was started."""
        if self._timers.started.pop(self._name, None):
            self._timers.has_changed = True

    @property
    def seconds(self) -> float | None:
        """How long ago it was started; None if it was not."""
        started = self._timers.started.get(self._name)
        return None if started is None else self._timers.moment.time - started[0]

    @property
    def running(self) -> bool:
        """Whether it was started, and is not over yet."""
        started = self._timers.started.get(self._name)
        return started is not None and self._timers.moment.time - started[0] < started[1]

    @property
    def over(self) -> bool:
        """Whether it was started, and has run its time."""
        return self.seconds is not None and not self.running


class Timers:
    """Those of one relay: by their names, when they were started, and for how many seconds."""

    __slots__ = ("has_changed", "moment", "started")

    def __init__(self, moment: Moment, started: Mapping[str, tuple[float, float]] = {}) -> None:
        self.moment = moment
        self.started = dict(started)
        self.has_changed = False


class RelayView:
    """What a rule sees of a relay; durations are in seconds, None for what never was."""

    __slots__ = ("_data", "_moment", "_relay", "number", "timers", "was_on")

    def __init__(self, relay: Relay, moment: Moment, data: Data, timers: Timers | None = None) -> None:
        self._relay, self._moment, self._data = relay, moment, data
        self.number = int(relay.number)
        self.timers = timers or Timers(moment)
        self.was_on: bool | None = None  # whether it really was on, in a replay whose values have that in them

    @property
    def name(self) -> str:
        """What it switches; "" if nobody has said."""
        return self._relay.limits.name

    @property
    def watts(self) -> float:
        """What its load draws, in W."""
        return self._relay.limits.watts

    @property
    def drawn(self) -> float:
        """What its load draws now, by its settings, in W; in a replay what it drew then, which the values of then have in them."""
        return self.watts if (self.on if self.was_on is None else self.was_on) else 0.0

    @property
    def priority(self) -> int:
        """0-100, the lower one gives way."""
        return self._relay.limits.priority

    @property
    def min_on(self) -> float:
        """How long its guards leave it on at least."""
        return self._relay.limits.min_on

    @property
    def on(self) -> bool:
        """Whether its contact is closed."""
        return self._relay.runs.is_on

    @property
    def mode(self) -> str:
        """What a person wants: "off", "auto" or "on"."""
        return self._relay.mode.word

    @property
    def on_for(self) -> float | None:
        """How long it has been on; None while it is off."""
        runs = self._relay.runs
        return self._moment.time - runs.closed_at if runs.is_on else None

    @property
    def off_for(self) -> float | None:
        """How long it has been off, at least; None while it is on."""
        runs = self._relay.runs
        return None if runs.is_on else self._moment.time - runs.opened_at

    @property
    def last_on(self) -> float | None:
        """How long ago it last came on."""
        runs = self._relay.runs.all
        return self._moment.time - runs[-1].begin if runs else None

    @property
    def last_off(self) -> float | None:
        """How long ago it last went off."""
        ends = [run.end for run in self._relay.runs.all[-2:] if run.end is not None]
        return self._moment.time - ends[-1] if ends else None

    @property
    def last_on_by_rule(self) -> float | None:
        """How long ago it last came on because a rule, and no person, wanted it."""
        at = self._relay.closed_by_rule_at
        return None if at is None else self._moment.time - at

    def on_today(self, day: str = CALENDAR) -> bool:
        """Whether it came on since midnight, or within the last "12h" or "24h"."""
        begin = self._moment.begin_of(day)
        runs = self._relay.runs.all
        return bool(runs) and runs[-1].begin >= begin

    def switched_off_today(self, day: str = CALENDAR) -> bool:
        """Whether it went off since then."""
        begin = self._moment.begin_of(day)
        return any(run.end is not None and run.end >= begin for run in self._relay.runs.all[-2:])

    def starts_today(self, day: str = CALENDAR) -> int:
        """How often it came on since then."""
        begin = self._moment.begin_of(day)
        return len([run for run in self._relay.runs.all if run.begin >= begin])

    def seconds_on_today(self, day: str = CALENDAR) -> float:
        """How long it was on since then."""
        begin, time = self._moment.begin_of(day), self._moment.time
        spans = [(run.begin, time if run.end is None else run.end) for run in self._relay.runs.all]
        return sum(end - max(start, begin) for start, end in spans if end > begin)

    def absorbing_or_floating(self, within: float = 60.0) -> bool:
        """Whether a charger is in absorption or float, or was so less than `within` seconds ago. Raises NotKnown."""
        return self._data.charger_is(0, within)

    def floating(self, within: float = 60.0) -> bool:
        """The same for float alone."""
        return self._data.charger_is(1, within)

    def timer(self, name: str) -> Timer:
        """The timer of this name, each relay has its own; those of others may be looked at."""
        return Timer(name, self.timers)

    def held(self, name: str, condition: object, wake: float = 0.0) -> float:
        """For how many seconds `condition` has been true whenever a rule called this, 0 if it is not; `name` tells conditions apart.

        Once it has been so for `wake` seconds, the rule is asked again even if nothing else changes.
        """
        timer = Timer(name, self.timers)
        if not condition:
            timer.stop()
            return 0.0
        seconds = timer.seconds
        if seconds is None:
            timer.start(wake)
            return 0.0
        return seconds


class Relays:
    """All relays by their numbers."""

    __slots__ = ("_views",)

    def __init__(self) -> None:
        self._views: dict[int, RelayView] = {}

    def put(self, view: RelayView) -> None:
        """There is this one."""
        self._views[view.number] = view

    def forget(self, number: int) -> None:
        """It is no more."""
        self._views.pop(number, None)

    def __getitem__(self, number: int) -> RelayView:
        """Raises NotKnown."""
        try:
            return self._views[number]
        except KeyError:
            raise NotKnown(f"relays[{shown(number)}]", "there is no such relay") from None

    def get(self, number: int) -> RelayView | None:
        """The same, or None."""
        return self._views.get(number)

    def __contains__(self, number: int) -> bool:
        return number in self._views

    def __iter__(self) -> Iterator[RelayView]:
        return iter(self._views.values())

    def __len__(self) -> int:
        return len(self._views)
