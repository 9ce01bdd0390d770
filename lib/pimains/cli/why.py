"""Why something was switched: what the ledger holds, as sentences, newest first."""

import argparse
import json
import sqlite3
import sys
from typing import Any

from pimains.core import clock as clocks
from pimains.core.errors import PimainsError
from pimains.core.ledger import Entry, Ledger
from pimains.core.plan import sentences, text


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `pimains why` may be told."""
    parser.add_argument("subject", metavar="SUBJECT", nargs="?", help="what was switched, for example plug or halt (default: everything)")
    parser.add_argument("--limit", type=_count, default=10, metavar="N", help="how many entries at most (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="the same for programs")


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of entries (1-10000)")
    return int(text)


def run(options: argparse.Namespace) -> int:
    """Print the newest entries."""
    clock = clocks.SystemClock()
    ledger = Ledger(clock=clock, tell=lambda line: print(f"pimains: {line}", file=sys.stderr))
    try:
        entries = ledger.entries(options.subject, options.limit)
        subjects = [] if entries else ledger.subjects()
    except (OSError, sqlite3.Error) as error:
        raise PimainsError(f"{ledger.path}: {error}") from None
    if not entries and subjects:
        print(f"pimains: nothing in the ledger about {options.subject!r}; there is: {', '.join(subjects)}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps([as_json(entry, clock) for entry in entries], indent=2))
    elif not entries:
        print("The ledger is empty: nothing was switched yet.")
    for entry in [] if options.json else entries:
        print(text.one_line(sentence(entry, clock)))
    return 0


def when(entry: Entry, clock: clocks.Clock) -> tuple[float, float | None]:
    """When an entry was made: seconds since 1970, and how many seconds ago (None: no clock can tell).

    An entry of this boot is dated by the monotonic clock: its own wall time may be from before the clock was set.
    """
    now = clock.wall()
    age = clock.monotonic() - entry.monotonic
    if entry.boot == clocks.boot_id() and age >= 0:
        return now - age, age
    age = now - entry.wall
    return entry.wall, age if age >= 0 and sentences.clock_was_set(entry.wall) else None


def sentence(entry: Entry, clock: clocks.Clock) -> str:
    """One entry as it is told."""
    wall, age = when(entry, clock)
    return sentences.entry(
        wall=wall,
        now=clock.wall(),
        age=age,
        subject=entry.subject,
        action=entry.action,
        cause=entry.cause,
        inputs=entry.inputs,
        next_change=None if entry.next_change is None else entry.next_change - entry.wall + wall,
    )


def as_json(entry: Entry, clock: clocks.Clock) -> dict[str, Any]:
    """One entry for programs; times are seconds since 1970."""
    wall, age = when(entry, clock)
    return {
        "subject": entry.subject,
        "action": entry.action,
        "cause": entry.cause,
        "time": wall,
        "age_seconds": age,
        "inputs": {name: {"value": reading.value, "age_seconds": reading.age_seconds} for name, reading in entry.inputs.items()},
        "may_change_again": None if entry.next_change is None else entry.next_change - entry.wall + wall,
        "this_boot": entry.boot == clocks.boot_id(),
    }
