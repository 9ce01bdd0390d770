"""Tell what the meters of this machine show, or set one to what its face shows.

`set` counts on from there: it changes no reading, and is written into the ledger. `replace` says that another meter hangs at the pin:
what its face shows, and its impulses per kWh or m3 where they are others; what the old one counted stays what it was.
"""

import argparse
import getpass
import json
import os
from pathlib import Path
from typing import Any

from pimains.core import scan_directory, state
from pimains.core.errors import Misused, PimainsError
from pimains.meter.measure import IMPULSES_MAX, IMPULSES_MIN
from pimains.shared import variable_file
from pimains.shared.orders.asker_end import ask_service


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `pimains meter` may be told."""
    parser.add_argument("action", nargs="?", choices=("show", "set", "replace"), default="show", help="what to do (default: %(default)s)")
    parser.add_argument("total", nargs="?", metavar="TOTAL", help="what the meter's face shows now, in kWh or m3")
    parser.add_argument(
        "--impulses", type=float, metavar="N", help="with replace: the new meter's impulses per kWh or m3, if they are others"
    )
    parser.add_argument("--instance", help="the meter service, when there are several")
    parser.add_argument("--servicedir", type=Path, default=scan_directory.SCAN_DIRECTORY, help="where services are (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(options: argparse.Namespace) -> int:
    """Do it."""
    meters = [each for each in scan_directory.found(options.servicedir) if each.service == "meter"]
    if options.instance:
        meters = [each for each in meters if each.name == options.instance]
    if not meters:
        which = f"no meter service {options.instance}" if options.instance else "no meter service"
        raise Misused(f"{options.servicedir}: {which} (create_service --service_name=meter --add-service)")
    if options.impulses is not None and options.action != "replace":
        raise Misused("--impulses is for replace: pimains meter replace --impulses=800 TOTAL")
    if options.action != "show":
        return _set(meters, options)
    if options.total is not None:
        raise Misused(f"{options.total} says nothing to show; `pimains meter set {options.total}` tells what the meter's face shows")
    found = {each.name: _shown(each) for each in meters}
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        for name, shown in found.items():
            print(f"{name}: {shown['status']}")
    return 0


def _shown(meter: scan_directory.ServiceDirectory) -> dict[str, Any]:
    total, power, flow = (state.read(meter.run / name) for name in ("total", "power", "flow"))
    how = state.read(meter.run / ("power_is" if power else "flow_is"))
    return {
        "status": state.read(meter.run / "status") or "not running",
        "total": total and float(total),
        "power_watts": power and float(power),
        "flow_m3_per_hour": flow and float(flow),
        "is_upper_bound": how == "at most",
    }


def _set(meters: list[scan_directory.ServiceDirectory], options: argparse.Namespace) -> int:
    total = options.total
    if total is None:
        raise Misused(f"TOTAL is missing: what the meter's face shows, such as: pimains meter {options.action} 12345.6")
    if len(meters) > 1:
        raise Misused(f"there are {len(meters)} meters; --instance says which: {', '.join(each.name for each in meters)}")
    try:
        value = float(total.replace(",", "."))
    except ValueError:
        raise Misused(f"{total!r} is no number") from None
    if not 0 <= value <= 1e9:
        raise Misused(f"{total} is no total from 0 to 1000000000")
    if options.action == "replace":
        print(_replace(meters[0], value, options.impulses))
    else:
        print(ask_service(meters[0], f"set {value:.6f} {getpass.getuser()}"))
    return 0


def _replace(meter: scan_directory.ServiceDirectory, value: float, impulses: float | None) -> str:
    """Its service is told, and then the setting says it, too: who starts it anew finds nothing that has changed."""
    order = f"replace {value:.6f} {impulses or 0:.10g} {getpass.getuser()}"
    if impulses is None:
        return ask_service(meter, order)
    if not IMPULSES_MIN <= impulses <= IMPULSES_MAX:
        raise Misused(f"--impulses {impulses:g}: not from {IMPULSES_MIN:g} to {IMPULSES_MAX:g}")
    name = "IMPULSES_PER_M3" if meter.variables().get("UNIT") == "m3" else "IMPULSES_PER_KWH"
    path = meter.path / "variables" / name
    if not os.access(path.parent, os.W_OK):
        raise PimainsError(f"{path}: root may do that")
    words = ask_service(meter, order)
    variable_file.write(path, f"{impulses:.10g}", variable_file.meaning(path))
    return words
