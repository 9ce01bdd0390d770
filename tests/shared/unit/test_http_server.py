"""The collector's HTTP server at its end: what is under way is answered, what comes then is not begun any more."""

import asyncio
from contextlib import AsyncExitStack

from aiohttp import web

from pimains.shared.http_server import listening


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
