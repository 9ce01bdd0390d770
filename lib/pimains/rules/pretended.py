"""What a rule is to be asked with in place of what is so: values, relays, the hour, hosts and files that somebody only pretends.

    {"values": {"vedirect.bmv/SOC": 95, "vedirect.bmv/P": null}, "relays": {"3": {"on": true, "for": 600, "mode": "auto"}},
     "at": "18:30", "for": 300, "hosts": {"pc.lan": true}, "files": ["party"]}

null is a value that is not known. `at` is an hour of today, or a day and an hour; `for` is for how many seconds all of it has been so.
"""

import json
import math
from collections.abc import Mapping
from datetime import datetime, time
from typing import Any, NamedTuple

from pimains.core.errors import Misused
from pimains.core.plan.text import one_line
from pimains.shared.relays.plan.relay import Limits, Relay
from pimains.shared.relays.plan.runs import Runs

BYTES_MAX = 64 * 1024
_NAMES_MAX = 200
_NAME_LONGEST = 160
_WORDS_LONGEST = 200
_SECONDS_MAX = 30 * 86400.0
_LIKE = "such as 18:30 or 2026-07-01T18:30"
_MODES = ("off", "auto", "on")
_LIMITS = ("name", "min_on", "min_off", "max_on_per_day", "max_switches_per_day", "priority", "group", "watts")


class RelayPretended(NamedTuple):
    """Whether it is on, for how many seconds it has been so, and its mode."""

    is_on: bool
    seconds: float
    mode: str


class Pretended(NamedTuple):
    """All that is pretended; what is not named in it is as it really is."""

    values: Mapping[str, float | str | None]
    relays: Mapping[int, RelayPretended]
    wall: float | None  # seconds since 1970; None: it is as late as it is
    seconds: float
    hosts: Mapping[str, bool]
    files: list[str] | None

    def over(self, request: dict[str, Any], ago: float = 0.0) -> dict[str, Any]:
        """The request to a child, as it would have been `ago` seconds before."""
        at = request["time"] - ago
        begin = request["time"] - self.seconds
        wall = request["wall"] if self.wall is None else self.wall
        found = {**request, "time": at, "wall": None if wall is None else wall - ago}
        found["values"] = [*request["values"], *((name, value, at) for name, value in self.values.items())]
        found["forget"] = [name for name in request["forget"] if name not in self.values]
        found["relays"] = {
            **request["relays"],
            **{str(number): _told(number, relay, begin, request["relays"]) for number, relay in self.relays.items()},
        }
        if self.hosts:
            found["hosts"] = {**request.get("hosts", {}), **self.hosts}
        if self.files is not None:
            found["files"] = self.files
        return found


def _told(number: int, pretended: RelayPretended, begin: float, real: Mapping[str, Any]) -> dict[str, Any]:
    """What relays would tell of it; `begin` is since when what is pretended is so."""
    limits = (real.get(str(number)) or {}).get("limits") or {name: getattr(Limits(), name) for name in _LIMITS}
    since = begin - pretended.seconds
    relay = Relay(str(number), Limits(**limits), Runs(since))
    kept = {**relay.kept(), "mode": (pretended.mode, None, None)}
    if pretended.is_on:
        kept |= {"runs": [(since, None, 0.0)], "closed_by_rule_at": since}
    return {"limits": limits, "kept": kept}


def parsed(text: str) -> Pretended:
    """Raises Misused with one line that says what is wrong, and what is allowed."""
    if len(text) > BYTES_MAX:
        raise Misused(f"what is pretended is longer than {BYTES_MAX // 1024} KiB")
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        raise Misused("what is pretended is no JSON") from None
    if not isinstance(told, dict):
        raise Misused('what is pretended is no object such as {"values": {"vedirect.bmv/SOC": 95}}')
    known = ("values", "relays", "at", "for", "hosts", "files")
    if strangers := [name for name in told if name not in known]:
        raise Misused(f"{one_line(strangers[0], 80)!r} is none of what may be pretended: {', '.join(known)}")
    files = told.get("files")
    if files is not None and not (isinstance(files, list) and len(files) <= _NAMES_MAX and all(map(_is_name, files))):
        raise Misused('files: a list of names, such as ["party"]')
    return Pretended(
        values={name: _value(name, value) for name, value in _named(told, "values").items()},
        relays={_number(name): _relay(name, relay) for name, relay in _named(told, "relays").items()},
        wall=None if told.get("at") is None else _wall(told["at"]),
        seconds=_seconds("for", told.get("for", 0)),
        hosts={name: _truth(f"hosts: {name}", answers) for name, answers in _named(told, "hosts").items()},
        files=files,
    )


def _named(told: Mapping[str, Any], what: str) -> dict[str, Any]:
    found = told.get(what, {})
    if not isinstance(found, dict) or len(found) > _NAMES_MAX or not all(map(_is_name, found)):
        raise Misused(f"{what}: an object with at most {_NAMES_MAX} names, each of at most {_NAME_LONGEST} plain characters")
    return found


def _is_name(name: object) -> bool:
    return isinstance(name, str) and 0 < len(name) <= _NAME_LONGEST and name.isprintable()


def _value(name: str, value: object) -> float | str | None:
    if value is None:
        return None
    if isinstance(value, str) and len(value) <= _WORDS_LONGEST and value.isprintable():
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    raise Misused(f"values: {name}: a number, words of at most {_WORDS_LONGEST} characters, or null")


def _number(name: str) -> int:
    if not name.isascii() or not name.isdecimal() or not 1 <= int(name) <= 999:
        raise Misused(f"relays: {name!r} is no relay's number, 1-999")
    return int(name)


def _relay(name: str, told: object) -> RelayPretended:
    if not isinstance(told, dict) or not set(told) <= {"on", "for", "mode"}:
        raise Misused(f'relays: {name}: such as {{"on": true, "for": 600, "mode": "auto"}}')
    mode = told.get("mode", "auto")
    if mode not in _MODES:
        raise Misused(f"relays: {name}: mode is one of {', '.join(_MODES)}")
    return RelayPretended(_truth(f"relays: {name}: on", told.get("on", False)), _seconds(f"relays: {name}: for", told.get("for", 0)), mode)


def _truth(what: str, told: object) -> bool:
    if not isinstance(told, bool):
        raise Misused(f"{what}: true or false")
    return told


def _seconds(what: str, told: object) -> float:
    if isinstance(told, bool) or not isinstance(told, int | float) or not 0 <= told <= _SECONDS_MAX:
        raise Misused(f"{what}: seconds, 0-{_SECONDS_MAX:.0f}")
    return float(told)


def _wall(told: object) -> float:
    try:
        text = str(told)
        if "T" in text:
            return datetime.fromisoformat(text).timestamp()
        return datetime.combine(datetime.now().astimezone().date(), time.fromisoformat(text.zfill(5))).timestamp()
    except (ValueError, OverflowError, OSError):
        raise Misused(f"at: {one_line(str(told), 40)!r} is no time ({_LIKE})") from None
