"""Whom the notify service tells, and how often."""

import re

from pimains.core.notify_queue import event_name
from pimains.core.settings import Setting, choice, host, integer, number, optional, path, port, text
from pimains.shared.screens.settings import ScreenSettings

_MAIL_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


def _mail_address(value: str) -> str:
    if not _MAIL_ADDRESS.fullmatch(value):
        raise ValueError
    return value


def _mail_addresses(value: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_mail_address(word) for word in re.split(r"[\s,]+", value.strip(" ,")) if word))


def _event_names(value: str) -> tuple[str, ...]:
    words = tuple(word for word in re.split(r"[\s,]+", value) if word)
    if any(event_name(word) != word for word in words):
        raise ValueError
    return words


class NotifySettings(ScreenSettings):
    """services/notify/variables/."""

    only_as = "notify"

    EVENTS = Setting(
        _event_names, "list of events", "small letters, digits, dots and hyphens, with blanks between, or empty", may_be_empty=True
    )
    THROTTLE_SECONDS = number(0, 86400, "time in seconds")
    MESSAGES_PER_HOUR_MAX = integer(1, 1000, "number of messages")
    KEEP_DAYS = number(0.01, 365, "time in days")
    SEND_SECONDS_MAX = number(1, 600, "time in seconds")

    MAIL_TO = Setting(
        _mail_addresses, "list of mail addresses", "such as anna@example.org, with blanks between, or empty", may_be_empty=True
    )
    MAIL_FROM = optional(Setting(_mail_address, "mail address", "such as pi@example.org"))
    MAIL_HOST = optional(host())
    MAIL_PORT = port()
    MAIL_SECURITY = choice("starttls", "tls", "none")
    MAIL_USER = optional(text("user name"))
    MAIL_PASSWORD = optional(text("password", secret=True))
    MAIL_CA = optional(path())

    APPRISE_FILE = optional(path())

    def check_together(self) -> None:
        """Mail needs a server and a sender, and a password never travels in the clear."""
        if self.MAIL_TO and not self.MAIL_HOST:
            raise self.wrong("MAIL_HOST", "is empty; mail needs the host where it is handed in, or an empty MAIL_TO")
        if self.MAIL_TO and not self.MAIL_FROM:
            raise self.wrong("MAIL_FROM", "is empty; mail needs an address it comes from, such as pi@example.org")
        if bool(self.MAIL_USER) != bool(self.MAIL_PASSWORD):
            missing = "MAIL_PASSWORD" if self.MAIL_USER else "MAIL_USER"
            raise self.wrong(missing, "is empty; a login needs MAIL_USER and MAIL_PASSWORD, or neither")
        if self.MAIL_PASSWORD and self.MAIL_SECURITY == "none":
            raise self.wrong("MAIL_SECURITY", "'none' would send the password in the clear; it needs starttls or tls, or no MAIL_PASSWORD")
