"""Tell how much energy, gas or water it was in each day, month or year, from a collector's journal on this machine.

Of a value that is recorded (--source), its average.

`prices` shows what holds from when on, and checks the prices file.

`import` puts the history in FILE into it: a database of rrdtool, a dump of one, a table (CSV), or what a meter has kept (its
journal.sqlite). `imports` lists what was imported of other programs, `forget-import` takes it out again.
"""

import argparse
import json
import sqlite3
import time
from pathlib import Path
from typing import Any

from pimains.collector import command_words, prices_command
from pimains.collector.history import command
from pimains.core import scan_directory
from pimains.core.errors import Misused, PimainsError
from pimains.shared.readings import collectors_journal
from pimains.shared.readings.collectors_series import CollectorJournal
from pimains.shared.readings.plan.energy import Meter, periods
from pimains.shared.readings.series.costs import Costs
from pimains.shared.readings.series.figures import Bar, average_in, bars
from pimains.shared.readings.series.series import Series

_SHOWN = {"day": 14, "month": 12, "year": 10}
_MOST = 10_000


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `pimains energy` may be told."""
    parser.add_argument(
        "action",
        nargs="?",
        choices=("show", "prices", "import", "imports", "forget-import"),
        default="show",
        help="what to do (default: %(default)s)",
    )
    parser.add_argument("what", nargs="?", metavar="FILE|NUMBER", help="the file to import, or the number of the import to forget")
    parser.add_argument("--source", metavar="NAME", help="this source alone; with import: the source that it becomes the history of")
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--day", dest="kind", action="store_const", const="day", default="day", help="by local days (default)")
    kinds.add_argument("--month", dest="kind", action="store_const", const="month", help="by months")
    kinds.add_argument("--year", dest="kind", action="store_const", const="year", help="by years")
    parser.add_argument("--count", type=int, metavar="N", help="how many of them (default: 14 days, 12 months, 10 years)")
    parser.add_argument("--dry-run", action="store_true", help="with import: only tell what it would be")
    parser.add_argument("--unit", choices=("kWh", "m3"), help="with import: what the source counts in, where the file does not say")
    parser.add_argument("--column", choices=("amount", "total"), help="with import of a table: what its values are, where it does not say")
    parser.add_argument(
        "--time",
        choices=("begin", "end"),
        help="with import of a table: a line's time is the begin or the end of what it counts; of a total with a date alone: it was "
        "read at the begin or the end of that day",
    )
    parser.add_argument("--values", metavar="NAME", help="with import of a table: which column, when it has several")
    parser.add_argument("--decimal", choices=("point", "comma"), help="with import of a table: its decimal mark, where 1.234 may be 1234")
    parser.add_argument("--ds", metavar="NAME", help="with import: which data source, when a database has several")
    parser.add_argument("--factor", type=float, help="with import of a database: how many W, or m3 per hour, a value of 1 is")
    parser.add_argument("--impulses", type=float, help="with import of a meter's journal: pulses per unit, for a source that is new")
    parser.add_argument("--instance", help="the collector service, when there are several")
    parser.add_argument("--servicedir", type=Path, default=scan_directory.SCAN_DIRECTORY, help="where services are (default: %(default)s)")
    parser.add_argument("--csv", action="store_true", help="for spreadsheets: a line for each, with its cost")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(options: argparse.Namespace) -> int:
    """Do it."""
    journal = CollectorJournal(collectors_journal.the_collector(options.servicedir, options.instance))
    try:
        if options.action == "prices":
            return prices_command.tell(journal.asked, journal.path, journal.derived, options)
        if options.action == "import":
            if options.source in {each.name for each in journal.derived}:
                raise Misused(
                    f"{options.source} is made of other sources (DERIVED) and has no readings of its own: import into one of these"
                )
            return command.store(journal.path, options)
        collectors_journal.become_the_collectors_user()
        if options.action == "imports":
            return command.tell(journal.path, options)
        if options.action == "forget-import":
            return command.forget(journal.path, options)
        return _show(journal, options)
    except sqlite3.Error as error:
        raise PimainsError(f"{journal.path}: {error}") from None


def _show(journal: CollectorJournal, options: argparse.Namespace) -> int:
    count = options.count if options.count is not None else _SHOWN[options.kind]
    if not 1 <= count <= _MOST:
        raise Misused(f"--count {count}: not a number from 1 to {_MOST}")
    series, costs = journal.series(), journal.costs()
    try:
        meters = _wanted(series.meters(), options.source, journal)
        tables = {meter.source: _table(series, meter, options.kind, count, costs) for meter in meters}
    finally:
        series.close()
    if options.json:
        print(json.dumps(tables, indent=2))
    elif options.csv:
        print(command_words.as_csv(list(tables.values()), options.kind), end="")
    else:
        for number, table in enumerate(tables.values()):
            print("\n" * bool(number) + (command_words.table(table) if "sum" in table else command_words.averages(table)))
    return 0


def _wanted(meters: dict[str, Meter], source: str | None, journal: CollectorJournal) -> list[Meter]:
    counting = [meter for meter in meters.values() if not meter.is_gauge]
    if source is None:
        if not counting:
            raise PimainsError(f"{journal.collector.name} has no readings yet")
        return counting
    if source not in meters:
        raise Misused(f"there is no source {source}; there is {', '.join(meters) or 'none yet'}")
    return [meters[source]]


def _table(series: Series, meter: Meter, kind: str, count: int, costs: Costs) -> dict[str, Any]:
    if meter.is_gauge:
        return _averages(series, meter, kind, count)
    found = bars(series, meter, f"{kind}s", time.time(), count, costs)
    while len(found) > 1 and found[0].amount is None:
        found.pop(0)
    tariff, known = costs.tariff(meter), [bar.cost for bar in found if bar.cost]
    kwh = [bar.kwh for bar in found if bar.kwh is not None]
    return {
        "source": meter.source,
        "unit": meter.unit,
        "kind": kind,
        "currency": costs.tariffs.currency if tariff.has_price else None,
        "rows": [_row(kind, bar) for bar in found],
        "sum": sum(bar.amount or 0.0 for bar in found),
        "sum_kWh": sum(kwh) if kwh else None,
        "sum_cost": sum(cost.total for cost in known) if known else None,
        "sum_standing_charge": sum(cost.standing_charge for cost in known) if known else None,
    }


def _row(kind: str, bar: Bar) -> dict[str, Any]:
    cost, standing_charge = (bar.cost.total, bar.cost.standing_charge) if bar.cost else (None, None)
    return {kind: bar.period.label, "amount": bar.amount, "kWh": bar.kwh, "cost": cost, "standing_charge": standing_charge}


def _averages(series: Series, meter: Meter, kind: str, count: int) -> dict[str, Any]:
    """Of a value that is recorded: it adds up to nothing."""
    rows = [{kind: period.label, "average": average_in(series, meter, period)} for period in periods(kind, time.time(), count)]
    while len(rows) > 1 and rows[0]["average"] is None:
        rows.pop(0)
    return {"source": meter.source, "unit": meter.unit, "kind": kind, "rows": rows}
