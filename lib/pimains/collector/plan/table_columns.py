"""What the names of a table's columns say: which has the times, which the values, and whether these are totals, amounts or watts.

German, English and French names. What a name does not say is not guessed: the kind of such a column is None.
"""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

Kind = Literal["total", "amount", "watts"]

_TIMES = ("unixtime", "time", "timestamp", "date", "datetime", "datum", "zeit", "zeitstempel", "datum/uhrzeit")
_MORE_TIMES = (
    "date/time", "date time", "date & time", "datum und uhrzeit", "datum uhrzeit", "datum/zeit", "datum zeit",
    "date/heure", "date et heure", "date heure", "horodatage", "horodate", "last changed",
    "day", "tag", "jour", "month", "monat", "mois", "year", "jahr", "année", "annee",
)  # fmt: skip
_CLOCKS = ("uhrzeit", "heure", "time of day", "zeit", "time")  # beside a date
_BEGINS = ("von", "from", "start", "begin", "beginn", "début", "debut", "de", "start time", "time start", "interval start", "startzeit")
_ENDS = ("bis", "to", "end", "ende", "fin", "à", "end time", "time end", "interval end", "endzeit", "stop")
_UNITS: dict[str, tuple[str, float, Kind | None]] = {
    "kwh": ("kWh", 1.0, None), "wh": ("kWh", 0.001, None), "mwh": ("kWh", 1000.0, None),
    "m3": ("m3", 1.0, None), "m³": ("m3", 1.0, None), "liter": ("m3", 0.001, None), "litres": ("m3", 0.001, None),
    "w": ("kWh", 1.0, "watts"), "watt": ("kWh", 1.0, "watts"), "watts": ("kWh", 1.0, "watts"), "kw": ("kWh", 1000.0, "watts"),
}  # fmt: skip
_WORDS: dict[Kind, tuple[str, ...]] = {
    "total": ("total", "gesamt", "zählerstand", "zaehlerstand", "reading", "index", "compteur", "relevé", "releve", "cumul", "register"),
    "amount": ("amount", "verbrauch", "consumption", "consommation", "usage", "bezug", "einspeisung", "erzeugung", "production",
               "produktion", "ertrag", "yield"),
    "watts": ("power", "leistung", "puissance"),
}  # fmt: skip
_UNCLEAR = ("value", "wert", "valeur", "state", "energy", "energie", "énergie")
_OTHERS = ("cost", "costs", "kosten", "preis", "price", "tarif", "eur", "euro", "chf", "coût", "prix")
_OWN: tuple[tuple[str, ...], ...] = (  # what pimains has always taken first, when there are several
    ("total_kwh", "total_m3", "total", "zählerstand"),
    ("amount_kwh", "amount_m3", "verbrauch"),
    ("watts", "watt", "w", "power", "leistung"),
)

_CLOCK = re.compile(r"[0-2]?[0-9]:[0-5][0-9](?::[0-5][0-9])?")


class Column(NamedTuple):
    """The values of a table: `kind` and `unit` are None where its name does not say; in `unit` a value is `factor` times as much."""

    at: int
    name: str
    kind: Kind | None
    unit: str | None
    factor: float


class Head(NamedTuple):
    """Where a table has its times: `time`, beside it perhaps a `clock`, or `begin`, `end` or both; columns that may have its values."""

    time: int | None
    clock: int | None
    begin: int | None
    end: int | None
    entity: int | None
    is_utc: bool
    values: list[Column]


class Place(NamedTuple):
    """Where a line has its time: from `start` until `end`, perhaps both clocks beside a `date`; `entity`: whose it is.

    `side` is what the name of `start` says of it, where it is alone.
    """

    start: int
    end: int | None
    date: int | None
    entity: int | None
    side: Literal["begin", "end"] | None


def head_of(names: Sequence[str]) -> Head:
    """What the names say; a missing time is the caller's to complain about."""
    bare = [re.sub(r"\s*[\[(][^\])]*[\])]", "", _plain(name)).strip() for name in names]
    known = [re.sub(r"\s+(?:utc|gmt|z)$", "", name) for name in bare]
    begin = next((known.index(name) for name in _BEGINS if name in known), None)
    end = next((known.index(name) for name in _ENDS if name in known), None)
    time = next((known.index(name) for name in (*_TIMES, *_MORE_TIMES) if name in known), None)
    dates = [known.index(name) for name in ("date", "datum", "day", "tag", "jour") if name in known]
    clock = next((known.index(name) for name in _CLOCKS if dates and name in known), None)
    if clock is not None:
        time = dates[0]
    entity = known.index("entity id") if "entity id" in known else None
    used = {time, clock, begin, end, entity}
    values = [column for at, name in enumerate(names) if at not in used and (column := _value_column(at, name)) is not None]
    is_utc = any(at is not None and re.search(r"\b(?:utc|gmt)\b", names[at].lower()) for at in used)
    return Head(time, clock, begin, end, entity, is_utc, values)


def place_of(head: Head, names: Sequence[str], row: Sequence[str]) -> Place:
    """Where such a line as `row` has its time. Raises ValueError when it has none."""

    def is_clock(at: int | None) -> bool:
        return at is not None and at < len(row) and _CLOCK.fullmatch(row[at].strip()) is not None

    begin, end, time = head.begin, head.end, head.time
    if begin is not None and end is not None and (not is_clock(begin) or time is not None):
        return Place(begin, end, time if is_clock(begin) else None, head.entity, None)
    if begin is not None and (time is None or is_clock(begin)):
        return Place(begin, None, time, head.entity, "begin")
    if end is not None and (time is None or is_clock(end)):
        return Place(end, None, time, head.entity, "end")
    if time is None:
        raise ValueError(f"the first line names no column of times: one of {', '.join(_TIMES[:4])} (it has {', '.join(names)[:80]!r})")
    return Place(time, None, None, head.entity, None) if head.clock is None else Place(head.clock, None, time, head.entity, None)


def joined(date: str, clock: str) -> str:
    """A date and a time of day."""
    clock = clock.strip()
    return f"{date.strip()} {clock if clock[1:2] != ':' else '0' + clock}"


def chosen(head: Head, names: Sequence[str], unit: str | None, wanted: str | None, kind: Kind | None) -> Column:
    """The column of values that is meant: `wanted` is its name, `kind` what a person says of it, `unit` what its source counts in.

    Raises ValueError with what is missing.
    """
    fitting = [each for each in head.values if unit is None or each.unit in (None, unit)]
    if wanted is not None:
        same = [at for at, name in enumerate(names) if name.strip().lower() == wanted.strip().lower()]
        if len(same) != 1:
            raise ValueError(
                f"--values {wanted!r}: there {'are several' if same else 'is no'} such column{'s' * bool(same)}; there is {_listed(names)}"
            )
        at = same[0]
        found = next((each for each in head.values if each.at == at), None) or Column(at, names[at].strip(), None, None, 1.0)
        if unit is not None and found.unit not in (None, unit):
            raise ValueError(f"--values {wanted!r} is in {found.unit}, and its source counts {unit}")
    else:
        own = next((each for known in _OWN for name in known for each in fitting if each.name.lower() == name), None)
        if not fitting:
            what = f" for a source in {unit}" if unit else ""
            raise ValueError(
                f"the first line names no columns that are known{what}: one of {', '.join(_TIMES[:4])}, and one of "
                f"{_values_of(unit)} (it has {', '.join(names)[:80]!r})"
            )
        if own is None and len(fitting) > 1:
            raise ValueError(f"several columns may be meant; --values says which: {_listed([each.name for each in fitting])}")
        found = own or fitting[0]
    if kind is not None and found.kind == "watts":
        raise ValueError(f"--column={kind}: {found.name!r} has watts")
    return found._replace(kind=kind or found.kind, unit=found.unit or unit)


def _value_column(at: int, name: str) -> Column | None:
    plain = _plain(name)
    parts = re.split(r"[\W_]+", plain)
    if any(part in _OTHERS for part in parts):
        return None
    units = [_UNITS[part] for part in parts if part in _UNITS]
    kinds = [kind for kind, words in _WORDS.items() if any(word in plain for word in words)]
    if not kinds and "stand" in parts:
        kinds = ["total"]
    if not units and not kinds and not any(part in _UNCLEAR for part in parts):
        return None
    unit, factor, of_unit = units[0] if units else (None, 1.0, None)
    kind: Kind | None = of_unit or (kinds[0] if len(kinds) == 1 else None)
    if kind == "watts" and unit is not None and of_unit is None:
        kind = None  # power in kWh: it contradicts itself
    return Column(at, name.strip(), kind, "kWh" if kind == "watts" else unit, factor)


def _plain(name: str) -> str:
    return re.sub(r"[\s_.]+", " ", name).strip().lower()


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name.strip()) for name in names if name.strip())[:300]


def _values_of(unit: str | None) -> str:
    """The columns that a source in `unit` has its values in, as people are told of them."""
    units = ("kWh", "m3") if unit is None else (unit,)
    names = [*(("watts",) if "kWh" in units else ()), *(f"total_{each}" for each in units), *(f"amount_{each}" for each in units)]
    return ", ".join(names)
