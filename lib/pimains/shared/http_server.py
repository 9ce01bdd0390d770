"""An HTTP server that bears with anybody: aiohttp behind a gate that bounds connections, bytes and time.

    async with listening(app, "127.0.0.1", 8460, tls=None, limits=Limits(connections=64)):
        ...

Who sends its headers or its body in crumbs, or megabytes nobody asked for, is cut off after Limits.idle_seconds and at HEADER_BYTES_MAX;
who asks on and on while he is answered, at AHEAD_MAX. A body is taken as it comes: one that is packed is not unpacked.
"""

import asyncio
import errno
import hashlib
import hmac
import logging
import ssl
import weakref
from asyncio.sslproto import SSLProtocol
from base64 import b64decode
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple, cast

from aiohttp import StreamReader, web
from aiohttp.http_exceptions import HttpProcessingError

from pimains.core.failure import in_words
from pimains.core.settings import Settings
from pimains.shared.endpoint import Endpoint

HEADER_BYTES_MAX = 2 * 1024 * 1024  # before a request is understood; the body's first bytes may come with it
AHEAD_MAX = 32  # requests that wait for the answer to the one before; browsers send none
_PIECE_BYTES = 16 * 1024  # are looked at before what was asked for in them is counted
_HANDSHAKE_SECONDS = 10
_GOODBYE_SECONDS = 2.0
_TLS = {"SSLError": "it holds no PEM, is encrypted, or does not belong to the other"}
_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY", "Server": "pimains"}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Limits(NamedTuple):
    """What the gate bears: connections at a time, seconds that one may be idle, and that an answer may take (see `may_last`).

    `makes_room`: one too many is let in, and that which was idle for longest is closed for it. While none is idle, it is the one that is
    answered for longest of those from where the most are, `is_known` ones left out; without `makes_room` one too many is refused.
    """

    connections: int = 64
    idle_seconds: float = 30.0
    answer_seconds: float = 600.0
    makes_room: bool = False


USUAL = Limits()


@asynccontextmanager
async def listening(
    app: web.Application, address: str, port: int, tls: ssl.SSLContext | None, limits: Limits = USUAL
) -> AsyncIterator[int]:
    """Answer requests with `app`; yields the port. Raises OSError when it cannot listen there."""
    answering: set[asyncio.Task[Any]] = set()
    is_over = False

    @web.middleware
    async def noted(request: web.Request, handler: Handler) -> web.StreamResponse:
        if is_over:  # what answers it may be closed already
            raise refusal(503, "this service is being stopped")
        task = cast(asyncio.Task[Any], asyncio.current_task())
        answering.add(task)
        try:
            return await handler(request)
        finally:
            answering.discard(task)

    app.middlewares[:0] = [_middleware, noted]
    runner = web.AppRunner(
        app,
        access_log=None,
        keepalive_timeout=limits.idle_seconds,
        lingering_time=_GOODBYE_SECONDS,
        auto_decompress=False,  # 32 KiB may be 32 MiB, and are unpacked before anybody is asked whether he takes them
    )
    await runner.setup()
    gates: weakref.WeakSet[_Gate] = weakref.WeakSet()

    def gate() -> asyncio.BaseProtocol:
        if len(gates) >= limits.connections and not (limits.makes_room and _make_room(gates)):
            return _Closed()
        new = _Gate(cast(asyncio.Protocol, cast(Any, runner.server)()), limits, gates)
        gates.add(new)
        return _Handshake(new, tls) if tls else new

    try:
        server = await asyncio.get_running_loop().create_server(gate, address, port)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            is_over = True
            server.close()
    finally:
        if answering:  # aiohttp itself waits a minute for them, in older versions a quarter
            _, late = await asyncio.wait(answering, timeout=_GOODBYE_SECONDS)
            for task in late:
                task.cancel()
        await runner.shutdown()
        await runner.cleanup()


def may_last(request: web.Request, seconds: float) -> None:
    """The answer to this one may take `seconds` from now on, whatever the limits say: a stream of events, each of which renews it."""
    if gate := _Gate.of(request.protocol):
        gate.lasts(seconds)


def keeps_its_place(request: web.Request) -> None:
    """It is known who asks: no stranger gets room at the cost of this connection while it is answered."""
    if gate := _Gate.of(request.protocol):
        gate.is_known = True


def is_known(request: web.Request) -> bool:
    """Whether it `keeps_its_place`."""
    gate = _Gate.of(request.protocol)
    return gate is not None and gate.is_known


def tls_of(settings: Settings, certificate: Path | None, key: Path | None, user: str) -> ssl.SSLContext | None:
    """What a service shows itself by (TLS 1.2 and newer), by its TLS_CERTIFICATE and TLS_KEY; None without. Raises WrongSetting."""
    if certificate is None:
        return None
    try:
        return _tls_context(certificate, key)
    except OSError as error:
        name = "TLS_KEY" if key and "key" in str(error).lower() else "TLS_CERTIFICATE"
        raise settings.wrong(name, f"cannot be used: {in_words(error, _TLS)} (user {user} must be able to read it)") from None


def why_not_listening(settings: Settings, where: Endpoint, error: OSError) -> str:
    """What keeps a service from its LISTEN for now, as a line; raises WrongSetting where only an edit helps."""
    if error.errno == errno.EADDRNOTAVAIL:
        raise settings.wrong("LISTEN", f"{where.address} is no address of this machine") from None
    if error.errno == errno.EACCES:
        raise settings.wrong("LISTEN", f"port {where.port} is for root only; take one above 1023") from None
    why = "is taken by another program" if error.errno == errno.EADDRINUSE else f"cannot be listened at: {in_words(error)}"
    return f"{where} {why}; trying again"


def _tls_context(certificate: Path, key: Path | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key, password="")  # none: a terminal is never asked for it
    return context


async def body(request: web.Request, bytes_max: int, seconds: float) -> bytes:
    """What was sent; raises 413 when that is more than `bytes_max`, 408 when it takes longer than `seconds`, 400."""
    if (request.content_length or 0) > bytes_max:
        raise refusal(413, f"more than {bytes_max} bytes")
    found = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.content.iter_any():
                found += chunk
                if len(found) > bytes_max:
                    raise refusal(413, f"more than {bytes_max} bytes")
    except TimeoutError:
        raise refusal(408, "too slow") from None
    except web.RequestPayloadError:
        raise refusal(400, "the body is no HTTP") from None
    return bytes(found)


class Refusal(Exception):
    """The answer to a request that is not carried out."""

    def __init__(self, status: int, words: str, headers: dict[str, str]) -> None:
        super().__init__(words)
        self.status = status
        self.headers = headers


def refusal(status: int, words: str, **headers: str) -> Refusal:
    """For raising: JSON with the words, for programs and people."""
    return Refusal(status, words, {name.replace("_", "-"): value for name, value in headers.items()})


def same(given: str, digest: bytes) -> bool:
    """Whether `given` is what `digest` was made from; takes as long wherever they differ."""
    return hmac.compare_digest(digest_of(given), digest)


def digest_of(secret: str) -> bytes:
    """What to compare secrets by."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def bearer(request: web.Request) -> str:
    """The token in the request (RFC 6750), '' when there is none."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def basic_password(request: web.Request) -> str | None:
    """The password in the request (RFC 7617), None when there is none."""
    kind, _, words = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        return b64decode(words, validate=True).decode("utf-8").partition(":")[2]
    except ValueError:
        return None


@web.middleware
async def _middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    gate = _Gate.of(request.protocol)
    if gate:
        gate.begins(request.content)
    answer: web.StreamResponse
    try:
        answer = await handler(request)
    except Refusal as no:
        answer = web.json_response({"error": str(no)}, status=no.status, headers=no.headers)
    except web.HTTPException as no:  # no such path, no such method
        allow = {"Allow": no.headers["Allow"]} if "Allow" in no.headers else {}
        answer = web.json_response({"error": no.reason}, status=no.status, headers=allow)
    except ConnectionError:
        if request.transport is not None and not request.transport.is_closing():
            raise
        answer = web.Response(status=400)  # for nobody: he is gone, in the middle of what he sent or was told
    if not answer.prepared:
        for name, value in _HEADERS.items():
            answer.headers.setdefault(name, value)
    if not request.content.is_eof():  # nobody will read the rest of what it sends
        answer.force_close()
    if gate:
        gate.ends(is_last=answer.keep_alive is False)
    return answer


def _make_room(gates: "weakref.WeakSet[_Gate]") -> bool:
    """Close the connection that was idle for longest, else one of those that are too many of one place; whether there was one."""
    found = [each for each in gates if each.is_idle]
    if not found:
        strangers = [each for each in gates if not each.is_known]
        most = Counter(each.place for each in strangers).most_common(1)
        found = [each for each in strangers if each.place == most[0][0]]
    if not found:
        return False
    longest = min(found, key=lambda each: each.since)
    gates.discard(longest)
    longest.close()
    return True


def _is_a_fault_of_ours(record: logging.LogRecord) -> bool:
    """Whether it belongs into a log: who sends what is no HTTP could fill that with tracebacks, one for each of his bytes."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError | web.RequestPayloadError))


logging.getLogger("aiohttp.server").addFilter(_is_a_fault_of_ours)


class _Closed(asyncio.Protocol):
    """There are too many already."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).abort()


class _Gate(asyncio.Protocol):
    """One connection on its way to aiohttp, which itself neither bounds headers nor the time they take."""

    _by_protocol: "weakref.WeakValueDictionary[int, _Gate]" = weakref.WeakValueDictionary()

    def __init__(self, inner: asyncio.Protocol, limits: Limits, gates: "weakref.WeakSet[_Gate]") -> None:
        self._inner = inner
        self._limits = limits
        self._gates = gates  # those that are open
        self._bytes = 0
        self._content: StreamReader | None = None  # of the request that is being answered
        self._is_last = False
        self.is_known = False
        self.place = ""
        self.since = asyncio.get_running_loop().time()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    def of(cls, protocol: object) -> "_Gate | None":
        return cls._by_protocol.get(id(protocol))

    def begins(self, content: StreamReader) -> None:
        """A request was understood."""
        self._content = content
        self._bytes = 0
        self.is_known = False
        self.since = asyncio.get_running_loop().time()
        self._wait(self._limits.answer_seconds)

    def lasts(self, seconds: float) -> None:
        """Its answer may take that long, from now on."""
        self._wait(seconds)

    def ends(self, *, is_last: bool) -> None:
        """It was answered."""
        self._content = None
        self._is_last = is_last
        self.is_known = False
        self.since = asyncio.get_running_loop().time()
        self._wait(self._limits.idle_seconds)

    @property
    def is_idle(self) -> bool:
        """Whether nothing that it asked for is being answered."""
        return self._content is None

    def close(self) -> None:
        """At once."""
        if self._transport:
            self._transport.abort()

    def _wait(self, seconds: float | None) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = None
        if seconds is not None and self._transport:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._transport.abort)

    def comes(self, transport: asyncio.BaseTransport) -> None:
        """It is there, and may be to speak TLS first."""
        self._transport = cast(asyncio.Transport, transport)
        self.place = (transport.get_extra_info("peername") or ("",))[0]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.comes(transport)
        self._by_protocol[id(self._inner)] = self
        self._wait(self._limits.idle_seconds)
        self._inner.connection_made(transport)

    def goes(self) -> None:
        """It counts no longer; a traceback may keep it for a while."""
        self._gates.discard(self)
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._bytes += len(data)
        is_body = self._content is not None and not self._content.is_eof()
        if self._bytes > HEADER_BYTES_MAX and not is_body and not self._is_last:
            self.close()
            return
        for start in range(0, len(data), _PIECE_BYTES):
            self._inner.data_received(data[start : start + _PIECE_BYTES])
            if len(getattr(self._inner, "_messages", ())) > AHEAD_MAX:  # aiohttp has as many as come
                self.close()
                return

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait(None)
        self.goes()
        self._by_protocol.pop(id(self._inner), None)
        self._inner.connection_lost(exc)


class _Handshake(SSLProtocol):
    """TLS before the gate. asyncio's own server tells nobody of a connection before it speaks TLS: as many as like could keep silent."""

    def __init__(self, gate: _Gate, tls: ssl.SSLContext) -> None:
        loop, nobody_waits = asyncio.get_running_loop(), cast(Any, None)
        super().__init__(loop, gate, tls, nobody_waits, server_side=True, ssl_handshake_timeout=_HANDSHAKE_SECONDS)
        self._gate = gate

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._gate.comes(transport)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        self._gate.goes()
