"""What keeps one contact from being switched now, whoever asks: the list in services/relays/README.md.

A person's off and a halt are kept up by nothing, so they do not come here.
"""

from datetime import tzinfo
from typing import NamedTuple

from pimains.core.plan.sentences import duration
from pimains.shared.relays.plan.day_time import next_at
from pimains.shared.relays.plan.relay import Relay

_LEAST_RUN_SECONDS = 60.0  # MAX_ON_PER_DAY begins no run that it would end at once


class Now(NamedTuple):
    """The present: `time` never jumps; `wall` is None until the clock was set, and told in `zone` or local time."""

    time: float
    wall: float | None = None
    zone: tzinfo | None = None


class Hold(NamedTuple):
    """What is waited for, and until when; None: that cannot be told."""

    why: str
    until: float | None


def against_off(relay: Relay, now: float) -> list[Hold]:
    """What keeps a rule from switching it off."""
    ends = relay.runs.closed_at + relay.limits.min_on
    return [Hold(f"MIN_ON {duration(relay.limits.min_on)}", ends)] if relay.is_on and ends > now else []


def against_any_on(relay: Relay, now: float) -> list[Hold]:
    """What keeps anybody from switching it on, as far as it has to do with this contact alone."""
    ends = relay.runs.opened_at + relay.limits.min_off
    return [Hold(f"MIN_OFF {duration(relay.limits.min_off)}", ends)] if ends > now else []


def against_a_rules_on(relay: Relay, now: Now) -> list[Hold]:
    """What keeps a rule, but no person, from switching it on; a person is told."""
    limits, found = relay.limits, []
    most = limits.max_switches_per_day
    if most is not None and relay.runs.starts(now.time) >= most:
        found.append(Hold(f"MAX_SWITCHES_PER_DAY {most}", relay.runs.may_start_again_at(most) if most else None))
    if limits.quiet_hours is not None:
        if now.wall is None:
            found.append(Hold(f"QUIET_HOURS {limits.quiet_hours}, and the clock was not set yet", None))
        elif limits.quiet_hours.holds(now.wall, now.zone):
            ends = next_at(limits.quiet_hours.end, now.wall, now.zone)
            found.append(Hold(f"QUIET_HOURS {limits.quiet_hours}", now.time + ends - now.wall))
    if limits.max_on_per_day is not None:
        most_before = max(0.0, limits.max_on_per_day - max(limits.min_on, _LEAST_RUN_SECONDS))
        room_at = relay.runs.has_room_at(now.time, most_before)
        if room_at > now.time:
            found.append(Hold(f"MAX_ON_PER_DAY {duration(limits.max_on_per_day)}", room_at))
    return found


def seconds_left(relay: Relay, now: float) -> float:
    """How much longer MAX_ON_PER_DAY lets a rule keep it on, at least."""
    most = relay.limits.max_on_per_day
    return float("inf") if most is None else most - relay.runs.seconds_on(now)
