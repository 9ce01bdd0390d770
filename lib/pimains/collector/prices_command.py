"""`pimains energy prices`: what holds from when on, and what is wrong in the prices file."""

import argparse
import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from pimains.collector.command_words import moment
from pimains.core.plan.columns import aligned
from pimains.shared.readings.plan.derived import Derived
from pimains.shared.readings.plan.price_lines import PriceLine, Window, weekdays
from pimains.shared.readings.plan.tariffs import BEGINNING, Seen
from pimains.shared.readings.series.derived_series import DerivedSeries
from pimains.shared.readings.standing_prices import Asked, Standing, standing


def tell(asked: Asked, journal: Path, derived: list[Derived], options: argparse.Namespace) -> int:
    """All of it; 1 when something is wrong."""
    found = standing(asked, journal.parent)
    sources = _sources(journal, derived)
    notes = [f"{asked.file} {unknown}" for unknown in found.tariffs.unknown(sources)] if sources and not found.held.trouble else []
    if options.json:
        print(json.dumps(_for_programs(asked, found, notes), indent=2))
    else:
        rows = [*_of_settings(asked, found.seen), *(_row(line, asked.currency) for line in found.held.lines)]
        print("\n".join([f"{asked.file or 'PRICES is empty'}: {_how_it_is(asked, found)}", *aligned(rows)]))
        for line in [*found.held.trouble, *notes]:
            print(line, file=sys.stderr)
    return 1 if found.held.trouble else 0


def _sources(journal: Path, derived: list[Derived]) -> set[str]:
    """Those that the journal has; none where there is none yet, or it is not for this person."""
    try:
        with closing(DerivedSeries(journal, derived, only_look=True)) as series:
            return set(series.meters())
    except sqlite3.Error:
        return set()


def _how_it_is(asked: Asked, found: Standing) -> str:
    if found.held.trouble:
        return f"{len(found.held.trouble)} wrong; what it said when it was last right holds"
    if found.held.lines:
        lines = len(found.held.lines)
        return f"{lines} line{'s' if lines > 1 else ''}, right"
    return "there is nothing in it; PRICE and PRICE_M3 hold" if asked.file and asked.file.exists() else "PRICE and PRICE_M3 hold"


def _of_settings(asked: Asked, seen: list[Seen]) -> list[list[str]]:
    rows = []
    for each in seen:
        since = "the beginning" if each.start == BEGINNING else moment(each.start)
        for name, unit, price in (("PRICE", "kWh", each.kwh), ("PRICE_M3", "m³", each.m3)):
            if price is not None:
                rows.append([since, "all", f"{price:g} {asked.currency}".strip() + f" a {unit}", f"setting {name}, until a line for all"])
            elif any(getattr(other, "kwh" if name == "PRICE" else "m3") is not None for other in seen):
                rows.append([since, "all", f"no price of a {unit}", f"setting {name} is empty"])
    return rows


def _row(line: PriceLine, currency: str) -> list[str]:
    words = {
        "PRICE": f"{{:g}} {currency} a kWh",
        "PRICE_M3": f"{{:g}} {currency} a m³",
        "STANDING_CHARGE": f"{{:g}} {currency} a month standing charge",
        "CALORIFIC_VALUE": "{:g} kWh in a m³ of gas",
        "STATE_NUMBER": "state number {:g}",
    }
    what = ", ".join(words[name].format(value).replace("  ", " ") for name, value in line.values.items())
    return [moment(line.start), line.source or "all", what, f"line {line.number}" + (f", {_when(line.window)}" if line.window else "")]


def _when(window: Window) -> str:
    begin, end = (f"{minute // 60:02}:{minute % 60:02}" for minute in (window.begin, window.end))
    return f"{weekdays(window.days)} {begin}-{end}"


def _for_programs(asked: Asked, found: Standing, notes: list[str]) -> dict[str, Any]:
    return {
        "file": asked.file and str(asked.file),
        "currency": asked.currency,
        "wrong": found.held.trouble,
        "notes": notes,
        "settings": [
            {"from": None if each.start == BEGINNING else each.start, "PRICE": each.kwh, "PRICE_M3": each.m3} for each in found.seen
        ],
        "lines": [
            {
                "line": line.number,
                "from": line.start,
                "source": line.source,
                **line.values,
                "when": _when(line.window) if line.window else None,
            }
            for line in found.held.lines
        ],
    }
