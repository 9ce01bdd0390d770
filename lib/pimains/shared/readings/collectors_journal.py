"""The journal of a collector on this machine: which one, where it is, and what its meters have sent until now."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from pimains.core import coming_up, paths, scan_directory, state
from pimains.core.errors import Misused, PimainsError
from pimains.core.privileges import become
from pimains.core.scan_directory import ServiceDirectory
from pimains.shared.orders.asker_end import ask

_STORED_SECONDS_MAX = 3.0
_USER = "pimains"
T = TypeVar("T")


def become_the_collectors_user() -> None:
    """Give up root, if that is who we are: what lies in a collector's directory may be anything, and root opens none of it."""
    if os.geteuid() == 0:
        become(_USER)


def the_collector(scan: Path, instance: str | None) -> ServiceDirectory:
    """The only one there, or the one that is called `instance`. Raises Misused with what to type, and PimainsError."""
    found = [each for each in scan_directory.found(scan) if each.service == "collector"]
    if instance:
        found = [each for each in found if each.name == instance]
    if not found:
        which = f"no collector {instance}" if instance else "no collector on this machine"
        make = "create_service --service_name=collector --add-service"
        raise Misused(f"{scan}: {which}. Where there is one, say it there; to make one: {make}")
    if len(found) > 1:
        raise Misused(f"there are {len(found)} collectors; --instance says which: {', '.join(each.name for each in found)}")
    return found[0]


def path_of(collector: ServiceDirectory) -> Path:
    """Where its journal is, or will be."""
    data = collector.variables().get("DATA_DIR")
    return (Path(data) if data else paths.lib(collector.root) / collector.name) / "journal.sqlite"


def up_to_date(collector: ServiceDirectory, look: Callable[[Path], T]) -> T:
    """What `look` makes of it, with what its meters have sent until now. Raises PimainsError, and sqlite3.OperationalError as it does."""
    with suppress(PimainsError, OSError):  # not running, or not to be asked by everybody: then it is what is stored
        coming_up.patiently(collector, lambda: ask(collector.run, "store", _STORED_SECONDS_MAX))
    path = path_of(collector)
    try:
        return look(path)
    except sqlite3.OperationalError:
        if not path.exists():
            raise PimainsError(f"{path}: there is no journal yet ({collector.name}: {_status(collector)})") from None
        if os.access(path, os.R_OK):
            raise
        raise PimainsError(f"{path}: root and members of group pimains may read it") from None


def _status(collector: ServiceDirectory) -> str:
    return state.read(collector.run / "status") or f"not running; svc -u {collector.path}"
