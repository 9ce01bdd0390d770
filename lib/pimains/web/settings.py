"""What the web service may be told."""

from collections.abc import Mapping

from pimains.core.settings import Setting, Settings, choice, flag, optional, path
from pimains.shared.endpoint import endpoint, password

LANGUAGES = ("en", "de", "fr")
_TITLE_LENGTH_MAX = 60


def _parse_title(value: str) -> str:
    if len(value) > _TITLE_LENGTH_MAX:
        raise ValueError
    return value


class WebSettings(Settings):
    """services/web/variables/."""

    LISTEN = endpoint(8461)
    PASSWORD = optional(password())
    PUBLIC = flag()
    TLS_CERTIFICATE = optional(path())
    TLS_KEY = optional(path())
    TITLE = Setting(_parse_title, "title", f"one line of at most {_TITLE_LENGTH_MAX} characters")
    LANGUAGE = choice(*LANGUAGES)

    @classmethod
    def advice(cls, values: Mapping[str, str]) -> list[str]:
        """Where the page is, and what is needed to do more than look."""
        scheme, listen = "https" if values["TLS_CERTIFICATE"] else "http", cls.LISTEN.check(values["LISTEN"])
        return [
            f"the page is at {scheme}://{listen.here}/",
            *([] if values["PASSWORD"] else ["to switch anything there it needs a PASSWORD: pimains help web"]),
        ]

    def check_together(self) -> None:
        """Others than this machine get there only with a password."""
        if self.TLS_KEY and not self.TLS_CERTIFICATE:
            raise self.wrong("TLS_CERTIFICATE", "is empty; TLS_KEY needs its certificate")
        if not self.LISTEN.is_loopback and not self.PASSWORD:
            raise self.wrong("PASSWORD", f"is empty; other machines reach {self.LISTEN} only with one (without it: LISTEN 127.0.0.1:8461)")
