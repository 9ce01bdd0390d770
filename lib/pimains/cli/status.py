"""How every instance is: up or down and since when, its status line, its last error.

Exit code 0 when all are well, 1 when one is unwell.
"""

import argparse
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from pimains.cli import plan
from pimains.core import scan_directory, state
from pimains.core.errors import PimainsError
from pimains.core.plan import sentences, text
from pimains.core.scan_directory import ServiceDirectory, Supervised
from pimains.shared import fserver_clients

_SVSCAN_SECONDS = 7  # it looks every five


class Word(NamedTuple):
    """What an instance left in a file: one printable line, and how many seconds ago (None: no clock can tell)."""

    line: str
    age: float | None


class Seen(NamedTuple):
    """One instance as it was found."""

    instance: ServiceDirectory
    supervised: Supervised
    status: Word
    error: Word
    troubles: list[str]
    clients: list[str]


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `pimains status` may be told."""
    parser.add_argument("instances", metavar="INSTANCE", nargs="*", help="only these (default: all there are)")
    parser.add_argument(
        "--servicedir", type=Path, default=scan_directory.SCAN_DIRECTORY, help="the directory svscan looks at (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="the same for programs")


def run(options: argparse.Namespace) -> int:
    """Print how things stand."""
    found = look(options.servicedir, options.instances)
    if options.json:
        print(json.dumps([as_json(each) for each in found], indent=2))
    else:
        tell(found, options.servicedir)
    return 1 if any(each.troubles for each in found) else 0


def look(scan: Path, names: list[str]) -> list[Seen]:
    """Every instance, or those of some names; raises PimainsError for a name there is not."""
    there = scan_directory.found(scan)
    for name in names:
        if name not in [each.name for each in there]:
            raise PimainsError(f"no instance {name!r} in {scan}; there are: {', '.join(each.name for each in there) or 'none'}")
    there = [each for each in there if not names or each.name in names]
    supervised = scan_directory.supervised([path for each in there for path in (each.path, each.log)])
    restarting = _restarting(supervised, [each for each in there if _unsettled(each, supervised[each.path])])
    return [_seen(each, supervised[each.path], supervised[each.log].state, each.path in restarting) for each in there]


def _word(instance: ServiceDirectory, name: str) -> Word:
    age = state.age(instance.run / name, time.time())
    # older than this boot: the wall clock was set since then
    known = age is not None and age <= time.clock_gettime(time.CLOCK_BOOTTIME)
    return Word(text.one_line(state.read(instance.run / name) or ""), age if known else None)


def _unsettled(instance: ServiceDirectory, supervised: Supervised) -> bool:
    status, error = _word(instance, "status"), _word(instance, "error")
    return plan.unsettled(
        supervised.state,
        supervised.seconds,
        wanted_up=supervised.wanted_up,
        status=status.line,
        status_age=status.age,
        error_age=error.age,
    )


def _restarting(supervised: dict[Path, Supervised], unsettled: list[ServiceDirectory]) -> set[Path]:
    """Those that do not stay up: looked at until each is settled or was seen as three processes; `supervised` is brought up to date.

    One that was told to restart at this moment (svc -t) is another process too, and settles.
    """
    began = time.monotonic()
    seen = {each.path: {supervised[each.path].pid} - {0} for each in unsettled}
    is_told = not sys.stderr.isatty()
    while unsettled and time.monotonic() - began < plan.SETTLED_SECONDS + 7:
        time.sleep(0.25)
        supervised.update(scan_directory.supervised([each.path for each in unsettled]))
        for each in unsettled:
            seen[each.path] |= {supervised[each.path].pid} - {0}
        unsettled = [each for each in unsettled if len(seen[each.path]) < 3 and _unsettled(each, supervised[each.path])]
        if unsettled and not is_told and time.monotonic() - began > 1:
            is_told = True
            print(f"looking whether {', '.join(each.name for each in unsettled)} stays up", file=sys.stderr, flush=True)
    still = {each.path for each in unsettled}
    return {path for path, pids in seen.items() if len(pids) > 2 or (len(pids) > 1 and path in still)}


def _seen(instance: ServiceDirectory, supervised: Supervised, log_state: str, restarts: bool) -> Seen:
    status, is_new = _word(instance, "status"), _is_new(instance)
    if supervised.state == "unsupervised" and is_new and not status.line:
        status = Word("just made: svscan sees it within 5 s", None)
    facts = plan.Facts(
        state=supervised.state,
        wanted_up=supervised.wanted_up,
        paused=supervised.paused,
        restarts=restarts,
        log_state=log_state,
        unwell=_word(instance, "unwell").line,
        template_is_there=(instance.path / "run").exists(),
        unreadable=instance.unreadable_setting(),
        is_new=is_new,
    )
    clients = [text.one_line(line) for line in fserver_clients.listed(instance.run)]
    return Seen(instance, supervised, status, _word(instance, "error"), plan.troubles(facts), clients)


def _is_new(instance: ServiceDirectory) -> bool:
    """Whether it was made a moment ago, as far as the wall clock can tell."""
    try:
        return 0 <= time.time() - instance.path.stat().st_mtime < _SVSCAN_SECONDS
    except OSError:
        return False


def as_json(seen: Seen) -> dict[str, Any]:
    """One instance for programs; seconds are seconds, null is "not known"."""
    up = {"up": True, "down": False}.get(seen.supervised.state)
    return {
        "instance": seen.instance.name,
        "service": seen.instance.service,
        "directory": str(seen.instance.path),
        "up": up,
        "state": seen.supervised.state,
        "since_seconds": seen.supervised.seconds,
        "wanted_up": None if up is None else seen.supervised.wanted_up,
        "pid": seen.supervised.pid or None,
        "status": seen.status.line or None,
        "status_age_seconds": seen.status.age,
        "last_error": seen.error.line or None,
        "last_error_age_seconds": seen.error.age,
        "well": not seen.troubles,
        "troubles": seen.troubles,
        "clients": seen.clients,
    }


def tell(found: list[Seen], scan: Path) -> None:
    """The table, a row for each instance, with what is wrong and the last error below its row."""
    if not found:
        print(f"no instances in {scan}; create_service --help tells how to make one")
        return
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    rows = [(each.instance.name, each.instance.service, state_words(each.supervised), each.status.line) for each in found]
    titles = ("INSTANCE", "SERVICE", "STATE", "STATUS")
    widths = [max(len(row[column]) for row in (titles, *rows)) for column in range(3)]
    for row, each in zip((titles, *rows), (None, *found), strict=True):
        line = "  ".join([*(cell.ljust(size) for cell, size in zip(row, widths, strict=False)), row[3]])
        print(text.shortened(line.rstrip(), width))
        for note in notes(each) if each else ():
            print(text.shortened(f"    {note}", width))
    if any(each.supervised.state == "unseen" for each in found):
        print("Only root may see whether those with ? are up: sudo pimains status", file=sys.stderr)


def state_words(supervised: Supervised) -> str:
    """Up or down, and since when."""
    if supervised.state not in ("up", "down"):
        return {"stopped": "supervise does not answer", "unsupervised": "not supervised", "unseen": "?"}[supervised.state]
    since = "" if supervised.seconds is None else f" {sentences.duration(supervised.seconds)}"
    seldom = {("up", False): ", wanted down", ("down", True): ", wanted up"}
    wanted = "" if supervised.wanted_up is None else seldom.get((supervised.state, supervised.wanted_up), "")
    return supervised.state + since + wanted + (", paused" if supervised.paused else "")


def notes(seen: Seen) -> list[str]:
    """What stands below an instance's row."""
    unwell = [f"unwell: {trouble}" for trouble in seen.troubles if trouble != seen.status.line] or (["unwell"] if seen.troubles else [])
    if not seen.error.line or seen.error.line in seen.troubles:
        return [*seen.clients, *unwell]
    when = "" if seen.error.age is None else f" ({sentences.ago(seen.error.age)})"
    return [*seen.clients, *unwell, f"last error{when}: {seen.error.line}"]
