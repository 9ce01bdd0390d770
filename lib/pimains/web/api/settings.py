"""The page of settings: what each service was told, in the words of its files. Read only; each says what to type to change it."""

import asyncio
import json
import sys
from contextlib import suppress
from typing import Any

from aiohttp import web

from pimains.core.errors import PimainsError
from pimains.web.routes import Answer, Operation, Routes
from pimains.web.seen import Seen
from pimains.web.verbs import environment

_SECONDS = 30.0  # on a Pi Zero a new Python with the settings of all services takes two
_FRESH_SECONDS = 2.0
_NOT_TOLD = "the settings cannot be told now; the log of this service says why"


class ShownSettings:
    """Of all services here."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._one_at_a_time = asyncio.Lock()
        self._found: list[Any] = []
        self._looked_at: float | None = None

    def add_to(self, routes: Routes) -> None:
        """Its page and its path."""
        routes.page("settings")
        routes.shows("/v1/settings", self.show, Operation("The settings of each service; of a secret, whether it is set"))

    async def show(self, _: web.Request) -> Answer:
        """GET /v1/settings."""
        async with self._one_at_a_time:  # as many browsers as there are: one look
            now = self._seen.clock.monotonic()
            if self._looked_at is None or now - self._looked_at > _FRESH_SECONDS:
                self._found = await self._look()
                self._looked_at = self._seen.clock.monotonic()
        return {"instances": self._found}

    async def _look(self) -> list[Any]:
        words = [sys.executable, "-P", "-m", "pimains.web.settings_seen", str(self._seen.scan)]
        child = await asyncio.create_subprocess_exec(
            *words, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, env=environment()
        )
        try:
            async with asyncio.timeout(_SECONDS):
                told, _ = await child.communicate()
            found: list[Any] = json.loads(told)
        except TimeoutError:
            raise PimainsError(f"the settings were not told within {_SECONDS:g} s") from None
        except ValueError:
            raise PimainsError(_NOT_TOLD) from None
        finally:
            with suppress(ProcessLookupError):
                child.kill()
        return found
