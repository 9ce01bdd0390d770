"""Rehearse an outage: the real plan and settings in virtual time, against a battery, UPSes and machines that are simulated.

Nothing is ordered, written or connected to. The table has what would happen and when, how long each step may take (BUDGET) and how long
the battery would last after it (MARGIN). Exit code 1: a margin is negative, or a machine that is to be up stays off. What is reckoned with
is said above the table. A time is a number with s, m or h.
"""

import argparse
import json
import os
import re
from pathlib import Path

from pimains.core import scan_directory
from pimains.core.library import Needed
from pimains.ups import check, instances
from pimains.ups.plan import shedding

with Needed("python3-nut2") as library:
    from pimains.ups.rehearsal import assumed
    from pimains.ups.rehearsal.outage import Outage
    from pimains.ups.rehearsal.timeline import clock
    from pimains.ups.rehearsal.virtual_upses import Model

_MODELS = ("returns", "ignores", "cannot")


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `pimains rehearse` may be told."""
    parser.add_argument("what", choices=["outage"], help="what to rehearse")
    parser.add_argument("--lasting", metavar="TIME", type=_time, default=_time("20m"), help="how long the mains are away (default: 20m)")
    parser.add_argument("--return-at", metavar="TIME", type=_time, help="they are back after so long already, however long --lasting is")
    parser.add_argument(
        "--charge", metavar="PERCENT", type=_percent, help="the charge that the batteries begin with (default: as it is now)"
    )
    told = "what the UPS does that is told to cut: it cuts and returns with the mains, ignores that while they are there, or cannot"
    parser.add_argument("--ups", choices=_MODELS, default="returns", help=f"{told} (default: %(default)s)")
    parser.add_argument("--instance", help="the ups service, when there are several")
    parser.add_argument("--servicedir", type=Path, default=scan_directory.SCAN_DIRECTORY, help="where services are (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(options: argparse.Namespace) -> int:
    """Do it."""
    service = instances.only_one(instances.chosen(options))
    library.must_be_there(service.path)
    if service.root:
        os.environ["PIMAINS_ROOT"] = service.root
    settings = check.settings_of(service)
    known = assumed.of(service, settings, options.charge)
    back_after = options.lasting if options.return_at is None else options.return_at
    outage = Outage(service, settings, known, Model(options.ups), back_after)
    found = outage.rehearse()
    words = [*known.words, *assumed.host_words(outage.measured)]
    if options.json:
        rows = [each._asdict() for each in found.entries]
        print(json.dumps({"instance": service.name, "reckoned_with": words, "timeline": rows, "faults": found.faults}, indent=2))
        return 1 if found.faults else 0
    print(f"{service.name}: the mains are away for {clock(back_after)}, the UPS {_DOES[options.ups]}")
    print(*(f"  {line}" for line in words), "", *found.table(), "", sep="\n")
    print(*(found.faults or ["everything has its time, and all that is to be up is up again"]), sep="\n")
    return 1 if found.faults else 0


_DOES = {"returns": "cuts and returns", "ignores": "ignores the cut while the mains are there", "cannot": "cannot cut"}


def _time(text: str) -> float:
    try:
        return shedding.parse_seconds(f"{text}s" if text.isdecimal() else text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: a number with s, m or h, at most 24h") from None


def _percent(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is no charge: percent, 1-100")
    return float(text)
