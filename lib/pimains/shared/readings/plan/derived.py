"""Sources that are the sum or the difference of others, such as: total = house + car; grid = house - pv."""

import re
from typing import NamedTuple

from pimains.shared.plan.delivery import NAME_LENGTH_MAX
from pimains.shared.readings.plan.energy import Meter

_SIGN = re.compile(r"\s+([+-])\s+")
_COUNTS_PER_UNIT = 1000.0


class Derived(NamedTuple):
    """One of them: its parts by name, each with 1, or with -1 where it is taken away."""

    name: str
    parts: tuple[tuple[int, str], ...]


def read(text: str) -> list[Derived]:
    """What stands between semicolons. Raises ValueError."""
    found = [_one(each) for each in text.split(";") if each.strip()]
    if len({each.name for each in found}) < len(found):
        raise ValueError
    return found


def _one(text: str) -> Derived:
    name, equals, sum_ = text.partition("=")
    words = _SIGN.split(sum_.strip())
    parts = tuple((-1 if sign == "-" else 1, part.strip()) for sign, part in zip(["+", *words[1::2]], words[::2], strict=True))
    if not equals or not all(0 < len(each) <= NAME_LENGTH_MAX for each in (name.strip(), *(part for _, part in parts))):
        raise ValueError
    return Derived(name.strip(), parts)


def circle(derived: list[Derived]) -> str:
    """How one leads back to itself; '' when none does."""
    by_name = {each.name: each for each in derived}

    def found(name: str, way: tuple[str, ...]) -> str:
        if name in way:
            return " is made of ".join((*way[way.index(name) :], name))
        parts = by_name[name].parts if name in by_name else ()
        return next(filter(None, (found(part, (*way, name)) for _, part in parts)), "")

    return next(filter(None, (found(each.name, ()) for each in derived)), "")


def meters_of(derived: list[Derived], own: dict[str, Meter]) -> tuple[dict[str, Meter], list[str]]:
    """Those of them that can be told of the meters there are, and what is wrong with the others, a line each. There is no circle."""
    by_name = {each.name: each for each in derived}
    found: dict[str, Meter] = {}
    wrong: list[str] = []
    for each in derived:
        try:
            if each.name in own:
                raise ValueError("there is a source of that name that counts itself")
            found[each.name] = _meter(each.name, _parts(each, by_name, own))
        except ValueError as why:
            wrong.append(f"{each.name}: {why}")
    return found, wrong


def _parts(one: Derived, by_name: dict[str, Derived], own: dict[str, Meter]) -> tuple[tuple[int, Meter], ...]:
    """All the way down to those that count themselves."""
    found: list[tuple[int, Meter]] = []
    for sign, name in one.parts:
        if name in own and own[name].is_gauge:
            raise ValueError(f"{name} is a value that is recorded, and adds up to nothing")
        if name in own:
            found.append((sign, own[name]))
        elif name in by_name:
            found += [(sign * each, meter) for each, meter in _parts(by_name[name], by_name, own)]
        else:
            raise ValueError(f"there is no source {name}; there is {', '.join(own) or 'none yet'}")
    return tuple(found)


def _meter(name: str, parts: tuple[tuple[int, Meter], ...]) -> Meter:
    units = {meter.unit for _, meter in parts}
    if len(units) > 1:
        raise ValueError(f"{parts[0][1].source} counts {parts[0][1].unit}, and not all the others do")
    return Meter(name, parts[0][1].unit, _COUNTS_PER_UNIT, None, sum(meter.edition for _, meter in parts), parts)
