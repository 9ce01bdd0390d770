"""GET /v1/live: the values of the house as they change, to as many as listen (server-sent events, HTML Living Standard 9.2).

Changes of a quarter of a second are one message, made once for all who listen. Who does not keep up loses messages, and gets all there
is in their place. Without listeners nothing is watched, and nobody wakes up.
"""

import asyncio
import json
import random
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from pimains.core.clock import Clock
from pimains.core.plan.text import short_line
from pimains.core.troubles import Troubles
from pimains.shared import http_server as http
from pimains.web.plan.live import Value, Waiting
from pimains.web.routes import Operation, Routes
from pimains.web.state_files import StateFiles

LISTENERS_MAX = 100
MESSAGE_SECONDS = 0.25  # no two messages within
_GATHER_SECONDS = 0.02  # a service writes several files at a time
_LOOK_SECONDS = 3.0  # whether each service is alive, and all files where they cannot be watched
_BEAT_SECONDS = 15.0
_STALLED_SECONDS = 30.0
_STREAM_SECONDS = (480.0, 600.0)  # not all at the same time
_AGAIN_MILLISECONDS = 1500
_BUFFER_BYTES = 32 * 1024  # ours, and the kernel's, which else has megabytes for who does not read
_BEAT = b"event: beat\ndata: 1\n\n"  # a comment would not reach the page, which is to notice as well
_HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # a proxy hands it on at once (nginx)
    "X-Content-Type-Options": "nosniff",
}


class Live:
    """What is known of the house now, and who listens to it."""

    def __init__(self, run: Path, lib: Path, clock: Clock, complain: Callable[[str], None] = print) -> None:
        self._troubles = Troubles(complain, print)
        self._files = StateFiles(run, lib, clock)
        self._clock = clock
        self._listeners: set[_Listener] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._changes = asyncio.Event()
        self._handle: int | None = None
        self._sent_at = 0.0
        self._all = (0.0, b"")

    def add_to(self, routes: Routes) -> None:
        """Its path."""
        summary = "The values of all services, as they change: one message with all, then with those that did"
        routes.shows("/v1/live", self.stream, Operation(summary, kind="text/event-stream"))

    def values(self, prefix: str = "") -> dict[str, Value]:
        """The values whose names (INSTANCE/VALUE) begin so, as they are now."""
        if self._listeners:
            self._files.look()
            self._changes.set()  # who listens is to hear of them, too
        else:
            self._files.read_all()
        return self._files.table.values(prefix, self._clock.monotonic())

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """The answer to GET /v1/live."""
        if len(self._listeners) >= LISTENERS_MAX and not (http.is_known(request) and self._make_room()):
            raise http.refusal(503, f"{LISTENERS_MAX} browsers look at this house already", Retry_After="30")
        response = web.StreamResponse(headers=_HEADERS)
        await response.prepare(request)
        if request.transport:
            request.transport.set_write_buffer_limits(high=_BUFFER_BYTES)
            request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
        listener = _Listener(request)
        self._join(listener)
        try:
            await response.write(f"retry: {_AGAIN_MILLISECONDS}\n\n".encode())
            await self._tell(listener, response)
            await response.write_eof()
        except (OSError, TimeoutError):  # nobody is there any more, or reads
            if request.transport:
                request.transport.abort()
        finally:
            self._leave(listener)
        return response

    def end(self) -> None:
        """End all streams: this service is being stopped."""
        for each in self._listeners:
            each.is_over = True
            each.wake.set()

    async def _tell(self, listener: "_Listener", response: web.StreamResponse) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + random.uniform(*_STREAM_SECONDS)  # noqa: S311  # no secret
        while not listener.is_over and loop.time() < until:
            data = listener.waiting.take() if listener.waiting else _BEAT
            http.may_last(listener.request, _STALLED_SECONDS + _BEAT_SECONDS)
            async with asyncio.timeout(_STALLED_SECONDS):
                await response.write(self._everything() if data is None else data)
            if not listener.waiting:
                listener.wake.clear()
                await listener.wake.wait()

    def _join(self, listener: "_Listener") -> None:
        self._listeners.add(listener)
        if len(self._listeners) == 1:
            self._handle = self._files.watch()
            self._tell_what_is_missed()
            self._files.table.news(0, 0)  # nobody has heard the old ones
            self._tasks = [asyncio.create_task(each) for each in (self._tell_changes(), self._look_around(), self._beat())]
            for task in self._tasks:
                task.add_done_callback(self._must_not_end)

    def _make_room(self) -> bool:
        """Who has a session takes the place of somebody who has none; whether there is one."""
        stranger = next((each for each in self._listeners if not http.is_known(each.request)), None)
        if stranger is None:
            return False
        stranger.is_over = True
        stranger.wake.set()
        self._listeners.discard(stranger)
        return True

    def _tell_what_is_missed(self) -> None:
        self._troubles.look("watching", self._files.why_blind, kind="blind")
        self._troubles.look("directories", short_line(self._files.left_out), kind="left out")

    def _leave(self, listener: "_Listener") -> None:
        self._listeners.discard(listener)
        if not self._listeners:
            for task in self._tasks:
                task.cancel()
            self._tasks = []
            self._await_no_changes()
            self._handle = None
            self._files.unwatch()

    def _must_not_end(self, task: "asyncio.Task[None]") -> None:
        if task.cancelled() or (error := task.exception()) is None:
            return
        sys.excepthook(type(error), error, error.__traceback__)
        self.end()  # they come again, and all begins anew

    async def _tell_changes(self) -> None:
        """Never returns. What else changes within a moment is told with it: the kernel keeps it until then."""
        loop = asyncio.get_running_loop()
        while True:
            if self._handle is not None:
                loop.add_reader(self._handle, self._noticed)
            await self._changes.wait()
            await asyncio.sleep(max(_GATHER_SECONDS, self._sent_at + MESSAGE_SECONDS - loop.time()))
            self._changes.clear()
            self._files.look()
            self._send_news()

    def _noticed(self) -> None:
        self._await_no_changes()
        self._changes.set()

    def _await_no_changes(self) -> None:
        if self._handle is not None:
            asyncio.get_running_loop().remove_reader(self._handle)

    async def _look_around(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if not self._files.sees_all_changes:
                self._files.look()
            self._tell_what_is_missed()
            self._files.look_who_is_alive()
            self._send_news()

    async def _beat(self) -> None:
        """So that it is noticed who is not there any more."""
        while True:
            await asyncio.sleep(_BEAT_SECONDS)
            for each in self._listeners:
                each.wake.set()

    def _send_news(self) -> None:
        news = self._files.table.news(self._clock.monotonic(), self._clock.wall())
        if news is None:
            return
        self._sent_at = asyncio.get_running_loop().time()
        self._all = (0.0, b"")
        message = _event(news)
        for each in self._listeners:
            each.waiting.put(message)
            each.wake.set()

    def _everything(self) -> bytes:
        """Made once for those who come within a moment."""
        now = asyncio.get_running_loop().time()
        made_at, message = self._all
        if not message or now - made_at > MESSAGE_SECONDS:
            message = _event(self._files.table.everything(self._clock.monotonic(), self._clock.wall()))
            self._all = now, message
        return message


class _Listener:
    def __init__(self, request: web.Request) -> None:
        self.request = request
        self.waiting = Waiting()
        self.wake = asyncio.Event()
        self.is_over = False


def _event(message: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n\n"
