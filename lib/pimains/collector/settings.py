"""What the collector service may be told."""

from collections.abc import Mapping

from pimains.core.settings import Setting, Settings, choice, flag, integer, number, optional, path, text
from pimains.shared.endpoint import endpoint, password
from pimains.shared.readings import recorded_files
from pimains.shared.readings.plan.derived import Derived, circle, read
from pimains.shared.readings.recorded_files import Recorded


def recorded() -> Setting[list[Recorded]]:
    """Names of state files with blanks between them, none when empty."""
    like = "such as: ups/battery.charge=% vedirect.bmv/P=W, each once, or empty"
    return Setting(recorded_files.parse, "list of state files", like, may_be_empty=True)


def derived() -> Setting[list[Derived]]:
    """Sums and differences of sources, none when empty."""
    return Setting(
        read, "list of sums", "such as: total = house + car; grid = house - pv, with blanks around + and -, or empty", may_be_empty=True
    )


class CollectorSettings(Settings):
    """services/collector/variables/."""

    LISTEN = endpoint(8460)
    TLS_CERTIFICATE = optional(path())
    TLS_KEY = optional(path())
    TOKENS = path()
    PASSWORD = optional(password())
    PUBLIC = flag()
    DATA_DIR = optional(path())
    WWW_DIR = optional(path())
    COMMIT_SECONDS = number(0, 200, "time in seconds")
    MAX_JOURNAL_MB = integer(10, 1_000_000, "size in megabytes")
    RETENTION_DAYS = integer(1, 3660, "number of days")
    PRICE = optional(number(0, 1_000_000, "price"))
    PRICE_M3 = optional(number(0, 1_000_000, "price"))
    PRICES = optional(path())
    CURRENCY = optional(text("currency"))
    DERIVED = derived()
    RECORD = recorded()
    RECORD_SECONDS = number(1, 3600, "time in seconds")
    RECORD_AGE_SECONDS = number(5, 86_400, "time in seconds")
    COMPAT = optional(choice("powerpi"))
    POWERPI_LOGINS = path()

    @classmethod
    def advice(cls, values: Mapping[str, str]) -> list[str]:
        """How a source gets a token."""
        return [
            "each meter needs a token; for a source called house:",
            f"  sudo install -d -m 755 {values['TOKENS']}",
            f"  head -c 24 /dev/urandom | base64 | sudo install -o pimains -m 600 /dev/stdin {values['TOKENS']}/house",
        ]

    def check_together(self) -> None:
        """No sum is a part of itself; what others can reach is encrypted, and shown to everybody only on purpose."""
        if way := circle(self.DERIVED):
            raise self.wrong("DERIVED", f"leads back to itself: {way}")
        if self.TLS_KEY and not self.TLS_CERTIFICATE:
            raise self.wrong("TLS_CERTIFICATE", "is empty; TLS_KEY needs its certificate")
        if self.LISTEN.is_loopback:
            return
        if not self.TLS_CERTIFICATE:
            raise self.wrong(
                "TLS_CERTIFICATE", f"is empty; tokens would go to {self.LISTEN} in the clear (without it: LISTEN 127.0.0.1:8460)"
            )
        if not self.PASSWORD and not self.PUBLIC:
            raise self.wrong("PASSWORD", f"is empty; at {self.LISTEN} everybody would see the pages. It needs a password, or PUBLIC 1")
