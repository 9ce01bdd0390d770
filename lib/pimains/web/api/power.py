"""The page Power: what a halt of this machine would do, having it done or called off, "good night", and plugs.

What cannot be taken back is asked for twice: the first request is answered by a token and what will happen, the second one brings that.

    POST /v1/power/halt {"good_night": true}   ->  {"token": "...", "seconds": 120, "machine": "pi", "clients": [...]}
    POST /v1/power/confirm {"token": "...", "machine": "pi"}
"""

import asyncio
import math
import os
import secrets
from collections.abc import Callable
from typing import Any

from aiohttp import web

from pimains.core import alive, machine, state
from pimains.core.errors import PimainsError
from pimains.core.plan.text import short_line
from pimains.core.scan_directory import ServiceDirectory
from pimains.shared import battery_end, fserver_clients, halt_length, halt_request, plug_cuts
from pimains.shared import http_server as http
from pimains.shared.halt_request import HaltRequest
from pimains.shared.plan import step_progress
from pimains.web import plugs, verbs
from pimains.web.plan import halting
from pimains.web.plan.intents import SECONDS, Intent, Intents
from pimains.web.routes import Answer, Operation, Routes, asked
from pimains.web.seen import Seen

_ANSWER_SECONDS = 5.0
_LOOK_SECONDS = 0.05
_DRY_RUN_SECONDS = 30.0
_PLAN_SECONDS = 30.0  # a look at the steps holds for so long
_TOKEN_BYTES = 24
_TEXT_MAX = 200
HALT, GOOD_NIGHT, CANCEL, ON, OFF = "halt", "good night", "cancel", "on", "off"


class Power:
    """Of this machine."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._intents = Intents()
        self._plan: tuple[float, Any] | None = None
        self._one_plan = asyncio.Lock()

    def add_to(self, routes: Routes) -> None:
        """Its page and paths."""
        routes.page("power")
        routes.shows("/v1/power", self.show, Operation("How a halt of this machine stands, the file server's clients, and the plugs"))
        routes.shows(
            "/v1/power/plan", self.show_plan, Operation("The steps of a halt, and how long they may take (pimains halt --dry-run)")
        )
        reason = {"reason": "why, for the log, the ledger and the steps; may be left out"}
        halt = Operation("Say what a halt would do, and get a token for it", body={**reason, "good_night": "true: clients leave first"})
        routes.does("/v1/power/halt", self.begin_halt, halt)
        routes.does("/v1/power/cancel", self.begin_cancel, Operation("Say what a cancel would do, and get a token for it"))
        switch = Operation(
            "Say what switching a plug does, and get a token for it", body={**reason, "to": "on or off"}, path={"name": "its plug service"}
        )
        routes.does("/v1/power/plugs/{name}", self.begin_switch, switch)
        confirm = Operation("Have done what a token was given for", body={"token": "it", "machine": "for a halt: the name of this machine"})
        routes.does("/v1/power/confirm", self.confirm, confirm)

    async def show(self, _: web.Request) -> Answer:
        """GET /v1/power."""
        return await asyncio.to_thread(self._told)

    async def show_plan(self, _: web.Request) -> Answer:
        """GET /v1/power/plan."""
        async with self._one_plan:
            now = self._seen.clock.monotonic()
            if self._plan is None or now - self._plan[0] > _PLAN_SECONDS:
                words = ("halt", "--dry-run", "--json", "--servicedir", str(self._seen.scan))
                self._plan = now, await verbs.answer(*words, seconds=_DRY_RUN_SECONDS)
            return {**self._plan[1], **await asyncio.to_thread(self._time_there_is)}

    async def begin_halt(self, request: web.Request) -> Answer:
        """POST /v1/power/halt."""
        given = await asked(request)
        is_good_night = given.get("good_night", False)
        if not isinstance(is_good_night, bool):
            raise http.refusal(400, "good_night: not true or false")
        if is_good_night and not self._seen.of("fserver"):
            raise http.refusal(409, "there is no file server on this machine: nobody would be told good night")
        self._check_may_ask()
        before = _accepted()
        if before and not before.is_rehearsal and not step_progress.who_cancelled(halt_request.progress()):
            raise http.refusal(409, f"under way already: {before}")
        clients = tuple(self._clients())
        default = "good night" if is_good_night else "asked for on the page"
        intent = Intent(GOOD_NIGHT if is_good_night else HALT, "", _reason(given) or default, _session(request), clients)
        return {**self._begun(intent), "machine": machine.own_name(), "clients": list(clients), "reason": intent.reason}

    async def begin_cancel(self, request: web.Request) -> Answer:
        """POST /v1/power/cancel."""
        await asked(request)
        self._check_may_ask()
        pending = halt_request.pending()
        if pending is None:
            raise http.refusal(409, "there is no shutdown to cancel")
        ran = [each.name for each in halting.steps(halt_request.progress())]
        return {**self._begun(Intent(CANCEL, "", "", _session(request))), "under_way": str(pending), "ran": ran}

    async def begin_switch(self, request: web.Request) -> Answer:
        """POST /v1/power/plugs/NAME."""
        given = await asked(request)
        if given.get("to") not in (ON, OFF):
            raise http.refusal(400, "to: not on or off")
        plug = self._plug(request.match_info["name"])
        known = plugs.told(plug)
        if known["feeds"] != "another":
            raise http.refusal(409, f"{plug.name} is this machine's own plug: it goes off when this machine is shut down")
        if known["why_not"]:
            raise http.refusal(409, f"{plug.name}: {known['why_not']}")
        intent = Intent(given["to"], plug.name, _reason(given) or "asked for on the page", _session(request))
        return {**self._begun(intent), "plug": plug.name, "to": given["to"]}

    async def confirm(self, request: web.Request) -> Answer:
        """POST /v1/power/confirm."""
        given = await asked(request)
        token = given.get("token")
        intent = self._intents.of(token, _session(request), self._seen.clock.monotonic()) if isinstance(token, str) else None
        if intent is None or not isinstance(token, str):
            raise http.refusal(409, f"nothing was asked for with that token within {SECONDS:.0f} s, or it is done: ask once more")
        if intent.act in (HALT, GOOD_NIGHT):
            name = machine.own_name()
            if not isinstance(typed := given.get("machine"), str) or typed.strip().lower() != name.lower():
                raise http.refusal(400, f"machine: not {name}, so nothing is shut down")
        self._intents.end(token)
        who = f"{self._seen.me.name}, {request.remote or 'somebody'}"
        if intent.act in (HALT, GOOD_NIGHT):
            return await self._halt(intent, who)
        if intent.act == CANCEL:
            return await self._cancel(who)
        said = await asyncio.to_thread(plugs.switch, self._plug(intent.subject), intent.act, f"{intent.reason} ({who})")
        return {"outcome": "switched", "said": said}

    def _begun(self, intent: Intent) -> dict[str, Any]:
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._intents.begin(token, intent, self._seen.clock.monotonic())
        return {"token": token, "seconds": SECONDS}

    async def _halt(self, intent: Intent, who: str) -> dict[str, Any]:
        if new := [each for each in self._clients() if each not in intent.clients] if intent.act == GOOD_NIGHT else []:
            raise http.refusal(409, f"meanwhile {', '.join(new)} came: nothing is done; ask once more")
        before = _accepted()
        try:
            halt_request.ask(intent.reason, who)
        except OSError as error:
            raise PimainsError(f"the halt service cannot be asked: {(error.strerror or str(error)).lower()}") from None
        if before is None and not await self._within_seconds(lambda: _accepted() is not None or not halt_request.pending()):
            halt_request.withdraw()
            raise PimainsError("the halt service does not take the request: it was taken back, and this machine stays up (pimains status)")
        return {"outcome": "asked"}

    async def _cancel(self, who: str) -> dict[str, Any]:
        if halt_request.pending() is None:
            raise http.refusal(409, "there is no shutdown to cancel any more")
        is_taken = _accepted() is not None
        try:
            if not is_taken:
                halt_request.withdraw()
            halt_request.cancel(who)
        except OSError as error:
            raise PimainsError(f"the halt service cannot be asked: {(error.strerror or str(error)).lower()}") from None
        if not await self._within_seconds(halt_request.is_cancel_answered):
            return {"outcome": "not answered" if is_taken or _accepted() is not None else "cancelled", "why": ""}
        progress = halt_request.progress()
        if any(line.startswith(step_progress.CANCEL_REFUSED) for line in progress):
            return {
                "outcome": "too late",
                "why": step_progress.why_refused(progress) or state.read(halt_request.directory() / "status") or "",
            }
        if step_progress.goes_on(progress):
            return {"outcome": "goes on", "why": str(_accepted() or "")}
        return {"outcome": "cancelled", "why": ""}

    async def _within_seconds(self, condition: Callable[[], bool]) -> bool:
        until = self._seen.clock.monotonic() + _ANSWER_SECONDS
        while not condition():
            if self._seen.clock.monotonic() >= until:
                return False
            await asyncio.sleep(_LOOK_SECONDS)
        return True

    def _told(self) -> dict[str, Any]:
        request, pending, progress = _accepted(), halt_request.pending(), halt_request.progress()
        kind = request or pending
        found = halting.of(
            progress,
            is_accepted=request is not None,
            is_waiting=pending is not None,
            is_rehearsal=bool(kind and kind.is_rehearsal),
            is_final=bool(kind and kind.is_final),
        )
        return {
            "machine": machine.own_name(),
            "halt": {
                "status": state.read(halt_request.directory() / "status") or "",
                "stage": found.stage.value,
                "reason": kind.reason if kind else None,
                "requester": kind.requester if kind else None,
                "is_rehearsal": bool(kind and kind.is_rehearsal),
                "can_be_cancelled": found.can_be_cancelled,
                "why_not_cancelled": found.why_not,
                "cancelled_by": found.cancelled_by,
                "steps": [each._asdict() for each in found.steps],
                "why_not_asked": self._why_not_asked(),
            },
            "file_servers": [
                {"name": each.name, "clients": [client._asdict() for client in fserver_clients.present(each.run)]}
                for each in self._seen.of("fserver")
            ],
            "plugs": [plugs.told(each) for each in self._seen.of("plug")],
        }

    def _time_there_is(self) -> dict[str, Any]:
        """Seconds that the battery and the plug give, None where no limit is known; what the shutdown after the steps takes."""
        now = self._seen.clock.monotonic()
        runtimes = [
            state.number(state.read(each.run / "battery.runtime"))
            for each in self._seen.of("ups")
            if alive.look(each.run).is_up is not False
        ]
        countdowns = [state.number(state.read(each.run / "countdown")) for each in self._seen.of("plug")]
        return {
            "shutdown_seconds": halt_length.shutdown_seconds(),
            "measured_seconds": halt_length.read().measured,
            "is_measured": halt_length.read() != halt_length.UNKNOWN,
            "on_battery": battery_end.on_battery() or None,
            "battery_seconds": _finite(battery_end.seconds_left(now)),
            "battery_runtime_seconds": min((each for each in runtimes if each is not None), default=None),
            "plug_countdown_seconds": min((each for each in countdowns if each is not None), default=None),
            "cut_seconds": _finite(plug_cuts.seconds_to_cut(now)),
        }

    def _clients(self) -> list[str]:
        return [client.name for each in self._seen.of("fserver") for client in fserver_clients.present(each.run)]

    def _plug(self, name: str) -> ServiceDirectory:
        for each in self._seen.of("plug"):
            if each.name == name:
                return each
        raise http.refusal(404, f"there is no plug service {short_line(name)!r} on this machine")

    def _why_not_asked(self) -> str:
        request = halt_request.directory() / "request"
        if not request.exists():
            return "no halt service was started since boot: sudo create_service --service_name=halt --add-service"
        return "" if os.access(request, os.W_OK) else "only root and the group pimains may shut this machine down"

    def _check_may_ask(self) -> None:
        if why_not := self._why_not_asked():
            raise http.refusal(409, why_not)


def _accepted() -> HaltRequest | None:
    try:
        return halt_request.accepted()
    except halt_request.NoRequest:
        return None


def _reason(given: dict[str, Any]) -> str:
    """Raises 400 for what is no line of text."""
    reason = given.get("reason", "")
    if not isinstance(reason, str) or len(reason) > _TEXT_MAX:
        raise http.refusal(400, f"reason: not a text of at most {_TEXT_MAX} characters")
    return short_line(reason)


def _session(request: web.Request) -> str:
    return request.headers.get("X-CSRF-Token", "")  # the door has just seen that it is this session's


def _finite(seconds: float) -> float | None:
    return seconds if math.isfinite(seconds) else None
