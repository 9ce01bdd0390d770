"""All relays together: who wants what of each, and which one is switched next.

The board is asked again after each switching, and at `look_at`, until it has nothing more to switch: it proposes a contact's
opening at any time, closings one by one.
"""

from collections.abc import Mapping
from typing import NamedTuple

from pimains.core.plan.sentences import duration
from pimains.shared.relays.plan import day_time, guards
from pimains.shared.relays.plan.guards import Hold, Now
from pimains.shared.relays.plan.modes import AUTO, OFF, ON
from pimains.shared.relays.plan.relay import KEEP, GroupLimit, Relay

ALL = "all"
NEVER = float("inf")


class Wanted(NamedTuple):
    """What somebody wants of a relay, and why; `by_person` is a person, or the halt."""

    is_on: bool
    by_person: bool
    why: str


class Switch(NamedTuple):
    """A contact is to be switched, because of `why`; `next_change` is when it may change again, None if that cannot be told."""

    number: str
    is_on: bool
    why: str
    next_change: float | None


class Verdict(NamedTuple):
    """How one relay stands: why it is as it is, and when it may next change."""

    is_on: bool
    reason: str
    next_change: float | None


class Decision(NamedTuple):
    """What to switch now, how each relay stands if that is nothing, and when to look again, at the latest."""

    switches: list[Switch]
    verdicts: dict[str, Verdict]
    look_at: float


class Board:
    """The relays that can be switched, by their numbers. `halted` is why the machine goes down, '' while it does not."""

    def __init__(self, stagger: float = 1.0, group_limits: Mapping[str, GroupLimit] = {}, lost: float = 600.0) -> None:
        self.relays: dict[str, Relay] = {}
        self.halted = ""
        self._stagger = stagger
        self._group_limits = dict(group_limits)
        self._lost = lost

    def faults(self) -> list[str]:
        """What the limits of groups cannot do with these relays, a line for each."""
        found = []
        for group, limit in self._group_limits.items():
            members = [each for each in self.relays.values() if group in (each.limits.group, ALL)]
            if not members and self.relays:
                found.append(f"GROUP_LIMITS {group}={limit}: no relay has this GROUP")
            elif limit.is_watts:
                found += _faults_of_watts(f"GROUP_LIMITS {group}={limit}", limit.most, members)
        return found

    def switched(self, switch: Switch, now: float) -> None:
        """It was done."""
        relay = self.relays[switch.number]
        (relay.runs.close if switch.is_on else relay.runs.open)(now)
        if switch.is_on and relay.mode.word == AUTO:
            relay.closed_by_rule_at = now

    def decide(self, now: Now) -> Decision:
        """Openings all at once, else one closing."""
        verdicts: dict[str, Verdict] = {}
        offs: list[Switch] = []
        closing: list[tuple[Relay, Wanted, list[Hold]]] = []
        self._look_at = NEVER
        for relay in self.relays.values():
            relay.settle(now.time, now.wall, now.zone)
            self._look(relay.mode_ends)
            wanted = self._wanted(relay, now.time)
            if relay.is_on:
                self._keep_or_open(relay, wanted, now.time, offs, verdicts)
            elif wanted is not None and wanted.is_on:
                holds = guards.against_any_on(relay, now.time)
                closing.append((relay, wanted, holds if wanted.by_person else [*holds, *guards.against_a_rules_on(relay, now)]))
            else:
                why = wanted.why if wanted else self._why_it_stays(relay)
                verdicts[relay.number] = Verdict(False, why, self._may_close_at(relay, now))
        if offs:
            return Decision(offs, verdicts, now.time)
        return self._one_closing(closing, verdicts, now)

    def _one_closing(self, closing: list[tuple[Relay, Wanted, list[Hold]]], verdicts: dict[str, Verdict], now: Now) -> Decision:
        closing.sort(key=lambda each: (not each[1].by_person, -each[0].limits.priority))
        last = max((relay.runs.closed_at for relay in self.relays.values()), default=-NEVER)
        staggered = [Hold("STAGGER_SECONDS", last + self._stagger)] if last + self._stagger > now.time else []
        for relay, wanted, own in closing:
            holds = own + staggered
            full = self._full(relay)
            if not holds and not full:
                switch = Switch(relay.number, True, _with_overruled(wanted, relay, now), now.time + relay.limits.min_on)
                return Decision([switch], verdicts, now.time)
            if not holds and (switches := self._who_gives_way(relay, wanted, now.time)):
                return Decision(switches, verdicts, now.time)
            if full:
                holds = [*holds, Hold(f"room in group {full}", None)]
                self._look_for_ends_of_min_on(now.time)
            for hold in holds:
                self._look(hold.until)
            next_change = _last([hold.until for hold in holds])
            verdicts[relay.number] = Verdict(False, f"{wanted.why}; waits for {' and '.join(hold.why for hold in holds)}", next_change)
        for verdict in verdicts.values():  # what is told of the next change is told anew then
            self._look(verdict.next_change if verdict.next_change is not None and verdict.next_change > now.time else None)
        return Decision([], verdicts, self._look_at)

    def _keep_or_open(self, relay: Relay, wanted: Wanted | None, now: float, offs: list[Switch], verdicts: dict[str, Verdict]) -> None:
        holds = guards.against_off(relay, now)
        left = NEVER if wanted and wanted.by_person else guards.seconds_left(relay, now)
        if left <= 0 and (wanted is None or wanted.is_on):
            wanted = Wanted(False, False, f"MAX_ON_PER_DAY {duration(relay.limits.max_on_per_day or 0)} is reached")
        if wanted is not None and not wanted.is_on:
            if wanted.by_person or not holds:
                may_close = self._may_close_at(relay, None, now) if not self.halted else None
                offs.append(Switch(relay.number, False, wanted.why, may_close))
                return
            self._look(holds[0].until)
            verdicts[relay.number] = Verdict(True, f"{wanted.why}; waits for {holds[0].why}", holds[0].until)
            return
        self._look(now + left)
        why = wanted.why if wanted else self._why_it_stays(relay)
        next_change = relay.mode_ends if wanted and wanted.by_person else holds[0].until if holds else now
        verdicts[relay.number] = Verdict(True, why, next_change)

    def _wanted(self, relay: Relay, now: float) -> Wanted | None:
        """What is wanted of it and counts; None: it stays as it is."""
        if self.halted and relay.mode.word != OFF:
            return None if relay.limits.on_halt == KEEP else Wanted(False, True, self.halted)
        if relay.mode.word != AUTO:
            return Wanted(relay.mode.word == ON, True, f"a person wants it {_mode_in_words(relay)}")
        if relay.waits_for_person:
            return Wanted(False, False, "this machine has booted, and AT_START waits for a person")
        since = relay.without_wish_since if relay.wish is None else relay.wish.at
        if now - since >= self._lost:
            return None if relay.limits.on_lost == KEEP else Wanted(relay.limits.on_lost == ON, False, self._lost_words(relay))
        self._look(since + self._lost)
        return None if relay.wish is None else Wanted(relay.wish.is_on, False, relay.wish.why)

    def _why_it_stays(self, relay: Relay) -> str:
        return f"it stays as it is: {self.halted or self._lost_words(relay)}"

    def _lost_words(self, relay: Relay) -> str:
        if relay.wish is None:
            return (
                f"its rule is lost, ON_LOST {relay.limits.on_lost}: {relay.lost_because}" if relay.lost_because else "no rule says anything"
            )
        return f"no rule has said anything for {duration(self._lost)}, ON_LOST {relay.limits.on_lost}"

    def _may_close_at(self, relay: Relay, now: Now | None, opens_at: float | None = None) -> float | None:
        """When a rule may close it next, as far as that can be told."""
        if now is None:
            return (opens_at or 0.0) + relay.limits.min_off
        holds = [*guards.against_any_on(relay, now.time), *guards.against_a_rules_on(relay, now)]
        return _last([now.time, *(hold.until for hold in holds)])

    def _groups(self, relay: Relay) -> list[str]:
        return [group for group in (relay.limits.group, ALL) if group in self._group_limits]

    def _full(self, relay: Relay, without: tuple[Relay, ...] = ()) -> str:
        """The group that has no room for it, with its limit; '' if all have."""
        for group in self._groups(relay):
            limit = self._group_limits[group]
            on = [each for each in self.relays.values() if each.is_on and each not in without and group in (each.limits.group, ALL)]
            used = sum(each.limits.watts for each in (*on, relay)) if limit.is_watts else len(on) + 1
            if used > limit.most:
                return f"{group}={limit}"
        return ""

    def _who_gives_way(self, relay: Relay, wanted: Wanted, now: float) -> list[Switch]:
        """The relays of least PRIORITY that have to go off for it; none if that does not help, or may not be."""
        found: list[Relay] = []
        candidates = [each for each in self.relays.values() if self._may_give_way(each, relay, wanted, now)]
        for each in sorted(candidates, key=lambda each: each.limits.priority):
            full = self._full(relay, tuple(found)).partition("=")[0]
            if not full:
                break
            if full in (each.limits.group, ALL):
                found.append(each)
        if self._full(relay, tuple(found)):
            return []
        why = f"it gives way to {relay.title}: {wanted.why}"
        return [Switch(each.number, False, why, now + each.limits.min_off) for each in found]

    def _may_give_way(self, other: Relay, relay: Relay, wanted: Wanted, now: float) -> bool:
        if not other.is_on or other.mode.word != AUTO or guards.against_off(other, now):
            return False
        return wanted.by_person or other.limits.priority < relay.limits.priority

    def _look_for_ends_of_min_on(self, now: float) -> None:
        for relay in self.relays.values():
            for hold in guards.against_off(relay, now):
                self._look(hold.until)

    def _look(self, at: float | None) -> None:
        if at is not None:
            self._look_at = min(self._look_at, at)


def _faults_of_watts(limit: str, most: float, members: list[Relay]) -> list[str]:
    unknown = [each.number for each in members if not each.limits.watts]
    excessive = [each.number for each in members if each.limits.watts > most]
    found = [f"{limit} takes {_numbers(unknown)} for nothing: no WATTS"] if unknown else []
    return [*found, f"{limit} never lets {_numbers(excessive)} on: too many WATTS"] if excessive else found


def _numbers(numbers: list[str]) -> str:
    return f"relay{'s' if len(numbers) > 1 else ''} {', '.join(numbers[:12])}{', ...' if len(numbers) > 12 else ''}"


def _mode_in_words(relay: Relay) -> str:
    mode = relay.mode
    if mode.until is not None:
        waits = "" if relay.mode_ends is not None else ", and the clock was not set yet"
        return f"{mode.word} until {day_time.in_words(mode.until)}{waits}"
    seconds = mode.seconds or (relay.limits.forced_for if mode.word == ON else None)
    return f"{mode.word} for {duration(seconds)}" if seconds else mode.word


def _with_overruled(wanted: Wanted, relay: Relay, now: Now) -> str:
    """A person is told what he has overruled."""
    overruled = [hold.why for hold in guards.against_a_rules_on(relay, now)] if wanted.by_person else []
    return f"{wanted.why}, in spite of {' and '.join(overruled)}" if overruled else wanted.why


def _last(moments: list[float | None]) -> float | None:
    known = [moment for moment in moments if moment is not None]
    return max(known) if len(known) == len(moments) else None
