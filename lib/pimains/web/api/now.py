"""The page Now: how each service is, and what flows between sun, battery, grid and loads, which the browser has from /v1/live."""

import asyncio
import os
from pathlib import Path
from typing import Any

from aiohttp import web

from pimains.core import alive, state
from pimains.core.scan_directory import ServiceDirectory
from pimains.shared.relays import relay_settings, said
from pimains.web.plan import now
from pimains.web.plan.live import Value
from pimains.web.routes import Answer, Operation, Routes
from pimains.web.seen import Seen

_SETTINGS = "settings"  # relays say there where the settings of each are
_NOT_SAID = Value("", None, is_alive=False)


class Now:
    """GET / and /v1/now."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    def add_to(self, routes: Routes) -> None:
        """Its page and path."""
        routes.page("now")
        routes.shows("/v1/now", self.show, Operation("How each service of this machine is, what is unwell first, and the names of relays"))

    async def show(self, _: web.Request) -> Answer:
        """GET /v1/now."""
        values, instances = self._seen.live.values(), self._seen.instances()
        return await asyncio.to_thread(self._all, instances, values)

    def _all(self, instances: list[ServiceDirectory], values: dict[str, Value]) -> dict[str, Any]:
        rows = [now.row(self._facts(each, values)) for each in instances]
        return {"services": now.ordered(rows), "relays": self._relay_names()}

    def _facts(self, instance: ServiceDirectory, values: dict[str, Value]) -> now.Facts:
        life = alive.look(self._seen.run / instance.name)

        def found(name: str) -> Value:
            return values.get(f"{instance.name}/{name}", _NOT_SAID)

        return now.Facts(
            instance=instance.name,
            service=instance.service,
            is_up=life.is_up,
            seconds=life.seconds,
            is_wanted=not (instance.path / "down").exists(),
            unreadable=instance.unreadable_setting(),
            status=found("status").text,
            status_age=found("status").age,
            unwell=found("unwell").text or (no_room(self._seen.run) if instance.name == self._seen.me.name else ""),
            error=found("error").text,
            error_age=found("error").age,
        )

    def _relay_names(self) -> dict[str, str]:
        """By their numbers, as far as they can be read."""
        settings = state.read(self._seen.run / said.SERVICE / _SETTINGS)
        if not settings:
            return {}
        try:
            return {number: relay_settings.name(Path(settings) / number) for number in relay_settings.numbers(Path(settings))}
        except OSError:
            return {}


def no_room(run: Path) -> str:
    """Why services cannot say anything new in /run/pimains, "" where they can."""
    try:
        about = os.statvfs(run)
    except OSError:
        return ""
    is_full = (about.f_blocks and not about.f_bavail) or (about.f_files and not about.f_favail)
    return f"{run} has no room left: what services say now is not to be seen here (df -h {run}; df -i {run})" if is_full else ""
