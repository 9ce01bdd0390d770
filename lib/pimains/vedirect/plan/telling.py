"""How a device is, in the words of its user."""

from collections.abc import Mapping
from typing import NamedTuple

from pimains.vedirect.plan import fields, words

_FAULT = 2
_ALARMS = (("ERR", "error"), ("AR", "alarm"), ("WARN", "warning"))


class Told(NamedTuple):
    """What it does, in a few words; what of it somebody has to look after; which fields it does not know, and how it says so."""

    how: str
    wrong: str
    unknown: str


def told(latest: Mapping[str, str]) -> Told:
    """Of the fields of its latest blocks, as they were sent."""
    return Told(", ".join(filter(None, _how(latest))), "; ".join(_wrong(latest)), _unknown(latest))


def _how(latest: Mapping[str, str]) -> list[str]:
    state = words.of("CS", fields.enumerated(latest["CS"])) if latest.get("CS", "---") != "---" else ""
    if "SOC" in latest:
        power = _value(latest, "P", "W") if "P" in latest else _value(latest, "I", "A")
        return [_value(latest, "SOC", "%"), power, _value(latest, "V", "V")]
    if "AC_OUT_V" in latest:
        return [state, _value(latest, "AC_OUT_V", "V AC"), _value(latest, "V", "V")]
    watts = _value(latest, "PPV", "W")
    return [state, f"{watts} from the panels" if watts else "", _value(latest, "V", "V")]


def _value(latest: Mapping[str, str], label: str, unit: str) -> str:
    value = fields.published(label, latest[label])[label] if label in latest else None
    return "" if value is None else f"{value} {unit}"


def _wrong(latest: Mapping[str, str]) -> list[str]:
    found = []
    for label, kind in _ALARMS:
        if (text := latest.get(label, "---")) != "---" and (number := fields.enumerated(text)):
            found.append(f"{kind} {number}: {words.of(label, number)}")
    return found or (["fault"] if latest.get("CS") == str(_FAULT) else [])


def _unknown(latest: Mapping[str, str]) -> str:
    whys: dict[str, list[str]] = {}
    for label, text in latest.items():
        if why := fields.why_not_known(label, text):
            whys.setdefault(why, []).append(label)
    return "; ".join(f"{', '.join(labels)} {why}" for why, labels in whys.items())
