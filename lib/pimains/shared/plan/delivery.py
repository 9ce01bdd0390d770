"""What a meter and a collector say to each other: readings, sent until they are acknowledged.

    POST /v1/readings                      Authorization: Bearer TOKEN, Content-Type: application/json
    {"source": "house", "unit": "kWh", "impulses_per_unit": 1000,
     "face": {"count": 0, "total": 12345.6} or null,
     "boots": {BOOT: {"offset": 1790000000.25 or null, "synchronised": true}},
     "rows": [[BOOT, sequence, wall or null, uptime, count], ...]}

    200 {"accepted": {BOOT: sequence}}     stored for good: all rows of this request with that boot, up to that sequence
    400 {"error": "..."}                   no such request as this; sending it again is of no use
    401, 403                               the token is wrong, or is another source's
    413                                    more than ROWS_MAX rows or BODY_BYTES_MAX bytes
    429, 5xx, or no answer                 try later

`count` is the number of pulses since the meter was installed: it never falls, so that a row that is left out changes no
total. `face` is what the meter's register showed (in `unit`) at some count; the total at any other count follows from it.

A row is known by source, boot and sequence: sent twice it is stored once, in whatever order it comes. `boot` is the
kernel's name for a boot, `uptime` the seconds since then, which no clock jump bends. A reading's time is its boot's
offset plus its uptime; where the boot has no offset it is `wall`; where there is neither, it is stored and has no time
yet. A later request may bring another offset, with or without rows: then the readings of that boot move. An offset that
came from a clock that is synchronised is never replaced by one that is not.
"""

import json
import math
from typing import Any, NamedTuple

PATH = "/v1/readings"
ROWS_MAX = 5000
BODY_BYTES_MAX = 1024 * 1024
NAME_LENGTH_MAX = 64
COUNT_MAX = 2**53
UNITS = ("kWh", "m3")


class Reading(NamedTuple):
    """One row: `sequence` counts from 1 in each `boot`; `wall` is in seconds since 1970, `uptime` in seconds."""

    boot: str
    sequence: int
    wall: float | None
    uptime: float
    pulses: float


class Boot(NamedTuple):
    """When a boot was: seconds since 1970 at its uptime 0, None while nobody knows."""

    offset: float | None
    synchronised: bool = False

    def is_improved_by(self, other: "Boot") -> bool:
        """Whether `other`, which came later, is to be believed instead."""
        return other.offset is not None and other != self and (other.synchronised or not self.synchronised)


class RegisterReading(NamedTuple):
    """What the meter's register showed, in its unit, when so many `pulses` had come."""

    pulses: int
    total: float


class Batch(NamedTuple):
    """The body of one request."""

    source: str
    unit: str
    impulses_per_unit: float
    register: RegisterReading | None
    boots: dict[str, Boot]
    readings: list[Reading]


def written(batch: Batch) -> bytes:
    """`batch` as the body of a request."""
    body = {
        "source": batch.source,
        "unit": batch.unit,
        "impulses_per_unit": batch.impulses_per_unit,
        "face": batch.register and {"count": batch.register.pulses, "total": batch.register.total},
        "boots": {name: boot._asdict() for name, boot in batch.boots.items()},
        "rows": batch.readings,
    }
    return json.dumps(body, separators=(",", ":"), allow_nan=False).encode()


def read(body: bytes) -> Batch:
    """The request in `body`, which may come from anybody.

    Raises ValueError with one line that says what is wrong with it.
    """
    if len(body) > BODY_BYTES_MAX:
        raise ValueError(f"more than {BODY_BYTES_MAX} bytes")
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None
    if not isinstance(said, dict):
        raise ValueError("not a JSON object")
    rows, boots, register = said.get("rows"), said.get("boots"), said.get("face")
    if not isinstance(rows, list) or len(rows) > ROWS_MAX:
        raise ValueError(f"rows: not a list of at most {ROWS_MAX}")
    if not isinstance(boots, dict) or len(boots) > ROWS_MAX:
        raise ValueError(f"boots: not an object of at most {ROWS_MAX}")
    unit = said.get("unit")
    if unit not in UNITS:
        raise ValueError(f"unit: not {' or '.join(UNITS)}")
    impulses = _number(said.get("impulses_per_unit"), "impulses_per_unit")
    if impulses <= 0:
        raise ValueError("impulses_per_unit: not above 0")
    return Batch(
        _name(said.get("source"), "source"),
        unit,
        impulses,
        None if register is None else _register_reading(register),
        {_boot_name(name): _boot(value) for name, value in boots.items()},
        [_reading(row) for row in rows],
    )


def acknowledged(batch: Batch) -> bytes:
    """The answer once all of `batch` is stored for good."""
    accepted: dict[str, int] = {}
    for reading in batch.readings:
        accepted[reading.boot] = max(reading.sequence, accepted.get(reading.boot, 0))
    return json.dumps({"accepted": accepted}).encode()


def read_answer(body: bytes) -> dict[str, int]:
    """Which sequence is accepted in each boot. Raises ValueError when that is no answer."""
    try:
        accepted = json.loads(body)["accepted"]
        return {str(boot): _whole(sequence, "accepted") for boot, sequence in accepted.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError("not the answer of a collector") from None


def _reading(row: Any) -> Reading:
    if not isinstance(row, list) or len(row) != 5:
        raise ValueError("rows: not [boot, sequence, wall, uptime, count]")
    boot, sequence, wall, uptime, count = row
    return Reading(
        _boot_name(boot),
        _whole(sequence, "sequence"),
        None if wall is None else _number(wall, "wall"),
        _number(uptime, "uptime"),
        _whole(count, "count"),
    )


def _boot(value: Any) -> Boot:
    if not isinstance(value, dict) or not isinstance(value.get("synchronised", False), bool):
        raise ValueError("boots: not an offset and synchronised")
    offset = value.get("offset")
    return Boot(None if offset is None else _number(offset, "offset"), value.get("synchronised", False))


def _register_reading(value: Any) -> RegisterReading:
    if not isinstance(value, dict):
        raise ValueError("face: not a count and a total")
    return RegisterReading(_whole(value.get("count"), "count"), _number(value.get("total"), "total"))


def _name(value: Any, what: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= NAME_LENGTH_MAX or not value.isprintable():
        raise ValueError(f"{what}: not a name of 1-{NAME_LENGTH_MAX} characters")
    return value


def _boot_name(value: Any) -> str:
    if " " in _name(value, "boot"):
        raise ValueError("boot: not a name without blanks")
    return str(value)


def _whole(value: Any, what: str) -> int:
    if type(value) is not int or not 0 <= value <= COUNT_MAX:
        raise ValueError(f"{what}: not a whole number from 0 to {COUNT_MAX}")
    return value


def _number(value: Any, what: str) -> float:
    if type(value) not in (int, float) or not math.isfinite(value) or abs(value) > COUNT_MAX:
        raise ValueError(f"{what}: not a number")
    return float(value)
