"""The stream of values to those who listen, over the wire."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from pimains.core import state
from pimains.core.clock import SystemClock
from pimains.shared import http_server as http
from pimains.web import live as module
from pimains.web.live import Live

SECONDS_MAX = 30.0  # a busy machine may need


class Stream:
    """Somebody who listens."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer

    async def event(self) -> dict[str, str]:
        """The next one, by its fields; {} at the end."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(SECONDS_MAX):
            while line := await self.answer.content.readline():
                if line == b"\n":
                    return fields
                name, _, text = line.decode().rstrip("\n").partition(": ")
                fields[name] = text
        return fields

    async def message(self) -> dict[str, Any]:
        while True:
            fields = await self.event()
            if "data" in fields and "event" not in fields:
                found: dict[str, Any] = json.loads(fields["data"])
                return found

    async def until(self, name: str, text: str | None) -> None:
        while True:
            values = (await self.message())["values"]
            if name in values and values[name]["v"] == text:
                return


LOOKED_FOR = "changes are looked for now and then instead"


class World:
    """A house's files, a server and those who listen to it."""

    def __init__(self, root: Path) -> None:
        for directory in ("run/ups", "lib/relays"):
            (root / directory).mkdir(parents=True)
        self.ups = root / "run/ups"
        self.complaints: list[str] = []
        self.live = Live(root / "run", root / "lib", SystemClock(), self.complaints.append)
        self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        self.port = 0

    async def listen(self, **headers: str) -> Stream:
        answer = await self.session.get(f"http://127.0.0.1:{self.port}/v1/live", headers=headers)
        assert answer.status == 200
        return Stream(answer)

    @property
    def is_listened_to(self) -> bool:
        return bool(self.live._listeners)


@asynccontextmanager
async def serving(root: Path) -> AsyncIterator[World]:
    world = World(root)
    app = web.Application()
    app.router.add_get("/v1/live", world.live.stream)
    try:
        async with http.listening(app, "127.0.0.1", 0, None, http.Limits(connections=200)) as world.port:
            try:
                yield world
            finally:
                world.live.end()
    finally:
        await world.session.close()


def with_world(root: Path, test: Callable[[World], Awaitable[None]]) -> None:
    async def run() -> None:
        async with asyncio.timeout(2 * SECONDS_MAX), serving(root) as world:
            await test(world)

    asyncio.run(run())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS_MAX):
        while not condition():
            await asyncio.sleep(0.01)


def test_that_nothing_can_be_watched_is_said_once(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        (tmp_path / "run").rename(tmp_path / "away")
        await (await world.listen()).message()
        await (await world.listen()).message()
        assert world.complaints == [f"{tmp_path}/run cannot be watched (No such file or directory): {LOOKED_FOR}"]

    with_world(tmp_path, story)


def test_services_that_are_too_many_are_named(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        for number in range(200):
            (tmp_path / f"run/a{number}").mkdir()
        await (await world.listen()).message()
        assert world.complaints == [f"{tmp_path}/run has more than 200 directories: of ups nothing is shown"]

    with_world(tmp_path, story)


def test_who_comes_is_told_everything_and_then_what_changes(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        state.write(world.ups / "status", "on mains")
        stream = await world.listen()
        assert stream.answer.headers["Content-Type"] == "text/event-stream"
        assert stream.answer.headers["Cache-Control"] == "no-store"
        assert stream.answer.headers["X-Content-Type-Options"] == "nosniff"
        assert await stream.event() == {"retry": "1500"}
        first = await stream.message()
        assert first["all"] is True
        assert first["values"]["ups/status"]["v"] == "on mains"
        assert 0 <= first["values"]["ups/status"]["age"] < SECONDS_MAX
        state.write(world.ups / "status", "on battery, 50 % — “Grüße”")
        second = await stream.message()
        assert "all" not in second
        assert list(second["values"]) == ["ups/status"]
        assert second["values"]["ups/status"]["v"] == "on battery, 50 % — “Grüße”"
        state.remove(world.ups / "status")
        assert (await stream.message())["values"] == {"ups/status": {"v": None}}

    with_world(tmp_path, story)


def test_changes_of_a_quarter_of_a_second_are_one_message_for_all(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        streams = [await world.listen() for _ in range(3)]
        for stream in streams:
            await stream.message()
        began = asyncio.get_running_loop().time()
        for number in range(200):
            state.write(world.ups / f"value{number % 10}", str(number))
            await asyncio.sleep(0.005)
        last = {f"value{number % 10}": str(number) for number in range(190, 200)}
        counts = []
        for stream in streams:
            found: dict[str, str] = {}
            count = 0
            while found != last:
                message = await stream.message()
                count += 1
                found |= {name.partition("/")[2]: each["v"] for name, each in message["values"].items()}
            counts.append(count)
        assert len(set(counts)) == 1
        assert counts[0] <= (asyncio.get_running_loop().time() - began) / module.MESSAGE_SECONDS + 1

    with_world(tmp_path, story)


def test_nothing_is_watched_while_nobody_listens_and_values_are_told_all_the_same(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        state.write(world.ups / "charge", "90")
        assert world.live.values("ups/")["ups/charge"].text == "90"
        handles = len(list(Path("/proc/self/fd").iterdir()))
        stream = await world.listen()
        await stream.message()
        state.write(world.ups / "charge", "80")
        assert world.live.values("ups/")["ups/charge"].text == "80"
        await stream.until("ups/charge", "80")  # though somebody else has seen it before
        stream.answer.close()
        state.write(world.ups / "charge", "70")
        await until(lambda: not world.is_listened_to)
        await until(lambda: len(list(Path("/proc/self/fd").iterdir())) == handles)
        assert not [each for each in asyncio.all_tasks() if "Live" in repr(each)]
        assert world.live.values("ups/")["ups/charge"].text == "70"
        again = await world.listen()
        assert (await again.message())["values"]["ups/charge"]["v"] == "70"

    with_world(tmp_path, story)


def test_who_does_not_read_loses_messages_and_gets_everything_when_he_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MESSAGE_SECONDS", 0.01)

    async def story(world: World) -> None:
        loop = asyncio.get_running_loop()
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.setblocking(False)
            await loop.sock_connect(slow, ("127.0.0.1", world.port))
            await loop.sock_sendall(slow, b"GET /v1/live HTTP/1.1\r\nHost: here\r\n\r\n")
            quick = await world.listen()
            await until(lambda: len(world.live._listeners) == 2)
            listener = next(each for each in world.live._listeners if each.request.headers["Host"] == "here")
            number = 0
            while not listener.waiting._lost or number == 0:  # 100 values of 300 characters a message
                number += 1
                for each in range(100):
                    (world.ups / f"value{each}").write_text(f"{number} " + "x" * 290)
                await quick.until("ups/value99", f"{number} " + "x" * 290)
                assert number < 500
            held = listener.request.transport.get_write_buffer_size() + sum(map(len, listener.waiting._messages))
            assert held < 200_000, "less than what it has missed"
            state.write(world.ups / "last", "word")
            received = b""
            async with asyncio.timeout(SECONDS_MAX):
                while received.count(b'"all":true') < 2 or b'"ups/last":{"v":"word"' not in received:
                    received += await loop.sock_recv(slow, 1 << 20)

    with_world(tmp_path, story)


def test_who_never_reads_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_STALLED_SECONDS", 0.5)
    monkeypatch.setattr(module, "MESSAGE_SECONDS", 0.01)

    async def story(world: World) -> None:
        loop = asyncio.get_running_loop()
        for each in range(100):
            (world.ups / f"value{each}").write_text("x" * 290)
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.setblocking(False)
            await loop.sock_connect(slow, ("127.0.0.1", world.port))
            await loop.sock_sendall(slow, b"GET /v1/live HTTP/1.1\r\nHost: here\r\n\r\n")
            await until(lambda: world.is_listened_to)
            number = 0
            while world.is_listened_to:
                number += 1
                for each in range(100):
                    (world.ups / f"value{each}").write_text(f"{number} " + "x" * 290)
                await asyncio.sleep(0.02)

    with_world(tmp_path, story)


def test_one_more_than_may_listen_is_refused_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LISTENERS_MAX", 2)

    async def story(world: World) -> None:
        first, _ = [await world.listen() for _ in range(2)]
        await first.message()
        async with world.session.get(f"http://127.0.0.1:{world.port}/v1/live") as refused:
            assert refused.status == 503
            assert await refused.json() == {"error": "2 browsers look at this house already"}
        first.answer.close()
        state.write(world.ups / "status", "on mains")
        await until(lambda: len(world.live._listeners) < 2)
        await world.listen()

    with_world(tmp_path, story)


def test_a_stream_ends_by_itself_and_at_once_when_the_service_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(world: World) -> None:
        monkeypatch.setattr(module, "_STREAM_SECONDS", (0.0, 0.0))
        short = await world.listen()
        assert await short.event() == {"retry": "1500"}
        assert await short.event() == {}
        monkeypatch.undo()
        long = await world.listen()
        await long.message()
        began = asyncio.get_running_loop().time()
        world.live.end()
        assert await long.event() == {}
        assert asyncio.get_running_loop().time() - began < module._BEAT_SECONDS

    with_world(tmp_path, story)


def test_a_house_in_which_nothing_changes_lets_hear_of_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BEAT_SECONDS", 0.05)

    async def story(world: World) -> None:
        stream = await world.listen()
        await stream.message()
        assert [await stream.event() for _ in range(2)] == [{"event": "beat", "data": "1"}] * 2

    with_world(tmp_path, story)


def test_what_nobody_has_foreseen_ends_the_streams_and_the_next_ones_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    async def story(world: World) -> None:
        stream = await world.listen()
        await stream.message()
        look = world.live._files.look
        world.live._files.look = lambda: 1 // 0  # type: ignore[method-assign, assignment]
        state.write(world.ups / "status", "on mains")
        assert await stream.event() == {}
        await until(lambda: not world.is_listened_to)
        assert "ZeroDivisionError" in capfd.readouterr().err
        world.live._files.look = look  # type: ignore[method-assign]
        again = await world.listen()
        await again.message()
        state.write(world.ups / "status", "on battery")
        await again.until("ups/status", "on battery")

    with_world(tmp_path, story)
