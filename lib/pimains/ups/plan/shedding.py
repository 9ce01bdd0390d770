"""SHED_AT: when a host goes down that need not wait for the battery to be low.

    charge 40               the charge is 40 % or less
    runtime 10m             the UPS lasts for 10 minutes or less
    after 5m                it has been on battery for 5 minutes
    charge 40, after 5m     whichever comes first

A time is a number with s, m or h. Nothing: it goes at FSD, with all who are left.
"""

import re
from typing import NamedTuple

_TIME = re.compile(r"([0-9]{1,5})([smh])")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST = 86400.0
ALLOWED = "such as: charge 40, runtime 10m, after 5m; or empty"


class ShedAt(NamedTuple):
    """Percent, seconds, seconds; None: not looked at."""

    charge: float | None = None
    runtime: float | None = None
    after: float | None = None


def parse(text: str) -> ShedAt:
    """What stands in SHED_AT. Raises ValueError for what is none."""
    found: dict[str, float] = {}
    for part in text.split(",") if text.strip() else ():
        name, _, value = part.strip().partition(" ")
        if name not in ShedAt._fields or name in found:
            raise ValueError
        found[name] = _percent(value.strip()) if name == "charge" else parse_seconds(value.strip())
    return ShedAt(**found)


def why(limits: ShedAt, charge: float | None, runtime: float | None, seconds_on_battery: float) -> str:
    """Why it goes down now, in words; "" while it need not. What is not known (None) is no reason."""
    if limits.charge is not None and charge is not None and charge <= limits.charge:
        return f"the charge is {charge:.0f} %, its SHED_AT {limits.charge:g} %"
    if limits.runtime is not None and runtime is not None and runtime <= limits.runtime:
        return f"the UPS lasts for {runtime:.0f} s, its SHED_AT is {limits.runtime:g} s"
    if limits.after is not None and seconds_on_battery >= limits.after:
        return f"on battery for {seconds_on_battery:.0f} s, its SHED_AT is {limits.after:g} s"
    return ""


def _percent(text: str) -> float:
    value = int(text.removesuffix("%").rstrip()) if re.fullmatch(r"[0-9]{1,3} ?%?", text) else 0
    if not 1 <= value <= 99:
        raise ValueError
    return float(value)


def parse_seconds(text: str) -> float:
    """Of a time such as 10m, a day at most. Raises ValueError."""
    match = _TIME.fullmatch(text)
    if not match or not 0 < int(match[1]) * _SECONDS[match[2]] <= _LONGEST:
        raise ValueError
    return int(match[1]) * _SECONDS[match[2]]
