"""Why something was switched: what the ledger holds, as sentences, newest first."""

import argparse
import json
import sqlite3
import sys

from pimains.core import clock as clocks
from pimains.core import ledger_told
from pimains.core.errors import PimainsError
from pimains.core.ledger import Ledger
from pimains.core.plan import text


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
        print(json.dumps([ledger_told.as_json(entry, clock) for entry in entries], indent=2))
    elif not entries:
        print("The ledger is empty: nothing was switched yet.")
    for entry in [] if options.json else entries:
        print(text.one_line(ledger_told.sentence(entry, clock)))
    return 0
