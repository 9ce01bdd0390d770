"""A Nut for a UPS on a port of this machine, with the file of a wrong setting in its words."""

from pathlib import Path

from pimains.core.errors import WrongSetting
from pimains.shared.host_address import Address
from pimains.ups.nut import Credentials, Encryption, Nut
from tests.ups.upsd import PASSWORD

ANNA = Credentials("anna", PASSWORD)


def nut(
    port: int, ups: str = "eaton", *, who: Credentials = ANNA, host: str = "127.0.0.1", tls: str = "off", ca: Path | None = None
) -> Nut:
    """Not open yet; `host` as it stands in the settings."""
    return Nut(ups, Address(host, port), who, Encryption(tls, ca), lambda name, what: WrongSetting(f"variables/{name}: {what}"))


def opened(port: int, ups: str = "eaton", *, who: Credentials = ANNA) -> Nut:
    """Open."""
    made = nut(port, ups, who=who)
    made.open()
    return made
