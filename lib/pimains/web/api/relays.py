"""The page of relays: how each of them is, and what a person wants of it.

A mode is written where `pimains relay` writes it, too, and is done once the service relays has taken it up, which it tells in its files.
"""

import asyncio
from pathlib import Path
from typing import Any

from aiohttp import web

from pimains.core.errors import PimainsError, WrongSetting
from pimains.core.scan_directory import ServiceDirectory
from pimains.shared import http_server as http
from pimains.shared.relays import relay_settings, said, shown, told_files
from pimains.shared.relays.plan import modes
from pimains.shared.relays.plan.modes import Mode
from pimains.web.routes import Answer, Operation, Routes, asked
from pimains.web.seen import Seen

_LONGEST_SECONDS = 366 * 86400
_TO_THE_SECOND = 86400
_ALLOWED = f"for: a number of seconds from 1 to {_LONGEST_SECONDS}, or null"


class Relays:
    """All relays of this machine."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    def add_to(self, routes: Routes) -> None:
        """Its page and its paths."""
        routes.page("relays")
        routes.shows("/v1/relays", self.show, Operation("All relays: how each is, why, and when it may change"))
        routes.does(
            "/v1/relays/{number}/mode",
            self.set_mode,
            Operation(
                "Say what you want of a relay, as pimains relay does; it is done once its mode is told so",
                path={"number": "the relay's number, 1-999"},
                body={
                    "mode": "off, auto or on",
                    "for": "for how many seconds, with off or on; null or nothing: until it is changed, or FORCED_FOR",
                },
            ),
        )

    async def show(self, _: web.Request) -> Answer:
        """GET /v1/relays."""
        return await asyncio.to_thread(self._all)

    def _all(self) -> dict[str, Any]:
        now = self._seen.clock.wall()
        found = self._seen.of(said.SERVICE)
        if not found:
            return {"at": now, "service": None, "relays": []}
        relays = [self._row(found[0], row) for row in shown.all_of_them(found[0])]
        return {"at": now, "service": found[0].name, "relays": relays}

    def _row(self, service: ServiceDirectory, row: dict[str, Any]) -> dict[str, Any]:
        number = str(row["number"])
        heard = said.read(shown.mode_file(service, number))
        return {
            **row,
            "next_at": told_files.next_at(row["next"]),
            "mode_seconds_left": told_files.mode_seconds_left(service.run, number, self._seen.clock.monotonic()),
            "said": _said_in_words(heard.text) if heard else None,
            **_of_settings(shown.directory(service) / number),
        }

    async def set_mode(self, request: web.Request) -> Answer:
        """POST /v1/relays/{number}/mode."""
        mode = _mode(await asked(request))
        number = request.match_info["number"]
        await asyncio.to_thread(self._say, number, mode)
        return {"number": int(number), "asked": modes.in_words(mode)}

    def _say(self, number: str, mode: Mode) -> None:
        found = self._seen.of(said.SERVICE)
        if not found or not relay_settings.is_number(number) or not (shown.directory(found[0]) / number).is_dir():
            raise http.refusal(404, f"there is no relay {number[:20]!r}")
        path = shown.mode_file(found[0], number)
        try:
            said.write(path, modes.in_words(mode))
        except PermissionError:
            raise PimainsError(f"{path}: root and members of group pimains may do that") from None
        except OSError as error:
            raise PimainsError(f"{path}: {error.strerror}; does the service run? (pimains status)") from None


def _mode(given: dict[str, Any]) -> Mode:
    """What was posted. Raises 400."""
    word, seconds = given.get("mode"), given.get("for")
    if word not in (modes.OFF, modes.AUTO, modes.ON):
        raise http.refusal(400, "mode: off, auto or on")
    if seconds is None:
        return Mode(word)
    if word == modes.AUTO:
        raise http.refusal(400, "for: auto lasts until it is changed")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 1 <= seconds <= _LONGEST_SECONDS:
        raise http.refusal(400, _ALLOWED)
    step = 60 if seconds > _TO_THE_SECOND else 1  # what the file may say has six digits
    return Mode(word, seconds=float(round(seconds / step) * step))


def _said_in_words(text: str) -> str:
    """A mode that somebody has written, as it is told once it is taken up; what is none stays as it is."""
    try:
        return modes.in_words(modes.parse(text))
    except ValueError:
        return text


def _of_settings(directory: Path) -> dict[str, Any]:
    """What its settings say that matters to who looks at it; `wrong` is why they cannot be told."""
    try:
        settings = relay_settings.read(directory)
    except WrongSetting as wrong:
        return {"group": None, "load_watts": None, "forced_for": None, "wrong": str(wrong)}
    return {"group": settings.GROUP, "load_watts": settings.WATTS or None, "forced_for": settings.FORCED_FOR, "wrong": None}
