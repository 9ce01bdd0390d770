"""The page Clients: who uses the file servers of this machine, what each says of itself, the drives, and the last backups."""

import asyncio
from pathlib import Path
from typing import Any

from aiohttp import web

from pimains.core import alive, state
from pimains.core.scan_directory import ServiceDirectory
from pimains.shared import fserver_clients
from pimains.shared.backup import last_backup
from pimains.shared.fileserver import mount
from pimains.web import setting_files
from pimains.web.routes import Answer, Operation, Routes
from pimains.web.seen import Seen


class Clients:
    """Of every fserver."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    def add_to(self, routes: Routes) -> None:
        """Its page and path."""
        routes.page("clients")
        routes.shows("/v1/clients", self.show, Operation("The file servers of this machine: their clients, drives and last backups"))

    async def show(self, _: web.Request) -> Answer:
        """GET /v1/clients."""
        return await asyncio.to_thread(lambda: {"file_servers": [_told(each) for each in self._seen.of("fserver")]})


def _told(server: ServiceDirectory) -> dict[str, Any]:
    backup = last_backup.read(server.run)
    return {
        "name": server.name,
        "is_up": alive.look(server.run).is_up,
        "status": state.read(server.run / "status"),
        "is_well": state.read(server.run / "unwell") is None,
        "clients": [each._asdict() for each in fserver_clients.present(server.run)],
        "drive": _drive(server),
        "backup": {
            "told": backup or None,
            "is_wanted": bool(setting_files.value(server.path / "variables/BACKUP")),
            "is_well": last_backup.is_well(backup),
        },
    }


def _drive(server: ServiceDirectory) -> dict[str, Any] | None:
    """None where the server has no drive to wait for."""
    place = setting_files.value(server.path / "variables/MDRIVE")
    if not place:
        return None
    there = mount.mounted(Path(place))  # the kernel's list: a drive that hangs holds up nobody
    return {"place": place, "source": there.source if there else None, "kind": there.kind if there else None}
