"""How one UPS stands, look by look: what its words, numbers and history come to, and NUT's events on their edges.

    standing = Standing(was_without_fsd=...)               # as this machine has seen it since its boot
    standing, events = look(standing, variables, now, limits)   # once a POLL; None for no data

An event is told once when what it names begins; REPLBATT again after 12 h, NOCOMM every 300 s without data. Nothing that is well is told of
a UPS that is looked at for the first time. NOPARENT has no counterpart: no process watches over this one's parent. SHUTDOWN and
SHUTDOWN_HOSTSYNC belong to whoever shuts down.
"""

from collections.abc import Mapping
from typing import NamedTuple

from pimains.ups.plan.numbers import Numbers, NumbersBefore, believed
from pimains.ups.plan.status import Fsd, Line, see, unknown

FSD_STANDING = "FSD_STANDING"  # none of NUT's: told once, so that somebody restarts nut-server there
SUSPENDED = ("SUSPEND_STARTING", "SUSPEND_FINISHED")  # one knows of a sleep only when it is over
REPLBATT_SECONDS = 43200.0
NOCOMM_SECONDS = 300.0
_SLEEP_SECONDS = 1.0
_EDGES = ("CAL", "BYPASS", "ECO", "ALARM", "OVER", "TRIM", "BOOST")
_WELL = frozenset({"ECO"})  # chosen by its owner
_AS_ON_LINE = (Line.ON_LINE, Line.UNKNOWN)
_OTHERS_MAX = 64


class Limits(NamedTuple):
    """The settings that judge: IGNORE_LB, CHARGE_LOW_PERCENT and RUNTIME_LOW_SECONDS, None for not used, and OFF_SECONDS."""

    ignore_lb: bool = False
    charge_low: float | None = None
    runtime_low: float | None = None
    off_seconds: float = 30.0


class Told(NamedTuple):
    """What of it was told: by it the same is not told again."""

    on_battery: bool = False  # ONBATT, and no ONLINE since
    off: bool = False
    other: bool = False
    others: frozenset[str] = frozenset()
    replbatt_at: float | None = None
    nocomm_at: float | None = None


class Standing(NamedTuple):
    """One UPS as it is known; times are monotonic seconds.

    `line` is None until there were data once, and stays as it was while there are none; `lost_at` is since when that is, None while data
    come. `fresh_at` is when data last came. `why_low` is why its battery counts as low, "" while it does not.
    """

    line: Line | None = None
    words: frozenset[str] = frozenset()
    why_low: str = ""
    fsd: Fsd | None = None
    numbers: Numbers = Numbers()
    fresh_at: float | None = None
    lost_at: float | None = None
    off_at: float | None = None
    was_without_fsd: bool = False  # since this machine's boot; to be kept for a restart of the service
    has_slept: bool = False  # and nothing is known since
    numbers_before: NumbersBefore = NumbersBefore()
    told: Told = Told()

    @property
    def is_on_battery(self) -> bool:
        """Whether its mains are gone."""
        return self.line is Line.ON_BATTERY

    @property
    def is_critical(self) -> bool:
        """Whether what it feeds has to be shut down: it is on battery and low, or somebody began a forced shutdown."""
        return not self.has_slept and (self.fsd is Fsd.BELIEVED or (self.is_on_battery and bool(self.why_low)))

    @property
    def is_off(self) -> bool:
        """Whether its output has been off for OFF_SECONDS, so that it counts as no supply where there is another; never acts alone."""
        return self.told.off

    @property
    def unknown_words(self) -> frozenset[str]:
        """Words that are shown and told once, and never acted on."""
        return unknown(self.words)


def look(before: Standing, variables: Mapping[str, str] | None, now: float, limits: Limits) -> tuple[Standing, tuple[str, ...]]:
    """How it stands after an answer of upsd's, LIST VAR as it is, None for no data; and the events of NUT's that this is."""
    seen = see((variables or {}).get("ups.status"), may_begin=before.was_without_fsd or before.fsd is Fsd.BELIEVED)
    if seen.is_waiting:
        return _silent(before, now) if before.lost_at is not None else (before, ())
    if seen.line is None:
        return _silent(before, now)
    is_on_battery = seen.line is Line.ON_BATTERY
    numbers, numbers_before = believed(
        variables or {}, before.numbers_before, now, is_on_battery=is_on_battery, outage_began=not before.is_on_battery
    )
    after = Standing(
        line=seen.line,
        words=seen.words,
        why_low=_why_low(before, numbers, limits, has_lb=seen.low_word) if is_on_battery else "",
        fsd=seen.fsd,
        numbers=numbers,
        fresh_at=now,
        off_at=(now if before.off_at is None else before.off_at) if "OFF" in seen.words else None,
        was_without_fsd=before.was_without_fsd or seen.fsd is None,
        numbers_before=numbers_before,
    )
    return _tell(before, after, now, limits)


def slept(monotonic_before: float, boottime_before: float, monotonic: float, boottime: float) -> bool:
    """Whether this machine slept between two looks at CLOCK_MONOTONIC, which stands still meanwhile, and CLOCK_BOOTTIME; in seconds."""
    return (boottime - boottime_before) - (monotonic - monotonic_before) > _SLEEP_SECONDS


def after_sleep(before: Standing, now: float) -> tuple[Standing, tuple[str, ...]]:
    """What was read before a sleep decides nothing: until there are data again, nothing is known but how it stood."""
    after = before._replace(
        why_low="",
        numbers=Numbers(),
        fresh_at=now if before.fresh_at is not None else None,
        lost_at=now if before.lost_at is not None else None,
        has_slept=True,
        numbers_before=NumbersBefore(),
    )
    return after, SUSPENDED


def _why_low(before: Standing, numbers: Numbers, limits: Limits, *, has_lb: bool) -> str:
    if has_lb and not limits.ignore_lb:
        return "the UPS says that its battery is low"
    if numbers.is_doubtful:
        return before.why_low
    if limits.charge_low is not None and numbers.charge is not None and numbers.charge <= limits.charge_low:
        return f"its charge is {numbers.charge:g} %, CHARGE_LOW_PERCENT is {limits.charge_low:g} %"
    if limits.runtime_low is not None and numbers.runtime is not None and numbers.runtime <= limits.runtime_low:
        return f"its battery lasts for {numbers.runtime:g} s more, RUNTIME_LOW_SECONDS is {limits.runtime_low:g} s"
    return ""


def _silent(before: Standing, now: float) -> tuple[Standing, tuple[str, ...]]:
    if before.lost_at is None:
        return before._replace(lost_at=now, told=before.told._replace(nocomm_at=now)), ("COMMBAD",)
    if before.told.nocomm_at is None or now - before.told.nocomm_at >= NOCOMM_SECONDS:
        return before._replace(told=before.told._replace(nocomm_at=now)), ("NOCOMM",)
    return before, ()


def _tell(before: Standing, after: Standing, now: float, limits: Limits) -> tuple[Standing, tuple[str, ...]]:
    told = before.told._replace(nocomm_at=None)
    events = ["COMMOK"] if before.lost_at is not None else []
    if after.is_on_battery and not before.is_on_battery:
        events.append("ONBATT")
        told = told._replace(on_battery=True)
    elif told.on_battery and after.line in _AS_ON_LINE:
        events.append("ONLINE")
        told = told._replace(on_battery=False)
    if after.why_low and not before.why_low:
        events.append("LOWBATT")
    if after.fsd and after.fsd is not before.fsd:
        events.append("FSD" if after.fsd is Fsd.BELIEVED else FSD_STANDING)
    for word in _EDGES:
        if (word in after.words) != (word in before.words) and (before.line is not None or word not in _WELL):
            events.append(word if word in after.words else f"NOT{word}")
    if after.off_at is not None and not told.off and now - after.off_at >= limits.off_seconds:
        events.append("OFF")
        told = told._replace(off=True)
    elif after.off_at is None and told.off:
        events.append("NOTOFF")
        told = told._replace(off=False)
    if "RB" in after.words and (told.replbatt_at is None or now - told.replbatt_at >= REPLBATT_SECONDS):
        events.append("REPLBATT")
        told = told._replace(replbatt_at=now)
    events += _others(told, after)
    told = told._replace(
        other=bool(after.unknown_words) and (told.other or "OTHER" in events),
        others=told.others | frozenset(sorted(after.unknown_words - told.others)[: _OTHERS_MAX - len(told.others)]),
    )
    return after._replace(told=told), tuple(events)


def _others(told: Told, after: Standing) -> list[str]:
    if after.unknown_words - told.others and len(told.others) < _OTHERS_MAX:
        return ["OTHER"]
    return ["NOTOTHER"] if told.other and not after.unknown_words else []
