"""When the battery of a UPS will be empty, and whether a shutdown has to begin now, also while no data come.

    battery = follow(battery, standing, now)        # after each look
    why = due(battery, standing, pasts, limits, need_seconds, now)

All times are monotonic seconds. The end is the earliest that is known of: what the UPS reports, this outage's own pace, and (where no
runtime is reported, or no data come) the pace of earlier outages of this UPS. Without any of them, lost data last LOST_SECONDS_MAX.
CHARGE_LOW_PERCENT and RUNTIME_LOW_SECONDS are moments to begin at and no end: what halts by them still has the battery to itself.
A number that stands still counts from when it came: there are UPSes whose runtime never falls.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pimains.ups.plan.standing import Standing

MARGIN_SHARE = 0.2
MARGIN_SECONDS = 15.0
LOST_SECONDS = 5.0  # a network that is away for a moment: what only lost data would begin is not begun
PASTS = 5  # a battery ages, and one day it is replaced
_SETTLING_SECONDS = 60.0  # a full battery shows its first points as gone at once
_PACE_SECONDS = 60.0
_PACE_POINTS = 5.0
_PAST_SECONDS = 120.0
_PAST_POINTS = 10.0
_LIGHTER_MAX = 2.0  # a load that is lighter than it was makes the battery last longer, but nobody measured by how much
_LONGEST_SECONDS = 10_000_000.0


class Limits(NamedTuple):
    """The settings CHARGE_LOW_PERCENT, RUNTIME_LOW_SECONDS and ON_BATTERY_SECONDS_MAX, None for not used, and LOST_SECONDS_MAX."""

    charge_low: float | None = None
    runtime_low: float | None = None
    on_battery_max: float | None = None
    lost_max: float = 120.0


class Past(NamedTuple):
    """An earlier outage: how many points of charge it took in how many seconds, at which load in percent (None: not known)."""

    points: float
    seconds: float
    load: float | None


class Reading(NamedTuple):
    """A number and when it came to that."""

    at: float
    value: float


class Battery(NamedTuple):
    """What is known of it; `began` is when it began to feed the load, None while it does not. For a restart within an outage, that is kept.

    `charge` (percent), `runtime` (seconds) and `load` (percent) are the last that were believed, the first two with when they came to that;
    `charge_seen` is when the charge was read last. `first` and `settled` are charges of this outage: its first one, and the first after a
    minute.
    """

    began: float | None = None
    charge: Reading | None = None
    charge_seen: float = 0.0
    runtime: Reading | None = None
    load: float | None = None
    first: Reading | None = None
    settled: Reading | None = None


class End(NamedTuple):
    """When the battery will be empty, and by what that is known."""

    at: float
    source: str


def follow(before: Battery, standing: Standing, now: float) -> Battery:
    """What is known of the battery after a look; a new outage begins anew, whatever there was before."""
    if standing.has_slept:
        return Battery(began=before.began)
    if standing.fresh_at != now:
        return before
    numbers = standing.numbers
    charge, charge_seen = before.charge, before.charge_seen
    if numbers.charge is not None:
        charge_seen = now
        charge = _came(charge, numbers.charge, now)
    runtime = before.runtime if numbers.runtime is None else _came(before.runtime, numbers.runtime, now)
    load = before.load if numbers.load is None else numbers.load
    if not standing.is_on_battery:
        return Battery(None, charge, charge_seen, runtime, load)
    began = now if before.began is None else before.began
    first, settled = before.first, before.settled
    if numbers.charge is not None:
        here = Reading(now, numbers.charge)
        first = first or here
        settled = settled or (here if now - began >= _SETTLING_SECONDS else None)
    return Battery(began, charge, charge_seen, runtime, load, first, settled)


def spent(battery: Battery) -> Past | None:
    """What this outage took so far, None where it was too short to tell a pace; to be kept when it is over."""
    if battery.first is None or battery.charge is None:
        return None
    points, seconds = _fell(battery.first, battery.charge)
    return Past(points, seconds, battery.load) if points >= _PAST_POINTS and seconds >= _PAST_SECONDS else None


def end(battery: Battery, standing: Standing, pasts: Sequence[Past], now: float) -> End | None:
    """When the battery will be empty, None while it feeds nothing or nothing is known."""
    if battery.began is None or not standing.is_on_battery:
        return None
    ends = []
    if (reported := _reported_end(battery)) is not None:
        ends.append(End(reported, "as the UPS reports"))
    if battery.charge:
        paces = _paces(battery, battery.charge, standing, pasts, now)
        ends += [End(_since(battery, battery.charge, pace) + battery.charge.value * pace, source) for pace, source in paces]
    return min(ends, default=None)


def margin_seconds(need_seconds: float) -> float:
    """What is left over when a shutdown takes `need_seconds`."""
    return max(MARGIN_SECONDS, MARGIN_SHARE * need_seconds)


def charge_by_now(battery: Battery, standing: Standing, pasts: Sequence[Past], now: float) -> float | None:
    """Percent: as the UPS told, and without data for a while by the fastest pace that is known; None where nothing is."""
    if battery.charge is None:
        return None
    paces = _paces(battery, battery.charge, standing, pasts, now) if _lost_seconds(standing, now) >= LOST_SECONDS else []
    fallen = (battery.charge.value - (now - _since(battery, battery.charge, pace)) / pace for pace, _ in paces)
    return max(0.0, min((battery.charge.value, *fallen)))


def due(battery: Battery, standing: Standing, pasts: Sequence[Past], limits: Limits, need_seconds: float, now: float) -> str:
    """Why a shutdown that takes `need_seconds` has to begin now, "" while it need not. Somebody's forced shutdown is not asked here."""
    if battery.began is None or not standing.is_on_battery:
        return ""
    lost_for = _lost_seconds(standing, now)
    ending = end(battery, standing, pasts, now)
    if standing.has_slept:
        return _lost_for_too_long(lost_for, limits)
    if standing.why_low:
        return standing.why_low
    if limits.on_battery_max is not None and now - battery.began >= limits.on_battery_max:
        return f"on battery for {now - battery.began:.0f} s, ON_BATTERY_SECONDS_MAX is {limits.on_battery_max:g} s"
    if ending is None:
        return _lost_for_too_long(lost_for, limits)
    if ending.at - now <= need_seconds + margin_seconds(need_seconds):
        return f"the battery lasts for {max(0.0, ending.at - now):.0f} s more, {ending.source}, and the shutdown takes {need_seconds:.0f} s"
    reported = _reported_end(battery)
    if standing.lost_at is None and limits.runtime_low is not None and reported is not None and reported - now <= limits.runtime_low:
        return f"its battery has come down to RUNTIME_LOW_SECONDS, {limits.runtime_low:g} s, since it reported its runtime last"
    if lost_for >= LOST_SECONDS:
        return _low_by_now(battery, standing, pasts, limits, ending, now)
    return ""


def due_at(battery: Battery, standing: Standing, pasts: Sequence[Past], limits: Limits, need_seconds: float, now: float) -> float | None:
    """When `due` will say so, from `now` on, if all goes on as it does; None where it will not, or nothing is known of it."""
    if battery.began is None or not standing.is_on_battery:
        return None
    if due(battery, standing, pasts, limits, need_seconds, now):
        return now
    moments = [] if limits.on_battery_max is None or standing.has_slept else [battery.began + limits.on_battery_max]
    ending = None if standing.has_slept else end(battery, standing, pasts, now)
    if ending is not None:
        moments.append(ending.at - need_seconds - margin_seconds(need_seconds))
        moments += _thresholds(battery, standing, pasts, limits, ending, now)
    elif standing.lost_at is not None or _lost_seconds(standing, now) >= LOST_SECONDS:
        moments.append(now - _lost_seconds(standing, now) + limits.lost_max)
    return max(now, min(moments)) if moments else None


def read(text: str) -> tuple[Past, ...]:
    """Earlier outages from the lines that `written` made; what is none is left out."""
    found = []
    for line in text.splitlines():
        try:
            points, seconds, load = (None if word == "-" else float(word) for word in line.split())
        except ValueError:
            continue
        if _is_past(points, seconds, load):
            found.append(Past(points, seconds, load))  # type: ignore[arg-type]  # neither is None, as was just seen
    return tuple(found[-PASTS:])


def written(pasts: Sequence[Past]) -> str:
    """The last of them, the newest at the end: points, seconds and load of each in a line, - for a load that is not known."""
    return "".join(f"{past.points:g} {past.seconds:g} {'-' if past.load is None else f'{past.load:g}'}\n" for past in pasts[-PASTS:])


def _is_past(points: float | None, seconds: float | None, load: float | None) -> bool:
    return (
        points is not None
        and seconds is not None
        and _PAST_POINTS <= points <= 100
        and _PAST_SECONDS <= seconds <= _LONGEST_SECONDS
        and (load is None or (math.isfinite(load) and load >= 0))
    )


def _lost_seconds(standing: Standing, now: float) -> float:
    """How long nothing is known: without data, or with a driver that has just connected and goes on saying so."""
    since = standing.fresh_at if standing.lost_at is None else standing.lost_at
    return 0.0 if since is None else now - since


def _lost_for_too_long(lost_for: float, limits: Limits) -> str:
    if lost_for >= limits.lost_max:
        return f"no data for {lost_for:.0f} s on battery and nothing known of its charge, LOST_SECONDS_MAX is {limits.lost_max:g} s"
    return ""


def _low_by_now(battery: Battery, standing: Standing, pasts: Sequence[Past], limits: Limits, ending: End, now: float) -> str:
    if limits.runtime_low is not None and ending.at - now <= limits.runtime_low:
        return f"no data, and {ending.source} the battery lasts for RUNTIME_LOW_SECONDS, {limits.runtime_low:g} s"
    if limits.charge_low is None or battery.charge is None:
        return ""
    for pace, source in _paces(battery, battery.charge, standing, pasts, now):
        if battery.charge.value - (now - _since(battery, battery.charge, pace)) / pace <= limits.charge_low:
            return f"no data, and {source} the charge has come down to CHARGE_LOW_PERCENT, {limits.charge_low:g} %"
    return ""


def _thresholds(battery: Battery, standing: Standing, pasts: Sequence[Past], limits: Limits, ending: End, now: float) -> Iterator[float]:
    """When CHARGE_LOW_PERCENT and RUNTIME_LOW_SECONDS will be reached; evenly until the end where no pace is known and data come."""
    is_lost, runtime, charge = standing.lost_at is not None, battery.runtime, battery.charge
    if limits.runtime_low is not None and (is_lost or runtime):
        yield (runtime.at + runtime.value if runtime and not is_lost else ending.at) - limits.runtime_low
    if limits.charge_low is None or charge is None:
        return
    paces = _paces(battery, charge, standing, pasts, now)
    for pace, _ in paces:
        yield _since(battery, charge, pace) + (charge.value - limits.charge_low) * pace
    if not (paces or is_lost) and charge.value > limits.charge_low:
        yield ending.at - (ending.at - charge.at) * limits.charge_low / charge.value


def _came(before: Reading | None, value: float, now: float) -> Reading:
    """The reading of `value` that is read `now`: the one before while it stands still."""
    return before if before and before.value == value else Reading(now, value)


def _reported_end(battery: Battery) -> float | None:
    """As the UPS reports, from when it came to that, or this outage began."""
    return max(battery.runtime.at, battery.began or 0.0) + battery.runtime.value if battery.runtime else None


def _paces(battery: Battery, charge: Reading, standing: Standing, pasts: Sequence[Past], now: float) -> list[tuple[float, str]]:
    """In seconds per point of charge, and by what they are known."""
    found = []
    if battery.settled:
        points, seconds = _fell(battery.settled, charge)
        if points >= _PACE_POINTS and seconds >= _PACE_SECONDS:
            # a charge that stays where it is for longer tells that it takes longer
            found.append((max(seconds / points, (battery.charge_seen - battery.settled.at) / (points + 1)), "at the pace of this outage"))
    if pasts and (battery.runtime is None or _lost_seconds(standing, now) >= LOST_SECONDS):
        fastest = min(past.seconds / past.points * _lighter(past, battery.load) for past in pasts)
        found.append((fastest, "at the pace of earlier outages"))
    return found


def _fell(from_: Reading, to: Reading) -> tuple[float, float]:
    return from_.value - to.value, to.at - from_.at


def _since(battery: Battery, charge: Reading, pace: float) -> float:
    """Since when the charge has been falling from where it is: a UPS tells whole points, so it may have been there for most of one.

    Where it stands still at a lighter load that is longer, and no longer than the battery itself would last: then it tells nothing.
    """
    came = max(charge.at, battery.began or 0.0)
    return max(came, min(battery.charge_seen - pace, came + charge.value * pace * (_LIGHTER_MAX - 1)))


def _lighter(past: Past, load: float | None) -> float:
    """How much longer a point of charge lasts at `load` than it did then."""
    return min(_LIGHTER_MAX, past.load / load) if past.load and load else 1.0
