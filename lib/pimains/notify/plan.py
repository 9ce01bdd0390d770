"""How often people are told: once for each event in a while, a bounded number in an hour, later ones summed up."""

from collections.abc import Iterable
from typing import NamedTuple

from pimains.core.plan import back_off

HOUR = 3600.0
_RETRY_SECONDS_MIN = 30.0
_RETRY_SECONDS_MAX = HOUR


class Sent(NamedTuple):
    """That a message of `event` went out, `at` seconds of the monotonic clock."""

    event: str
    at: float


class Throttle:
    """The same event at most once in `same_event_seconds`, all events together at most `per_hour_max` in any hour."""

    def __init__(self, same_event_seconds: float, per_hour_max: int, sent: Iterable[Sent] = ()) -> None:
        self.same_event_seconds = same_event_seconds
        self.per_hour_max = per_hour_max
        self.sent = sorted(sent, key=lambda sent: sent.at)

    def wait_seconds(self, event: str, now: float) -> float:
        """Seconds until a message of `event` may go out; 0 if it may go now."""
        sent = [sent for sent in self.sent if sent.at <= now]  # later ones were before this boot
        free_at = [now]
        free_at += [one.at + self.same_event_seconds for one in sent if one.event == event]
        if len(sent) >= self.per_hour_max:
            free_at.append(sent[-self.per_hour_max].at + HOUR)
        return max(free_at) - now

    def note(self, event: str, now: float) -> None:
        """A message of `event` goes out."""
        oldest = now - max(HOUR, self.same_event_seconds)
        self.sent = [*(sent for sent in self.sent if oldest < sent.at <= now), Sent(event, now)]


def retry_seconds(failures: int) -> float:
    """How long to leave an address alone that could not be reached so many times in a row, at least once."""
    return back_off.wait_seconds(failures - 1, first=_RETRY_SECONDS_MIN, longest=_RETRY_SECONDS_MAX)


class Moment(NamedTuple):
    """When something happened, by both clocks, in seconds: the wall clock may have been wrong by decades."""

    boot: str
    monotonic: float
    wall: float


def wall_time(moment: Moment, now: Moment) -> float:
    """Seconds since 1970 at `moment`, by what the wall clock says `now`, as far as the monotonic clock reaches back."""
    return now.wall - (now.monotonic - moment.monotonic) if moment.boot == now.boot else moment.wall


def summed_up(body: str, more: int, since: str) -> str:
    """`body`, and how many `more` there were like it since the time of day `since`."""
    return "\n\n".join(filter(None, (body, f"and {more} more of these since {since}" if more else "")))
