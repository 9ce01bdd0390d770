"""What a meter and a collector say to each other: readings, sent until they are acknowledged.

    POST /v1/readings                      Authorization: Bearer TOKEN, Content-Type: application/json
    {"source": "house", "unit": "kWh", "impulses_per_unit": 1000,
     "face": {"count": 0, "total": 12345.6} or null, "run": RUN, "host": "pi",
     "boots": {RUN: {"offset": 1790000000.25 or null, "synchronised": true, "boot": BOOT, "acknowledged": 500,
                     "impulses_per_unit": 1000}},
     "rows": [[RUN, sequence, wall or null, uptime, count], ...]}

    200 {"accepted": {RUN: sequence},      stored for good: all rows of this request with that run, up to that sequence
         "known": {RUN: sequence}}         the last that was stored before, of each run with `acknowledged`
    400 {"error": "..."}                   no such request as this; sending it again is of no use
    401, 403                               the token is wrong, or is another source's
    409 {"error": "..."}                   another meter sends as this source, or it has counted in another unit until now
    413                                    more than ROWS_MAX rows or BODY_BYTES_MAX bytes
    429, 5xx, or no answer                 try later

A run is a start of the meter's service, or what it counts from when its meter was replaced on, by a random name: what identifies a
reading can never come twice for another one. Each has its own `impulses_per_unit`; that beside the source is what holds now.
A row is known by source, run and sequence: sent twice it is stored once, in whatever order it comes. `run` is the one that
the sender is in, and `face` is of its counter; `boot` is the kernel's name for the boot of a run, `uptime` the seconds since
that began, which no clock jump bends. A reading's time is its boot's offset plus its uptime; where the boot has no offset it
is `wall`; where there is neither, it is stored and has no time yet. A later request may bring another offset, with or without
rows: then the readings of all runs of that boot move. An offset that came from a clock that is synchronised is never replaced
by one that is not.

`count` is the number of pulses that its counter has counted: in a run it never falls, so that a row that is left out changes
no total. `face` is what the meter's register showed (in `unit`) at some count: a total at that count or above, until the next one
that is told, follows from it.

`acknowledged` is the last sequence of a run that was accepted until now. Of a run whose `known` is below that nothing is
stored: the collector has lost readings, and what its meter still has comes again from there.

Meters of 0.1.0 name their runs after the boot, and send no `run`, `host`, `boot` and `acknowledged`; its collectors take
no notice of them, and answer without `known`.
"""

import json
import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

PATH = "/v1/readings"
ROWS_MAX = 5000
BODY_BYTES_MAX = 1024 * 1024
NAME_LENGTH_MAX = 64
COUNT_MAX = 2**53
UNITS = ("kWh", "m3")


class Reading(NamedTuple):
    """One row: `sequence` counts from 1 in each run, `boot` is its name; `wall` is in seconds since 1970, `uptime` in seconds."""

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


class Run(NamedTuple):
    """What else is said of a run: the kernel's name for its boot, the last sequence that was accepted, and how many pulses were a unit
    in it; None where nobody said it."""

    boot: str | None
    acknowledged: int | None = None
    impulses_per_unit: float | None = None


class RegisterReading(NamedTuple):
    """What the meter's register showed, in its unit, when so many `pulses` had come."""

    pulses: int
    total: float


NO_RUNS: Mapping[str, Run] = MappingProxyType({})


class Batch(NamedTuple):
    """The body of one request; `boots` and `runs` by the names of runs. `run`: the one that the sender is in, '' where it says none."""

    source: str
    unit: str
    impulses_per_unit: float
    register: RegisterReading | None
    boots: dict[str, Boot]
    readings: list[Reading]
    runs: Mapping[str, Run] = NO_RUNS
    run: str = ""
    host: str = ""


class Answer(NamedTuple):
    """The last sequence of each run that is accepted by it, and that was stored before."""

    accepted: dict[str, int]
    known: dict[str, int]


def written(batch: Batch) -> bytes:
    """`batch` as the body of a request."""
    body = {
        "source": batch.source,
        "unit": batch.unit,
        "impulses_per_unit": batch.impulses_per_unit,
        "face": batch.register and {"count": batch.register.pulses, "total": batch.register.total},
        "boots": {name: boot._asdict() | _said(batch.runs.get(name)) for name, boot in batch.boots.items()},
        "rows": batch.readings,
        **{name: value for name, value in (("run", batch.run), ("host", batch.host)) if value},
    }
    return json.dumps(body, separators=(",", ":"), allow_nan=False).encode()


def _said(run: Run | None) -> dict[str, Any]:
    return {name: value for name, value in (run._asdict() if run else {}).items() if value is not None}


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
    impulses = _impulses(said.get("impulses_per_unit"))
    told = {_boot_name(name): (_boot(value), _run(value)) for name, value in boots.items()}
    run, host = said.get("run", ""), said.get("host", "")
    return Batch(
        _name(said.get("source"), "source"),
        unit,
        impulses,
        None if register is None else _register_reading(register),
        {name: boot for name, (boot, _) in told.items()},
        [_reading(row) for row in rows],
        {name: each for name, (_, each) in told.items() if each != Run(None)},
        "" if run == "" else _boot_name(run),
        "" if host == "" else _name(host, "host"),
    )


def acknowledged(batch: Batch, known: Mapping[str, int] = MappingProxyType({})) -> bytes:
    """The answer once all of `batch` is stored for good, but for runs that lost readings before; `known` is what was stored before."""
    accepted: dict[str, int] = {}
    for reading in batch.readings:
        if not has_lost(batch, known, reading.boot):
            accepted[reading.boot] = max(reading.sequence, accepted.get(reading.boot, 0))
    return json.dumps({"accepted": accepted, "known": dict(known)}).encode()


def has_lost(batch: Batch, known: Mapping[str, int], run: str) -> bool:
    """Whether readings of a run were accepted once that are not stored any more."""
    said = batch.runs.get(run)
    return said is not None and said.acknowledged is not None and known.get(run, said.acknowledged) < said.acknowledged


def read_answer(body: bytes) -> Answer:
    """What a collector says. Raises ValueError when that is no answer."""
    try:
        said = json.loads(body)
        return Answer(
            {str(run): _whole(number, "accepted") for run, number in said["accepted"].items()},
            {str(run): _whole(number, "known") for run, number in said.get("known", {}).items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError("not the answer of a collector") from None


def read_refusal(body: bytes) -> str:
    """Why a collector refuses, on one line; the words are its own."""
    try:
        words = str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError, RecursionError):
        words = body.decode("utf-8", "replace")
    return " ".join(words.split())


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


def _run(value: dict[str, Any]) -> Run:
    boot, acknowledged, impulses = value.get("boot"), value.get("acknowledged"), value.get("impulses_per_unit")
    return Run(
        None if boot is None else _name(boot, "boot"),
        None if acknowledged is None else _whole(acknowledged, "acknowledged"),
        None if impulses is None else _impulses(impulses),
    )


def _impulses(value: Any) -> float:
    impulses = _number(value, "impulses_per_unit")
    if impulses <= 0:
        raise ValueError("impulses_per_unit: not above 0")
    return impulses


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
