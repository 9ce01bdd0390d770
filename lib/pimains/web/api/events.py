"""The page of events: the ledger, newest first, each entry as `pimains why` tells it."""

import asyncio
import sqlite3
from typing import Any

from aiohttp import web

from pimains.core import ledger_search, ledger_told
from pimains.core.errors import PimainsError
from pimains.core.ledger import Ledger
from pimains.core.ledger_search import NEWEST, Asked, Place
from pimains.core.plan.text import one_line
from pimains.shared import http_server as http
from pimains.web.routes import Answer, Operation, Routes
from pimains.web.seen import Seen

_LIMIT, _LIMIT_MAX = 50, 200
_TEXT_MAX = 200
_WORDS_MAX = 10
_LATEST = 253_402_300_799.0  # the end of the year 9999


class Events:
    """What was switched, and why."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    def add_to(self, routes: Routes) -> None:
        """Its page and its path."""
        routes.page("events")
        routes.shows(
            "/v1/events",
            self.show,
            Operation(
                "What was switched and why, newest first",
                query={
                    "subject": "of this one alone, such as relay.3 or halt",
                    "words": "those with all of these words",
                    "since": "from this time on, in seconds since 1970",
                    "until": "before this time, in seconds since 1970",
                    "before": "those after the end of the page before: its `end`",
                    "limit": f"how many, 1-{_LIMIT_MAX} (default {_LIMIT})",
                },
            ),
        )

    async def show(self, request: web.Request) -> Answer:
        """GET /v1/events."""
        query = request.query
        wanted = Asked(
            subject=_text(query.get("subject", ""), "subject") or None,
            words=tuple(_text(query.get("words", ""), "words").split()[:_WORDS_MAX]),
            since=_time(query.get("since", ""), "since"),
            until=_time(query.get("until", ""), "until"),
        )
        return await asyncio.to_thread(self._page, wanted, _limit(query.get("limit", "")), _before(query.get("before", "")))

    def _page(self, wanted: Asked, limit: int, before: Place) -> dict[str, Any]:
        clock = self._seen.clock
        ledger = Ledger(clock=clock)
        try:
            page = ledger.page(wanted, limit, before)
            subjects = ledger.subjects()
        except (OSError, sqlite3.Error) as error:
            raise PimainsError(f"{ledger.path}: {error}") from None
        events = [
            {
                "id": f"{name}-{entry.boot}-{entry.monotonic}",  # a new ledger counts from 1 again
                "sentence": one_line(ledger_told.sentence(entry, clock)),
                "what": one_line(ledger_told.what(entry, clock)),
                **ledger_told.as_json(entry, clock),
            }
            for name, entry in page.entries
        ]
        return {"at": clock.wall(), "subjects": subjects, "events": events, "end": None if page.end is None else str(page.end)}


def _text(given: str, name: str) -> str:
    if len(given) > _TEXT_MAX:
        raise http.refusal(400, f"{name}: at most {_TEXT_MAX} characters")
    return given.strip()


def _time(given: str, name: str) -> float | None:
    if not given:
        return None
    try:
        seconds = float(given)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= _LATEST:
        raise http.refusal(400, f"{name}: seconds since 1970")
    return seconds


def _limit(given: str) -> int:
    if not given:
        return _LIMIT
    if not (given.isascii() and given.isdecimal() and len(given) < 5 and 1 <= int(given) <= _LIMIT_MAX):
        raise http.refusal(400, f"limit: 1-{_LIMIT_MAX}")
    return int(given)


def _before(given: str) -> Place:
    try:
        return ledger_search.place(given) if given else NEWEST
    except ValueError:
        raise http.refusal(400, "before: the end of a page, such as 120-35") from None
