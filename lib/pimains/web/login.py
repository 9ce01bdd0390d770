"""The door: who may look, who may act, and how a browser logs in."""

import asyncio
import hashlib
import hmac
import secrets
import socket
from urllib.parse import parse_qs

from aiohttp import web

from pimains.core.clock import Clock
from pimains.shared import http_server as http
from pimains.shared.plan.attempts import Attempts
from pimains.web.plan import hosts
from pimains.web.plan.sessions import SECONDS_MAX, Sessions
from pimains.web.settings import WebSettings

_BODY_BYTES_MAX = 4096
_BODY_SECONDS = 10.0
_FIELDS_MAX = 10
_SCRYPT = {"n": 2**14, "r": 8, "p": 1, "dklen": 32}  # 16 MB for a moment (RFC 7914; OWASP has 2^17, which a Pi Zero has not)
_TOKEN_BYTES = 32
_TOKENS_MAX = 8
_LOGINS_WAITING_MAX = 8


class Door:
    """Knows PASSWORD and the sessions, which are in memory alone: they end with this process, and so when PASSWORD is changed."""

    def __init__(self, settings: WebSettings, clock: Clock) -> None:
        self.has_password = settings.PASSWORD is not None
        self.is_public = settings.PUBLIC or not self.has_password
        self._password = settings.PASSWORD or ""
        self._is_tls = settings.TLS_CERTIFICATE is not None
        prefix = "__Host-" if self._is_tls else ""  # RFC 6265bis: such a one is set by this very machine, with TLS
        self.cookie = f"{prefix}pimains-{settings.LISTEN.port}"  # a browser sends cookies to all ports of a machine
        self._clock = clock
        self._sessions = Sessions()
        self._attempts = Attempts()
        self._one_at_a_time = asyncio.Lock()
        self._waiting = 0
        self._salt = secrets.token_bytes(16)
        self._derived = b""

    async def opens(self) -> None:
        """Once, before anybody may try."""
        if self.has_password:
            self._derived = await self._derive(self._password)
            self._password = ""

    def check_name(self, request: web.Request) -> None:
        """Raises 421 when it was sent to a name that is not this machine's: with TLS, the certificate sees to that."""
        if self._is_tls:
            return
        header, hostname = request.headers.get("Host"), socket.gethostname()
        if hosts.is_ours(header, hostname):
            return
        names = " or ".join(hosts.told(hostname))
        raise http.refusal(421, f"this page does not answer to the name {(header or '')[:100]!r}: use this machine's address, or {names}")

    def check_not_from_elsewhere(self, request: web.Request) -> None:
        """Raises 403 when a page of another site makes a browser ask (Fetch Metadata); that page could not read it anyway."""
        if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
            raise http.refusal(403, "this was asked for by a page of another site")

    def csrf(self, request: web.Request) -> str | None:
        """The token that orders of this browser's session carry; None when it has none."""
        for token in self._tokens(request):
            if csrf := self._sessions.csrf(http.digest_of(token), self._clock.monotonic()):
                http.keeps_its_place(request)
                return csrf
        return None

    def may_look(self, request: web.Request) -> bool:
        """Whether it is shown what there is."""
        return self.csrf(request) is not None or self.is_public

    def check_may_look(self, request: web.Request) -> None:
        """Raises 401."""
        if not self.may_look(request):
            raise http.refusal(401, "this needs a login", WWW_Authenticate="Cookie")

    def check_may_act(self, request: web.Request) -> None:
        """Raises 401 without a session, 403 without its token or from a page of another site."""
        if not self.has_password:
            raise http.refusal(401, "nobody may switch anything here before a PASSWORD is set: pimains help web", WWW_Authenticate="Cookie")
        csrf = self.csrf(request)
        if csrf is None:
            raise http.refusal(401, "this needs a login", WWW_Authenticate="Cookie")
        self._check_origin(request)
        given = request.headers.get("X-CSRF-Token", "")
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), csrf.encode()):
            raise http.refusal(403, "the session's token (X-CSRF-Token) is missing or wrong: load the page again")

    def _check_origin(self, request: web.Request) -> None:
        scheme = "https" if self._is_tls else "http"
        if not hosts.is_same_origin(request.headers.get("Origin"), scheme, request.headers.get("Host", "")):
            raise http.refusal(403, "this comes from a page of another site (Origin is not that of this one)")

    async def given(self, request: web.Request) -> tuple[str, str]:
        """The password, and the path of the page to show then, of the form that was sent. Raises 400, 408, 413."""
        sent = await http.body(request, _BODY_BYTES_MAX, _BODY_SECONDS)
        try:
            form = parse_qs(sent.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_FIELDS_MAX)
        except ValueError:
            raise http.refusal(400, f"more than {_FIELDS_MAX} fields") from None
        return form.get("password", [""])[0], form.get("to", ["/"])[0]

    async def log_in(self, request: web.Request, password: str, answer: web.StreamResponse) -> str:
        """Begin a session, whose cookie goes with `answer`; returns its token for orders. Raises 401, 403, 429."""
        if not self.has_password:
            raise http.refusal(401, "there is no PASSWORD yet: pimains help web", WWW_Authenticate="Cookie")
        self._check_origin(request)
        place = request.remote or ""
        self._check_patience(place)
        if self._waiting >= _LOGINS_WAITING_MAX:
            raise http.refusal(429, "many try to log in at this moment; try again in a few seconds", Retry_After="5")
        self._waiting += 1
        try:
            async with self._one_at_a_time:
                self._check_patience(place)  # others of that place had a turn meanwhile
                is_right = hmac.compare_digest(await self._derive(password), self._derived)
                if not is_right:
                    self._attempts.failed(place, self._clock.monotonic())
                    raise http.refusal(401, "that is not the password", WWW_Authenticate="Cookie")
        finally:
            self._waiting -= 1
        self._attempts.succeeded(place)
        self._forget(request)
        token, csrf = secrets.token_urlsafe(_TOKEN_BYTES), secrets.token_urlsafe(_TOKEN_BYTES)
        self._sessions.begin(http.digest_of(token), csrf, self._clock.monotonic())
        answer.set_cookie(self.cookie, token, max_age=int(SECONDS_MAX), path="/", secure=self._is_tls, httponly=True, samesite="Strict")
        return csrf

    def log_out(self, request: web.Request, answer: web.StreamResponse) -> None:
        """End the session of this browser."""
        self._forget(request)
        answer.set_cookie(self.cookie, "", max_age=0, path="/", secure=self._is_tls, httponly=True, samesite="Strict")

    def _forget(self, request: web.Request) -> None:
        for token in self._tokens(request):
            self._sessions.end(http.digest_of(token))

    def _tokens(self, request: web.Request) -> list[str]:
        """What the browser has under the cookie's name.

        It sends those of all ports of this machine: one that is no cookie by RFC 6265, on which `request.cookies` gives up, is another's;
        so may be one of the same name, for a longer path.
        """
        pairs = (pair.strip().partition("=") for header in request.headers.getall("Cookie", ()) for pair in header.split(";"))
        return [value for name, _, value in pairs if name == self.cookie and value][:_TOKENS_MAX]

    def _check_patience(self, place: str) -> None:
        wait = self._attempts.wait_seconds(place, self._clock.monotonic())
        if wait:
            raise http.refusal(429, f"too many wrong passwords; try again in {wait:.0f} s", Retry_After=f"{wait + 1:.0f}")

    async def _derive(self, password: str) -> bytes:
        salted = password.encode("utf-8", "surrogateescape")
        return await asyncio.to_thread(hashlib.scrypt, salted, salt=self._salt, maxmem=2**25, **_SCRYPT)
