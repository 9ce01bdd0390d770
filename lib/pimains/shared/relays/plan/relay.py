"""One relay: what its settings allow, what people and rules want of it, what its contact has done."""

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any, NamedTuple

from pimains.shared.relays.plan.day_time import QuietHours, next_at
from pimains.shared.relays.plan.modes import AUTO, OFF, ON, Mode
from pimains.shared.relays.plan.runs import Run, Runs

KEEP = "keep"


class Limits(NamedTuple):
    """What settings say; times in seconds, `watts` is what its load draws, None or "" is no limit, no group."""

    name: str = ""
    min_on: float = 0.0
    min_off: float = 0.0
    max_on_per_day: float | None = None
    max_switches_per_day: int | None = None
    quiet_hours: QuietHours | None = None
    priority: int = 0
    group: str = ""
    watts: float = 0.0
    forced_for: float | None = None
    at_start: str = KEEP
    on_lost: str = OFF
    on_stop: str = KEEP
    on_halt: str = OFF


class Wish(NamedTuple):
    """What a rule or a script wants, why, and when it said so."""

    is_on: bool
    why: str
    at: float


class GroupLimit(NamedTuple):
    """How many relays of a group may be on at a time, or how many watts."""

    most: float
    is_watts: bool

    def __str__(self) -> str:
        return f"{self.most:g}{'W' if self.is_watts else ''}"


class Relay:
    """All that is known of one; `mode_ends` is None while it does not end, or while no clock tells when."""

    # no dataclass: their module costs a megabyte and a half
    def __init__(self, number: str, limits: Limits, runs: Runs, without_wish_since: float = 0.0) -> None:
        self.number = number
        self.limits = limits
        self.runs = runs
        self.mode = Mode(AUTO)
        self.mode_ends: float | None = None
        self.wish: Wish | None = None
        self.lost_because = ""  # what its rule says that cannot tell; "" where none says anything
        self.without_wish_since = without_wish_since
        self.waits_for_person = False
        self.mode_ends_at_wall: float | None = None  # of an `until`, once a clock that was set has told
        self.closed_by_rule_at: float | None = None

    @property
    def is_on(self) -> bool:
        """Whether its contact is closed."""
        return self.runs.is_on

    @property
    def title(self) -> str:
        """Its number, and its name if it has one."""
        return f"relay {self.number}{f' ({self.limits.name})' if self.limits.name else ''}"

    def say(self, mode: Mode, now: float) -> None:
        """A person wants it so from now on."""
        self.mode, self.mode_ends, self.mode_ends_at_wall, self.waits_for_person = mode, None, None, False
        seconds = mode.seconds
        if mode.word == ON and seconds is None and mode.until is None:
            seconds = self.limits.forced_for
        if seconds is not None:
            self.mode_ends = now + seconds

    def end_mode(self) -> None:
        """What a person wanted is over."""
        self.mode, self.mode_ends, self.mode_ends_at_wall = Mode(AUTO), None, None

    def settle(self, now: float, wall: float | None, zone: tzinfo | None) -> None:
        """A mode that is over ends; an `until` finds its end once the clock is set: `wall`, None before."""
        if self.mode.until is not None and self.mode_ends is None and wall is not None:
            if self.mode_ends_at_wall is None:
                self.mode_ends_at_wall = next_at(self.mode.until, wall, zone)
            self.mode_ends = now + self.mode_ends_at_wall - wall
        if self.mode_ends is not None and self.mode_ends <= now:
            self.end_mode()

    def ask(self, wish: Wish | None, now: float, lost_because: str = "") -> None:
        """A rule wants it so; None: there is no wish any more, where the rule says so itself `lost_because` of something."""
        if wish is None and self.wish is not None:
            self.without_wish_since = now
        self.wish, self.lost_because = wish, lost_because

    def kept(self) -> dict[str, Any]:
        """What has to be known of it after a restart, for JSON."""
        return {
            "opened_at": self.runs.opened_at,
            "runs": [list(run) for run in self.runs.all],
            "mode": list(self.mode),
            "mode_ends": self.mode_ends,
            "mode_ends_at_wall": self.mode_ends_at_wall,
            "waits_for_person": self.waits_for_person,
            "closed_by_rule_at": self.closed_by_rule_at,
        }

    def recall(self, kept: Mapping[str, Any]) -> None:
        """Take up what was kept. Raises KeyError, TypeError or ValueError for what cannot be it; then nothing has changed."""
        runs = Runs(float(kept["opened_at"]), [_run(*each) for each in kept["runs"]])
        if any(run.end is None for run in runs.all[:-1]):
            raise ValueError
        word, seconds, until = kept["mode"]
        if word not in (OFF, AUTO, ON):
            raise ValueError
        mode = Mode(word, None if seconds is None else float(seconds), None if until is None else int(until))
        ends, at_wall = (None if kept[name] is None else float(kept[name]) for name in ("mode_ends", "mode_ends_at_wall"))
        by_rule = kept.get("closed_by_rule_at")  # what a release before this one has kept has none
        self.closed_by_rule_at = None if by_rule is None else float(by_rule)
        self.runs, self.mode, self.mode_ends, self.mode_ends_at_wall = runs, mode, ends, at_wall
        self.waits_for_person = bool(kept["waits_for_person"])

    def boot(self, last_seen: float, unseen: float) -> None:
        """The machine has booted since: all contacts were open, no wish is of now, and AT_START may want a person first."""
        self.runs.boot(last_seen, unseen)
        if self.mode_ends_at_wall is not None:
            self.mode_ends = None  # the clock tells anew: nobody else knows how long the machine was off
        self.wish, self.lost_because, self.without_wish_since = None, "", last_seen
        self.waits_for_person = self.limits.at_start == OFF


def _run(begin: float, end: float | None, unseen: float) -> Run:
    return Run(float(begin), None if end is None else float(end), float(unseen))
