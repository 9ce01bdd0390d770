"""What a contact has done in the last 24 hours: when it closed and opened, by a time that never jumps.

That time goes on over restarts and reboots: it stands still while the machine is off, which can only make the guards stricter.
"""

from collections.abc import Sequence
from typing import NamedTuple

DAY = 86400.0
MOST_RUNS = 600


class Run(NamedTuple):
    """The contact was closed from `begin` to `end`, which is None as long as it is; `unseen` seconds more it may have been."""

    begin: float
    end: float | None = None
    unseen: float = 0.0


class Runs:
    """Those of one contact, oldest first; `opened_at` is since when it is open, if it is."""

    def __init__(self, opened_at: float, runs: Sequence[Run] = ()) -> None:
        self.opened_at = opened_at
        self.all = list(runs)

    @property
    def is_on(self) -> bool:
        """Whether it is closed."""
        return bool(self.all) and self.all[-1].end is None

    @property
    def closed_at(self) -> float:
        """When it last closed; long ago if it never did."""
        return self.all[-1].begin if self.all else -1e12

    def close(self, now: float) -> None:
        """The contact closes."""
        over = 0
        for run in self.all:
            if run.end is None or run.end + run.unseen > now - DAY:
                break
            over += 1
        del self.all[:over]
        self.all.append(Run(now))
        while len(self.all) > MOST_RUNS:  # what was between the two oldest counts as on, too
            self.all[:2] = [Run(self.all[0].begin, self.all[1].end, self.all[0].unseen)]

    def open(self, now: float) -> None:
        """The contact opens."""
        self.all[-1] = self.all[-1]._replace(end=now)
        self.opened_at = now

    def boot(self, last_seen: float, unseen: float) -> None:
        """The machine was off after `last_seen`, at most `unseen` seconds later: then the contact was open, at least since the boot."""
        if self.is_on:
            self.all[-1] = self.all[-1]._replace(end=last_seen, unseen=unseen)
        self.opened_at = last_seen

    def starts(self, now: float) -> int:
        """How often it closed in the last 24 hours."""
        return sum(run.begin > now - DAY for run in self.all)

    def may_start_again_at(self, most: int) -> float:
        """When fewer than `most` starts are in the last 24 hours, if there is none until then."""
        return self.all[-most].begin + DAY if 0 < most <= len(self.all) else -1e12

    def seconds_on(self, now: float) -> float:
        """How long it was closed in the last 24 hours."""
        return sum(end - max(begin, now - DAY) for begin, end in self._spans(now))

    def has_room_at(self, now: float, most: float) -> float:
        """When it was closed for at most `most` of the last 24 hours, if it stays open until then; `most` is not negative."""
        excess = self.seconds_on(now) - most
        if excess <= 0:
            return now
        for begin, end in self._spans(now):
            seen_from = max(begin, now - DAY)
            if excess <= end - seen_from:
                return seen_from + excess + DAY
            excess -= end - seen_from
        return now + DAY

    def _spans(self, now: float) -> list[tuple[float, float]]:
        spans = ((run.begin - run.unseen, now if run.end is None else run.end) for run in self.all)
        return [(begin, end) for begin, end in spans if end > now - DAY]
