"""Mail: one message to one address, by SMTP with TLS and login (RFC 5321, 3207, 4954, 8314).

smtplib, ssl and email weigh ten megabytes: import this module in a short-lived process.
"""

import contextlib
import email.policy
import email.utils
import smtplib
import socket
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Literal, NamedTuple

from pimains.core.errors import PimainsError
from pimains.core.failure import in_words
from pimains.core.plan.text import one_line, shortened

_SAID = 80  # characters of what a server answers, which says best what it does not like
_REASON = 40  # of OpenSSL's own, such as WRONG_VERSION_NUMBER
_LOGIN_NEEDED = 530  # RFC 4954
Part = Literal["host", "certificate", "security", "login", "sender", "recipient", "message"]


class MailError(PimainsError):
    """The mail was not taken: `part` is what the server did not like, `permanent` that it never will."""

    def __init__(self, part: Part, words: str, *, permanent: bool) -> None:
        super().__init__(words)
        self.part = part
        self.permanent = permanent


class MailServer(NamedTuple):
    """Where mail is handed in. `security` is "starttls", "tls" (from the first byte) or "none"; `ca` a file of certificates to trust."""

    host: str
    port: int
    security: str
    user: str | None
    password: str | None
    ca: Path | None
    seconds_max: float


def written(sender: str, recipient: str, subject: str, body: str, wall: float, message_id: str) -> EmailMessage:
    """The message with its headers; `subject` becomes one line, whatever is in it."""
    message = EmailMessage(policy=email.policy.SMTP.clone(cte_type="7bit"))
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = one_line(subject)
    message["Date"] = email.utils.formatdate(wall, localtime=True)
    message["Message-ID"] = f"<{message_id}@pimains.invalid>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    message.set_content(body.encode("utf-8", "replace").decode("utf-8"))
    return message


def send(server: MailServer, sender: str, recipient: str, message: EmailMessage) -> None:
    """Hand `message` in for `recipient`; raises MailError."""
    try:
        with contextlib.closing(_connected(server)) as smtp:
            if server.password:
                _step("login", lambda: smtp.login(server.user or "", server.password or ""))
            _step("sender", lambda: _must(smtp.mail(sender)))
            _step("recipient", lambda: _must(smtp.rcpt(recipient)))
            _step("message", lambda: _must(smtp.data(message.as_bytes())))
            smtp.putcmd("QUIT")  # the answer is not waited for: the mail is handed in, whatever happens to it
    except (OSError, UnicodeError, ValueError) as error:  # smtplib's own are OSErrors
        raise failed(error) from None


def failed(error: Exception) -> MailError:
    """What smtplib, ssl and socket raise, in words."""
    if isinstance(error, smtplib.SMTPException):
        return MailError("host", _words(error), permanent=False)
    if isinstance(error, ssl.SSLCertVerificationError):
        return MailError("certificate", in_words(error), permanent=True)
    if isinstance(error, ssl.SSLError):
        reason = getattr(error, "reason", None)
        why = f" ({one_line(reason, _REASON)})" if isinstance(reason, str) else ""
        return MailError("security", f"speaks no TLS there{why}", permanent=True)
    return MailError("host", in_words(error), permanent=False)


def _trust(ca: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca)
    except OSError as error:
        what = "holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise MailError("certificate", f"{ca}: {what}", permanent=True) from None


def _connected(server: MailServer) -> smtplib.SMTP:
    trust = _trust(server.ca)
    # smtplib tries one address after the other: each gets a share of the time, and one share is for the mail
    addresses = len(socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM))
    patience = server.seconds_max if addresses == 1 else server.seconds_max / (addresses + 1)
    smtp: smtplib.SMTP
    if server.security == "tls":
        smtp = smtplib.SMTP_SSL(server.host, server.port, timeout=patience, context=trust)
    else:
        smtp = smtplib.SMTP(server.host, server.port, timeout=patience)
    try:
        if smtp.sock:
            smtp.sock.settimeout(server.seconds_max)
        if server.security == "starttls":
            _start_tls(smtp, trust)
        else:
            smtp.ehlo_or_helo_if_needed()
    except BaseException:
        smtp.close()
        raise
    return smtp


def _start_tls(smtp: smtplib.SMTP, trust: ssl.SSLContext) -> None:
    """Without an offer of STARTTLS nothing is sent: somebody on the way may have removed it."""
    smtp.ehlo_or_helo_if_needed()
    if not smtp.has_extn("starttls"):
        raise MailError("security", "offers no STARTTLS", permanent=True)
    _step("security", lambda: _must(smtp.starttls(context=trust)))


def _must(reply: tuple[int, bytes]) -> None:
    if not 200 <= reply[0] < 300:
        raise smtplib.SMTPResponseException(*reply)


def _step(part: Part, action: Callable[[], object]) -> None:
    try:
        action()
    except smtplib.SMTPResponseException as error:
        part = "login" if error.smtp_code == _LOGIN_NEEDED else part
        raise MailError(part, _words(error), permanent=500 <= error.smtp_code < 600) from None
    except smtplib.SMTPNotSupportedError as error:
        raise MailError(part, _words(error), permanent=True) from None


def _words(error: smtplib.SMTPException) -> str:
    if not isinstance(error, smtplib.SMTPResponseException):
        return in_words(error)
    said = error.smtp_error
    return shortened(one_line(f"{error.smtp_code} {said.decode('utf-8', 'replace') if isinstance(said, bytes) else said}"), _SAID)
