"""Back up what BACKUP of this machine's fserver or fclient names, list the backups there are, or restore something from one.

now backs up at once. list tells which backups there are. restore copies PATH out of one, without --from out of the newest.
"""

import argparse
import json
import os
import sys
from datetime import datetime
from pathlib import Path

from pimains.backup import plan
from pimains.backup.program import Interrupted
from pimains.backup.snapshots import Shelf
from pimains.backup.source import Source
from pimains.backup.told_to_stop import ToldToStop
from pimains.backup.words import count, progress, readable
from pimains.core import scan_directory
from pimains.core.errors import PimainsError
from pimains.core.machine import own_name
from pimains.core.plan import sentences, text
from pimains.core.progress_line import Line
from pimains.shared.backup import last_backup
from pimains.shared.backup.settings import BackupSettings

_SERVICES = ("fserver", "fclient")


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `pimains backup` may be told."""
    parser.add_argument("what", metavar="now|list|restore", choices=["now", "list", "restore"])
    parser.add_argument("path", metavar="PATH", nargs="?", type=Path, help="restore: what to copy back, as it was called on its machine")
    parser.add_argument(
        "--from", dest="date", metavar="DATE", help='restore: as it was then: 2026-11-21 or "2026-11-21 01:50" (default: newest)'
    )
    parser.add_argument("--to", metavar="DIR", type=Path, help="restore: the directory to put it into")
    parser.add_argument("--overwrite", action="store_true", help="restore: replace what is there; it is kept as NAME.before-restore-...")
    parser.add_argument("--host", help="list, restore: backups of another machine on the same drive")
    parser.add_argument("--dest", metavar="DIR", type=Path, help="list, restore: the drive, where there is no service that knows it")
    parser.add_argument("--instance", help="the instance, where more than one has BACKUP set")
    parser.add_argument("--reason", default="asked for by hand", help="now: for the ledger")
    parser.add_argument(
        "--until-eof", action="store_true", help="now: wait for another backup, stop when standard input ends (for services)"
    )
    parser.add_argument("--json", action="store_true", help="the same for programs")
    parser.add_argument(
        "--servicedir", type=Path, default=scan_directory.SCAN_DIRECTORY, help="the directory svscan looks at (default: %(default)s)"
    )


def run(options: argparse.Namespace) -> int:
    """Do the one that is asked for."""
    if (options.what == "restore") != (options.path is not None) or (options.what == "restore" and options.to is None):
        print("pimains backup: restore PATH --to DIR; now and list take no PATH (pimains backup --help)", file=sys.stderr)
        return 2
    if options.what == "now":
        return now(options)
    host, shelf, is_mirrored = _look_at(options)
    return tell(options, host, shelf) if options.what == "list" else restore(options, shelf, is_mirrored)


def now(options: argparse.Namespace) -> int:
    """Back up what each instance names."""
    from pimains.backup.now import BackupNow  # what only looks need not load what writes

    sources = [source for source in _sources(options) if source.settings.BACKUP]
    if not sources:
        raise PimainsError(f"BACKUP is empty in all of {_names()}: put the paths there, such as /etc /home/pi")
    results = [BackupNow(source, options).run() for source in sources]
    if options.json:
        print(json.dumps(results, indent=2))
    return 0 if all(result["complete"] for result in results) else 1


def tell(options: argparse.Namespace, host: str, shelf: Shelf) -> int:
    """Every backup of a host, newest first."""
    rows = [{"made": name, "state": "complete", "directory": str(shelf.top / name)} for name in shelf.complete()]
    rows += [{"made": name, "state": "not finished", "directory": f"{shelf.top / name}.partial"} for name in shelf.unfinished()]
    rows.sort(key=lambda row: row["made"], reverse=True)
    if shelf.has_mirror():
        rows.append({"made": "last backup", "state": "mirror", "directory": str(shelf.top)})
    last = _last_words(options) if not options.dest else ""
    if options.json:
        print(json.dumps({"host": host, "backups": rows, "last": last or None}, indent=2))
        return 0
    if rows:
        print(f"{'MADE':19}  {'STATE':12}  DIRECTORY")
    else:
        others = ", ".join(_hosts(shelf)) or "none"
        print(f"There is no backup of {host} in {shelf.top.parent}; there are backups of: {others}")
    for row in rows:
        print(f"{readable(row['made']):19}  {row['state']:12}  {row['directory']}")
    if last:
        print(f"last backup: {last}")
    return 0


def restore(options: argparse.Namespace, shelf: Shelf, is_mirrored: bool) -> int:
    """Copy something back."""
    path = Path(os.path.normpath(options.path.absolute()))
    unfinished = shelf.unfinished()
    newest = None if is_mirrored and shelf.has_mirror() else shelf.latest()
    if newest is None and not shelf.has_mirror():
        newest = unfinished[-1] if unfinished else None  # better than nothing
    name = _meant(options.date, shelf.complete(), unfinished) if options.date else newest
    if name is None and not shelf.has_mirror():
        raise PimainsError(f"there is no backup in {shelf.top}; there are backups of: {', '.join(_hosts(shelf)) or 'nobody'}")
    # the backup of a link to a directory is the backup of what it leads to
    if not os.path.lexists(shelf.directory(name).joinpath(*path.parts[1:])) and path.exists():
        path = path.resolve()
    show = Line(sys.stderr.isatty() and not options.json)
    to = options.to.absolute()
    told = ToldToStop(by_input=False)
    try:
        restored = shelf.restore(name, path, to, datetime.now(), lambda how: show(progress(path, how)), told, overwrite=options.overwrite)
    except Interrupted:
        show.end()
        raise PimainsError(f"stopped half-way: {to / path.name} is not complete; the same command goes on there") from None
    except OSError as error:
        raise PimainsError(f"{error.filename or to}: {(error.strerror or str(error)).lower()}") from None
    show.end()
    copied, target, without = restored
    if not copied.is_complete:
        raise PimainsError(f"{target} is not complete: {copied.words}")
    if options.json:
        found = {"path": str(path), "from": name or "mirror", "to": str(target), "files": copied.files, "bytes": copied.size}
        found["finished"] = name not in unfinished
        found["without"] = without
        print(json.dumps(found, indent=2))
    else:
        since = f"as it was {readable(name)}" if name else "as it was at the last backup"
        not_finished = ", in a backup that was not finished" if name in unfinished else ""
        missing = f"{last_backup.lacking(without)}, which its file system cannot hold" if without else ""
        words = f"{target}: {path} {since}{not_finished}{missing}; {count(copied.files)}, {sentences.size(copied.size)}"
        print(text.one_line(words))
    return 0


def _sources(options: argparse.Namespace) -> list[Source]:
    found = [each for each in scan_directory.found(options.servicedir) if each.service in _SERVICES]
    if options.instance:
        found = [each for each in found if each.name == options.instance]
    if not found:
        wanted = options.instance or f"{_names()}"
        raise PimainsError(f"there is no {wanted} in {options.servicedir} that could say what to back up: create_service makes one")
    return [_source(each) for each in found]


def _source(instance: scan_directory.ServiceDirectory) -> Source:
    if instance.root:
        os.environ["PIMAINS_ROOT"] = instance.root
    given = {name: value or "" for name, value in instance.variables().items()}
    settings = BackupSettings(given, instance.path / "variables")
    mdrive = Path(given["MDRIVE"]) if given.get("MDRIVE") else None
    return Source(instance, settings, mdrive, _checked(given.get("NAME") or own_name(), "NAME"))


def _look_at(options: argparse.Namespace) -> tuple[str, Shelf, bool]:
    """The host, its backups, and whether the newest is a mirror by what is set."""
    if options.dest:
        host = options.host or own_name()
        return _checked(host), Shelf(options.dest.absolute() / "backup" / host), False
    sources = _sources(options)
    with_backup = [source for source in sources if source.settings.BACKUP] or sources
    if len(with_backup) > 1:
        raise PimainsError(f"say which: --instance={' or --instance='.join(source.name for source in with_backup)}")
    source = with_backup[0]
    host = _checked(options.host or source.host)
    return host, Shelf(source.shelf.top.with_name(host)), not source.settings.BACKUP_KEEP


def _checked(host: str, where: str = "--host") -> str:
    if host in ("", ".", "..") or "/" in host:
        raise PimainsError(f"{where}: {host!r} is no name of a machine")
    return host


def _hosts(shelf: Shelf) -> list[str]:
    try:
        return sorted(entry.name for entry in os.scandir(shelf.top.parent) if entry.is_dir(follow_symlinks=False))
    except OSError:
        return []


def _meant(date: str, there: list[str], unfinished: list[str]) -> str:
    for each in unfinished:  # only if it is asked for
        if date in (each, readable(each)):
            return each
    try:
        name = plan.meant(there, date)
    except ValueError:
        raise PimainsError(f'--from: {date!r} is no date (2026-11-21 or "2026-11-21 01:50")') from None
    if name is None:
        raise PimainsError(f"no snapshot is as old as {date}; there are: {', '.join(map(readable, there)) or 'none'}")
    return name


def _last_words(options: argparse.Namespace) -> str:
    return "; ".join(line for source in _sources(options) if source.settings.BACKUP and (line := last_backup.read(source.run)))


def _names() -> str:
    return " and ".join(_SERVICES)
