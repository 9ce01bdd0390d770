"""Charge and runtime as a UPS reports them, as far as they can be believed: UPSes lie.

battery.charge in percent counts within 0-100, battery.runtime in seconds as digits within 1-86399 (and 0 where it was above that earlier
in this outage), ups.load in percent within 0-200. A charge of 0 that stood there on line already is no measurement. One that falls by
more than 30 points from one look to the next while on battery counts when it is seen again 2 s later.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

FALL_POINTS = 30.0
FALL_SECONDS = 2.0
RUNTIME_MAX_SECONDS = 86399
_LOAD_MAX = 200.0
_DECIMAL = re.compile(r"[0-9]{1,3}(\.[0-9]{1,6})?")
_DIGITS = re.compile(r"[0-9]{1,5}")


class Numbers(NamedTuple):
    """What is believed: `charge` in percent, `runtime` in seconds, `load` in percent of what the UPS can feed; None is not known.

    `is_doubtful` while a fall of charge waits for its second look: no threshold acts meanwhile.
    """

    charge: float | None = None
    runtime: float | None = None
    load: float | None = None
    is_doubtful: bool = False


class NumbersBefore(NamedTuple):
    """What has to be known of earlier looks: the last charge that was believed, since when another one waits to be, and what 0 means."""

    charge: float | None = None
    fell_at: float | None = None
    zero_on_line: bool = False
    had_runtime: bool = False  # above 0, in this outage


def believed(
    variables: Mapping[str, str], before: NumbersBefore, now: float, *, is_on_battery: bool, outage_began: bool
) -> tuple[Numbers, NumbersBefore]:
    """The numbers of a look at `now`, monotonic seconds, and what the next one has to know; `outage_began` with its first on battery."""
    charge = percent(variables.get("battery.charge"), 100.0)
    runtime = seconds(variables.get("battery.runtime"))
    had_runtime = is_on_battery and (bool(runtime) or (before.had_runtime and not outage_began))
    if runtime == 0 and not had_runtime:
        runtime = None
    zero_on_line = charge == 0 if not is_on_battery else before.zero_on_line and charge in (0, None)
    if charge == 0 and zero_on_line:
        charge = None
    fell_at = None
    if is_on_battery and charge is not None and before.charge is not None and before.charge - charge > FALL_POINTS:
        fell_at = now if before.fell_at is None else before.fell_at
        if now - fell_at >= FALL_SECONDS:
            fell_at = None
        else:
            charge = before.charge
    elif charge is None and is_on_battery:
        fell_at = before.fell_at
    kept = before.charge if charge is None else charge
    if fell_at is not None:
        runtime = None  # it fell with the charge
    numbers = Numbers(charge, runtime, percent(variables.get("ups.load"), _LOAD_MAX), is_doubtful=fell_at is not None)
    return numbers, NumbersBefore(kept, fell_at, zero_on_line, had_runtime)


def percent(text: str | None, most: float) -> float | None:
    """The number that `text` is, None where it is none or not within 0 to `most`."""
    text = (text or "").strip()
    if not _DECIMAL.fullmatch(text):
        return None
    return value if (value := float(text)) <= most else None


def seconds(text: str | None) -> float | None:
    """A runtime; 0 is handed on, and means something only to who knows what it was before."""
    text = (text or "").strip()
    if not _DIGITS.fullmatch(text):
        return None
    return float(value) if (value := int(text)) <= RUNTIME_MAX_SECONDS else None
