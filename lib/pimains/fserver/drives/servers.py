"""The file servers of this machine that name a drive, as their settings say."""

import os
from pathlib import Path
from typing import Any, NamedTuple

from pimains.core import paths, scan_directory
from pimains.fserver.settings import FserverSettings


class FileServer(NamedTuple):
    """One fserver instance that names a drive, running or not; `fault` is which of its settings is wrong, "" if none is."""

    directory: Path
    drive: Path | None = None
    backup_drive: Path | None = None
    hooks: Path | None = None
    units: tuple[str, ...] = ()
    usb_hubs: tuple[str, ...] = ()
    usb_ports: str = ""
    fault: str = ""


def file_servers() -> list[FileServer]:
    """Every fserver of this machine that names a drive."""
    scan = Path(os.environ.get("PIMAINS_SERVICEDIR") or paths.etc().parent / "service")
    found = [_file_server(each) for each in scan_directory.found(scan) if each.service == "fserver"]
    return [each for each in found if each.drive or each.fault]


def _file_server(instance: scan_directory.ServiceDirectory) -> FileServer:
    given = instance.variables()
    values: dict[str, Any] = {}
    for name in ("MDRIVE", "DEST", "HOOKS", "MPD_UNIT", "STOP_UNITS", "USB_LOCATION", "USB_PORTS"):
        try:
            values[name] = FserverSettings.declared()[name].check(given.get(name) or "")
        except ValueError as wrong:
            return FileServer(instance.path, fault=f"{instance.path}/variables/{name}: {wrong}")
    units = (*reversed(values["MPD_UNIT"]), *values["STOP_UNITS"])
    drives = values["MDRIVE"], values["DEST"]
    return FileServer(instance.path, *drives, values["HOOKS"], units, tuple(values["USB_LOCATION"]), values["USB_PORTS"])
