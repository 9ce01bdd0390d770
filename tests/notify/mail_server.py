# ruff: noqa: ARG002  # the arguments are those that aiosmtpd hands over
"""A real SMTP server on loopback, with STARTTLS and login, that does what a test wants of it."""

import contextlib
import email
import email.policy
import ssl
import subprocess
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from tests.kit import free_port

PASSWORD = "open sesame"


def certificate(directory: Path, name: str = "localhost") -> tuple[Path, Path]:
    """A certificate of its own for `name`, and its key."""
    directory.mkdir(parents=True, exist_ok=True)
    cert, key = directory / f"{name}.pem", directory / f"{name}.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"),
            *("-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", key, "-out", cert),
        ],
        check=True,
        capture_output=True,
    )
    return cert, key


class MailServer:
    """Takes mail; `answers["DATA"]` is what it says instead of taking a message."""

    def __init__(self, cert: Path | None = None, key: Path | None = None, *, tls: bool = False, port: int = 0) -> None:
        self.mails: list[EmailMessage] = []
        self.envelopes: list[Any] = []
        self.logins: list[tuple[str, bool]] = []  # who, and whether the connection was encrypted
        self.answers: dict[str, str] = {}
        self.refused: dict[str, str] = {}  # recipients, and the answer they get
        context = None
        if cert:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(cert, key)
        self._server = Controller(
            self,
            hostname="127.0.0.1",
            port=port,
            ready_timeout=60,
            ssl_context=context if tls else None,
            tls_context=None if tls else context,
            require_starttls=bool(context) and not tls,
            authenticator=self._authenticate,
            auth_required=bool(context),
            auth_require_tls=not tls,
        )
        if port == 0:  # the controller knocks at its port to see whether it is up
            self._server.port = free_port()
        self._server.start()
        self.port: int = self._server.port

    def _authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and data.password == PASSWORD.encode()
        self.logins.append((data.login.decode(), server.transport.get_extra_info("sslcontext") is not None))
        return AuthResult(success=good, handled=False)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if "DATA" in self.answers:
            return self.answers["DATA"]
        self.envelopes.append(envelope)
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))  # type: ignore[arg-type]
        return "250 OK"

    @property
    def subjects(self) -> list[str]:
        return [mail["Subject"].partition(": ")[2] for mail in self.mails]

    def close(self) -> None:
        with contextlib.suppress(AssertionError):  # closed before
            self._server.stop()
