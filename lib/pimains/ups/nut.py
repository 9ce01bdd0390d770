"""One UPS at one upsd: what is asked of it, through nut2 where that asks it, and who has to handle what goes wrong.

    nut = Nut("eaton", Address("nas.lan", 3493), Credentials(user, password), Encryption("try", None), settings.wrong)
    yield from nut.address.first(clock)
    nut.open(); nut.log_in(); nut.variables()

Away: it is not there, or says what it should not; `open` again after `retry_seconds`. WrongSetting: a file has to be edited first, and the
text says which. ErrorReply: upsd is there and will not do it, by its `word`. No call takes longer than SECONDS_MAX.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from nut2 import PyNUTClient

from pimains.core.errors import Away, WrongSetting
from pimains.core.plan.back_off import wait_seconds
from pimains.core.plan.text import short_line
from pimains.shared.host_address import Address
from pimains.ups import connection
from pimains.ups.replies import ErrorReply, value

if TYPE_CHECKING:
    import ssl

SECONDS_MAX = 2.0
NO_DATA = frozenset({"DATA-STALE", "DRIVER-NOT-CONNECTED"})  # of a UPS that is there; LIST CLIENT works meanwhile
_LONGEST_RETRY_SECONDS = 30.0
_NO_SUCH_COMMAND = frozenset({"UNKNOWN-COMMAND", "INVALID-ARGUMENT"})
_NO_TLS = frozenset({"FEATURE-NOT-CONFIGURED", "FEATURE-NOT-SUPPORTED", "UNKNOWN-COMMAND"})
_CERTIFICATE_NOT_YET_VALID = 9  # X509_V_ERR_CERT_NOT_YET_VALID of OpenSSL


class Credentials(NamedTuple):
    """As they stand in upsd.users; without a user one can only look."""

    user: str = ""
    password: str = ""


class Encryption(NamedTuple):
    """`tls` is off, try or require; `ca` the certificates that are trusted instead of the system's."""

    tls: str = "off"
    ca: Path | None = None


class _Client(PyNUTClient):  # type: ignore[misc]  # nut2 has no types
    """nut2, told to use a connection of ours."""

    def __init__(self) -> None:
        super().__init__(connect=False)

    def use(self, made: connection.Connection) -> None:
        """What is asked from now on goes over it."""
        self._srv_handler = made

    def __del__(self) -> None:
        """nut2 would log out."""


class Nut:
    """`ups` at the upsd at `address`, which is looked up again for each `open`; `wrong` makes a WrongSetting of a setting's name."""

    def __init__(
        self,
        ups: str,
        address: Address,
        credentials: Credentials,
        encryption: Encryption,
        wrong: Callable[[str, str], WrongSetting],
    ) -> None:
        self.ups = ups
        self.address = address
        self._credentials = credentials
        self._encryption = encryption
        self._wrong = wrong
        self._connection: connection.Connection | None = None
        self._client = _Client()
        self._trust: ssl.SSLContext | None = None
        self.is_logged_in = False
        self.connections = 0  # that were made so far

    @property
    def own_address(self) -> str:
        """Where upsd sees this machine; "" without a connection."""
        return self._connection.own_address if self._connection else ""

    @property
    def is_open(self) -> bool:
        """Whether something can be asked."""
        return self._connection is not None and not self._connection.is_dead

    def open(self, addresses: Sequence[tuple[str, int]] = ()) -> None:
        """Connect, encrypt, and say who asks, which upsd takes whatever it is; raises Away, WrongSetting, ErrorReply.

        `addresses` are what `address` has found already.
        """
        self.close()
        made = connection.connect(addresses or self.address.find(), SECONDS_MAX / 2)
        self.use(made)
        made.begin(SECONDS_MAX / 2)
        self.address.was_good(made.peer)
        try:
            if self._encryption.tls != "off":
                self._encrypt(made)
            if self._credentials.user:
                made.ask("USERNAME", self._credentials.user)
                made.ask("PASSWORD", self._credentials.password)
        except BaseException:
            self.close()
            raise

    def use(self, made: connection.Connection) -> None:
        """Ask over `made` from now on."""
        self._connection = made
        self.connections += 1
        self._client.use(made)

    def close(self) -> None:
        """Let go of it; upsd takes that for a LOGOUT, some time later."""
        self.is_logged_in = False
        if self._connection:
            self._connection.close()
        self._connection = None

    def variables(self) -> dict[str, str]:
        """LIST VAR: all that is known of the UPS, by name; no control characters in it."""
        self._begin()
        try:
            found = self._client.list_vars(self.ups)
        except ErrorReply as error:
            self._refused(error)
        except ValueError:  # nut2 has no empty list, and sees none that is not well-formed
            return {}
        return {name: value(text) for name, text in found.items()}

    def variable(self, name: str) -> str:
        """GET VAR: one of them."""
        self._begin()
        try:
            return value(self._client.get_var(self.ups, name))
        except ErrorReply as error:
            self._refused(error)

    def log_in(self) -> None:
        """LOGIN: from now on a primary waits for this machine, as long as the connection lasts."""
        try:
            self._begin().ask("LOGIN", self.ups)
        except ErrorReply as error:
            self._refused(error, "upsmon secondary, or upsmon primary where the UPS hangs on this machine")
        self.is_logged_in = True

    def become_primary(self) -> None:
        """PRIMARY, or MASTER where upsd is older than 2.8: from now on FSD may be set."""
        asked = self._begin()
        try:
            try:
                asked.ask("PRIMARY", self.ups)
            except ErrorReply as error:
                if error.word not in _NO_SUCH_COMMAND:
                    raise
                asked.ask("MASTER", self.ups)
        except ErrorReply as error:
            self._refused(error, "upsmon primary")

    def force_shutdown(self) -> None:
        """FSD: whoever is logged in there has to shut down; upsd keeps it until it is restarted."""
        try:
            self._begin().ask("FSD", self.ups)
        except ErrorReply as error:
            self._refused(error, "upsmon primary, or actions = FSD")

    def clients(self) -> list[str]:
        """LIST CLIENT: the addresses of who is logged in, this machine's too; one that is twice stands there twice. Needs no driver."""
        try:
            return self._begin().items("CLIENT", self.ups)
        except ErrorReply as error:
            self._refused(error)

    def command(self, name: str) -> None:
        """INSTCMD, such as shutdown.return."""
        self._begin()
        try:
            self._client.run_command(self.ups, name)
        except ErrorReply as error:
            self._refused(error, f"instcmds = {name}")

    def log_out(self) -> None:
        """LOGOUT, and close: a primary waits for this machine no longer."""
        try:
            self._begin().ask("LOGOUT")
        finally:
            self.close()

    def _begin(self) -> connection.Connection:
        if self._connection is None or self._connection.is_dead:
            raise Away("there is no connection")
        self._connection.begin(SECONDS_MAX)
        return self._connection

    def _refused(self, error: ErrorReply, needs: str = "") -> NoReturn:
        """An answer that is an error: one that a person has to mend, or as it is."""
        host = self.address.host
        if error.word == "UNKNOWN-UPS":
            raise self._wrong("UPS", f"there is no {self.ups!r} at {host}{self._what_there_is()}") from None
        if error.word in ("USERNAME-REQUIRED", "PASSWORD-REQUIRED"):
            raise self._wrong(error.word.partition("-")[0], f"is empty, and upsd at {host} asks for it ({error})") from None
        if error.word == "ACCESS-DENIED" and needs:
            who = f"[{self._credentials.user}] with this password and: {needs}" if self._credentials.user else f"a user with: {needs}"
            raise self._wrong("PASSWORD", f"upsd at {host} says {error}; its upsd.users needs {who} (then: upsd -c reload)") from None
        raise error from None

    def _what_there_is(self) -> str:
        try:
            names = sorted(self._client.list_ups())
        except (Away, ErrorReply):
            return ""
        return f"; it has: {short_line(', '.join(names))}" if names else "; it has none"

    def _encrypt(self, made: connection.Connection) -> None:
        try:
            made.ask("STARTTLS")
        except ErrorReply as error:
            if error.word not in _NO_TLS:
                raise
            if self._encryption.tls == "require":
                raise self._wrong("TLS", f"is require, and upsd at {self.address.host} offers none ({error})") from None
            return
        import ssl  # 3 MB, which only TLS takes

        try:
            made.start_tls(self._trusted(), self.address.host)
        except ssl.SSLCertVerificationError as error:
            what = f"the certificate of upsd at {self.address.host} is not trusted: {short_line(error.verify_message)}"
            if error.verify_code == _CERTIFICATE_NOT_YET_VALID:  # a Pi's clock is behind until it has met a time server
                raise Away(what) from None
            raise self._wrong("CA", what) from None

    def _trusted(self) -> "ssl.SSLContext":
        import ssl

        if self._trust is None:
            try:
                self._trust = ssl.create_default_context(cafile=self._encryption.ca)
            except OSError as error:
                what = "holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
                raise self._wrong("CA", f"{self._encryption.ca}: {what}") from None
        return self._trust


def retry_seconds(failures: int, poll_seconds: float, *, is_on_battery: bool) -> float:
    """After how many seconds to `open` again when that failed so many times: 1 to 30, on battery as often as it is looked at."""
    return poll_seconds if is_on_battery else wait_seconds(max(0, failures - 1), longest=_LONGEST_RETRY_SECONDS)
