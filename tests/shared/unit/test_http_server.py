"""The HTTP server: at its end what is under way is answered, what comes then is not begun any more; and what is rude is borne."""

import asyncio
import shlex
import ssl
import subprocess
import zlib
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from pimains.shared.http_server import AHEAD_MAX, Limits, body, keeps_its_place, listening, may_last


async def ask(connection: tuple[asyncio.StreamReader, asyncio.StreamWriter], path: str) -> str:
    """The first line of the answer; the connection stays."""
    reader, writer = connection
    writer.write(f"GET {path} HTTP/1.1\r\nHost: pi\r\n\r\n".encode())
    first, *headers = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
    length = next(line.split()[1] for line in headers if line.lower().startswith("content-length"))
    await reader.readexactly(int(length))
    return first


async def ends_while_somebody_is_answered() -> tuple[list[str], list[str]]:
    """What was answered, and which paths were asked for."""
    begun, go, asked = asyncio.Event(), asyncio.Event(), []

    async def slow(request: web.Request) -> web.Response:
        asked.append(request.path)
        begun.set()
        await go.wait()
        return web.Response(text="done")

    async def quick(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(text="done")

    app = web.Application()
    app.router.add_get("/slow", slow)
    app.router.add_get("/quick", quick)
    stack = AsyncExitStack()
    port = await stack.enter_async_context(listening(app, "127.0.0.1", 0, tls=None))
    one, other = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
    answers = [await ask(other, "/quick")]
    under_way = asyncio.create_task(ask(one, "/slow"))
    await begun.wait()
    end = asyncio.create_task(stack.aclose())
    answers.append(await ask(other, "/quick"))
    go.set()
    answers.append(await under_way)
    await end
    for _, writer in (one, other):
        writer.close()
    return answers, asked


def test_a_request_that_comes_while_it_ends_is_refused_and_the_one_under_way_is_answered() -> None:
    answers, asked = asyncio.run(ends_while_somebody_is_answered())
    assert answers == ["HTTP/1.1 200 OK", "HTTP/1.1 503 Service Unavailable", "HTTP/1.1 200 OK"]
    assert asked == ["/quick", "/slow"]


async def rude(sent: bytes) -> bytes:
    """All that is answered to just these bytes."""
    async with listening(web.Application(), "127.0.0.1", 0, tls=None) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        answer = await reader.read()
        writer.close()
        return answer


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\nHost: p\x01i\r\n\r\n", b"\x16\x03\x01\r\n\r\n", b"GET / HTTP/1.1\r\nHost\r\n\r\n"])
def test_what_is_no_http_is_refused_and_fills_no_log(sent: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    assert asyncio.run(rude(sent)).startswith(b"HTTP/1.0 400 ")
    assert capfd.readouterr() == ("", "")


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def one_too_many(limits: Limits) -> tuple[list[bool], bool]:
    """Which of those who say nothing are still connected, and whether another one who came then was answered."""
    app = web.Application()

    async def quick(_: web.Request) -> web.Response:
        return web.Response(text="done")

    app.router.add_get("/quick", quick)
    async with listening(app, "127.0.0.1", 0, tls=None, limits=limits) as port:
        silent: list[Connection] = []
        for _ in range(limits.connections):
            silent.append(await asyncio.open_connection("127.0.0.1", port))
            await asyncio.sleep(0)
        another = await asyncio.open_connection("127.0.0.1", port)
        try:
            is_answered = (await ask(another, "/quick")).endswith("200 OK")
        except (asyncio.IncompleteReadError, ConnectionError):
            is_answered = False
        here = [not await is_over(reader) for reader, _ in silent]
        for _, writer in (*silent, another):
            writer.close()
        return here, is_answered


async def is_over(reader: asyncio.StreamReader) -> bool:
    """What was closed by the other side is so by the time somebody else was answered."""
    try:
        async with asyncio.timeout(0.05):
            return await reader.read(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def test_one_too_many_is_refused_or_takes_the_place_of_who_was_idle_for_longest() -> None:
    assert asyncio.run(one_too_many(Limits(connections=3))) == ([True, True, True], False)
    assert asyncio.run(one_too_many(Limits(connections=3, makes_room=True))) == ([False, True, True], True)


async def seconds_of_an_answer(limits: Limits, lasts: float | None) -> bool:
    """Whether an answer that takes a while arrives."""

    async def slow(request: web.Request) -> web.Response:
        if lasts is not None:
            may_last(request, lasts)
        await asyncio.sleep(0.2)
        return web.Response(text="done")

    app = web.Application()
    app.router.add_get("/slow", slow)
    async with listening(app, "127.0.0.1", 0, tls=None, limits=limits) as port:
        connection: Any = await asyncio.open_connection("127.0.0.1", port)
        try:
            return (await ask(connection, "/slow")).endswith("200 OK")
        except (asyncio.IncompleteReadError, ConnectionError):
            return False
        finally:
            connection[1].close()


def test_an_answer_takes_as_long_as_the_limits_say_or_as_it_was_given() -> None:
    brief = Limits(answer_seconds=0.05)
    assert asyncio.run(seconds_of_an_answer(brief, None)) is False
    assert asyncio.run(seconds_of_an_answer(brief, 30.0)) is True
    assert asyncio.run(seconds_of_an_answer(Limits(), None)) is True


async def answered_beside_busy_ones(*, are_known: bool) -> tuple[bool, list[bool]]:
    """Whether one too many is answered while all others send a body that never comes, and which of those are connected then."""
    begun = asyncio.Semaphore(0)
    app = web.Application()

    async def slow(request: web.Request) -> web.Response:
        if are_known:
            keeps_its_place(request)
        begun.release()
        return web.Response(body=await body(request, 100, 60.0))

    async def quick(_: web.Request) -> web.Response:
        return web.Response(text="done")

    app.router.add_post("/slow", slow)
    app.router.add_get("/quick", quick)
    async with listening(app, "127.0.0.1", 0, tls=None, limits=Limits(connections=3, makes_room=True)) as port:
        busy: list[Connection] = []
        for _ in range(3):
            busy.append(await asyncio.open_connection("127.0.0.1", port))
            busy[-1][1].write(b"POST /slow HTTP/1.1\r\nHost: pi\r\nContent-Length: 9\r\n\r\n")
            await begun.acquire()
        another = await asyncio.open_connection("127.0.0.1", port)
        try:
            is_answered = (await ask(another, "/quick")).endswith("200 OK")
        except (asyncio.IncompleteReadError, ConnectionError):
            is_answered = False
        here = [not await is_over(reader) for reader, _ in busy]
        for _, writer in (*busy, another):
            writer.close()
        return is_answered, here


def test_those_whose_bodies_never_come_keep_nobody_out_but_who_is_known_keeps_his_place(capfd: pytest.CaptureFixture[str]) -> None:
    assert asyncio.run(answered_beside_busy_ones(are_known=False)) == (True, [False, True, True])
    assert asyncio.run(answered_beside_busy_ones(are_known=True)) == (False, [True, True, True])
    assert capfd.readouterr() == ("", ""), "who goes away in the middle of his body fills no log"


async def asked_on_and_on(count: int) -> int:
    """How many of so many are answered that are asked for before the first is answered; -1: cut off."""
    go = asyncio.Event()
    app = web.Application()

    async def slow(_: web.Request) -> web.Response:
        await go.wait()
        return web.Response(text="done")

    app.router.add_get("/slow", slow)
    async with listening(app, "127.0.0.1", 0, tls=None) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(count):
            writer.write(b"GET /slow HTTP/1.1\r\nHost: pi\r\n\r\n")
        if await is_over(reader):
            return -1
        go.set()
        answered = [await reader.readuntil(b"done") for _ in range(count)]
        writer.close()
        return len(answered)


def test_who_asks_on_and_on_before_he_is_answered_is_cut_off() -> None:
    assert asyncio.run(asked_on_and_on(AHEAD_MAX)) == AHEAD_MAX
    assert asyncio.run(asked_on_and_on(1000)) == -1


async def taken(headers: str, sent: bytes) -> bytes:
    """What is answered to a body: it itself."""

    async def echo(request: web.Request) -> web.Response:
        return web.Response(body=await body(request, 1000, 60.0))

    app = web.Application()
    app.router.add_post("/", echo)
    async with listening(app, "127.0.0.1", 0, tls=None) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"POST / HTTP/1.1\r\nHost: pi\r\nConnection: close\r\n{headers}\r\n\r\n".encode() + sent)
        answer = await reader.read()
        writer.close()
        return answer


def test_a_packed_body_is_not_unpacked_and_a_broken_one_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    packed = zlib.compress(bytes(500_000), 9)
    assert len(packed) < 1000
    answer = asyncio.run(taken(f"Content-Encoding: deflate\r\nContent-Length: {len(packed)}", packed))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(packed)
    assert asyncio.run(taken("Transfer-Encoding: chunked", b"no length\r\n")).startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
    assert capfd.readouterr() == ("", "")


async def silent_before_tls(tls: ssl.SSLContext, known: ssl.SSLContext) -> tuple[list[bool], str]:
    """Which of those who never begin to speak TLS are still connected when somebody else was answered, and how he was."""
    app = web.Application()

    async def quick(_: web.Request) -> web.Response:
        return web.Response(text="done")

    app.router.add_get("/quick", quick)
    async with listening(app, "127.0.0.1", 0, tls, limits=Limits(connections=3, makes_room=True)) as port:
        silent: list[Connection] = [await asyncio.open_connection("127.0.0.1", port) for _ in range(6)]
        another = await asyncio.open_connection("127.0.0.1", port, ssl=known, server_hostname="localhost")
        answer = await ask(another, "/quick")
        here = [not await is_over(reader) for reader, _ in silent]
        for _, writer in (*silent, another):
            writer.close()
        return here, answer


def test_with_tls_those_who_never_speak_it_are_counted_too(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    words = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
    words += f" -addext subjectAltName=DNS:localhost -keyout {key} -out {certificate}"
    subprocess.run(shlex.split(words), check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    here, answer = asyncio.run(silent_before_tls(tls, ssl.create_default_context(cafile=str(certificate))))
    assert (here, answer) == ([False] * 4 + [True] * 2, "HTTP/1.1 200 OK")
    assert capfd.readouterr() == ("", "")
