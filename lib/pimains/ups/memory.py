"""What a service that is restarted within this boot has to know of a UPS: how it stood, what its battery did, what people were told.

It is one line of JSON, the same while nothing changes: what comes anew with each look is left out as long as the mains are there.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from pimains.ups.plan.battery import Battery, Reading
from pimains.ups.plan.numbers import NumbersBefore
from pimains.ups.plan.standing import Standing, Told
from pimains.ups.plan.status import Fsd, Line
from pimains.ups.plan.telling import Matter


class Known(NamedTuple):
    """As the next one goes on with it."""

    standing: Standing = Standing()
    battery: Battery = Battery()
    matters: Mapping[str, Matter] = {}  # read only


def written(known: Known) -> str:
    """For the file."""
    standing = known.standing
    kept = {name: getattr(standing, name) for name in ("line", "why_low", "fsd", "lost_at", "off_at", "was_without_fsd", "has_slept")}
    kept |= {"words": sorted(standing.words), "told": {**standing.told._asdict(), "others": sorted(standing.told.others)}}
    if standing.is_on_battery:
        kept |= {"fresh_at": standing.fresh_at, "numbers_before": standing.numbers_before._asdict()}
    battery = known.battery._asdict() if known.battery.began is not None else {}
    return json.dumps({"standing": kept, "battery": battery, "matters": {name: each._asdict() for name, each in known.matters.items()}})


def read(text: str) -> Known:
    """From the file; as if nothing were known where it is of another version, or none."""
    try:
        found = json.loads(text)
        return Known(
            _standing(found["standing"]),
            _battery(found["battery"]),
            {name: Matter(**{**each, "told_at": tuple(each["told_at"])}) for name, each in found["matters"].items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return Known()


def _standing(kept: dict[str, Any]) -> Standing:
    line, fsd, told = kept.pop("line"), kept.pop("fsd"), kept.pop("told")
    return Standing(
        line=None if line is None else Line(line),
        words=frozenset(kept.pop("words")),
        fsd=None if fsd is None else Fsd(fsd),
        told=Told(**{**told, "others": frozenset(told["others"])}),
        numbers_before=NumbersBefore(**kept.pop("numbers_before", {})),
        **kept,
    )


def _battery(kept: dict[str, Any]) -> Battery:
    readings = {name: Reading(*kept.pop(name)) for name in ("charge", "runtime", "first", "settled") if kept.get(name) is not None}
    return Battery(**{**kept, **readings})
