"""Bounds for asyncio's connections: a peer that says more than a plug could is cut off, whatever its library would gather."""

import asyncio
from collections.abc import Callable
from typing import Any

from pimains.core.errors import Away

_BURST_BYTES = 64 * 1024  # all a plug says at a connect is 5 kB
_BYTES_PER_SECOND = 16 * 1024


class _Bounded(asyncio.Protocol):
    """Stands before the library's protocol and ends a connection that says more than a plug could.

    The library itself would gather a frame of any announced length.
    """

    def __init__(self, inner: Any, now: Callable[[], float]) -> None:
        self.inner = inner
        self._now = now
        self._since = now()
        self._bytes = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self.inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        now = self._now()
        self._bytes = max(0.0, self._bytes - (now - self._since) * _BYTES_PER_SECOND) + len(data)
        self._since = now
        if self._bytes > _BURST_BYTES:
            self._transport.abort()  # type: ignore[attr-defined]  # a BaseTransport here is always a Transport
            self.inner.connection_lost(Away(f"more than {_BURST_BYTES // 1024} kB at once: that is no plug"))
        else:
            self.inner.data_received(data)

    def eof_received(self) -> bool | None:
        return bool(self.inner.eof_received())

    def connection_lost(self, error: Exception | None) -> None:
        self.inner.connection_lost(error)

    def pause_writing(self) -> None:
        self.inner.pause_writing()

    def resume_writing(self) -> None:
        self.inner.resume_writing()


def be_bounded(loop: Any) -> None:
    """From now on every connection of `loop` is a bounded one, and a broken one is not also told by asyncio."""
    if hasattr(loop, "is_bounded"):
        return
    create = loop.create_connection

    async def create_connection(factory: Callable[[], Any], **options: Any) -> tuple[Any, Any]:
        transport, bounded = await create(lambda: _Bounded(factory(), loop.time), **options)
        return transport, bounded.inner

    def handle(loop: Any, context: dict[str, Any]) -> None:
        if "transport" not in context:
            loop.default_exception_handler(context)

    loop.create_connection = create_connection
    loop.set_exception_handler(handle)
    loop.is_bounded = True
