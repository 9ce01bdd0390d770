"""Where a service of HTTP listens, and the password that it asks for: settings of more than one."""

import ipaddress
import re
from typing import NamedTuple

from pimains.core.settings import Setting

PASSWORD_LENGTH_MIN = 8


class Endpoint(NamedTuple):
    """Where to listen: an IP address and a TCP port."""

    address: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine gets there."""
        return ipaddress.ip_address(self.address).is_loopback

    @property
    def here(self) -> "Endpoint":
        """Where this machine gets there: as it is, or by loopback where it is any address."""
        return self._replace(address="127.0.0.1") if ipaddress.ip_address(self.address).is_unspecified else self

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


def endpoint(port: int) -> Setting[Endpoint]:
    """An IP address and a TCP port; `port` is the one in its examples."""
    return Setting(_parse_endpoint, "address and port", f"such as 127.0.0.1:{port}, 0.0.0.0:{port} or [::]:{port}")


def password() -> Setting[str]:
    """What people type into a browser."""
    return Setting(_parse_password, "password", f"{PASSWORD_LENGTH_MIN} characters at least", secret=True)


def _parse_endpoint(value: str) -> Endpoint:
    found = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):([0-9]{1,5})", value)
    if not found or not 0 < int(found[3]) < 65536:
        raise ValueError
    return Endpoint(str(ipaddress.ip_address(found[1] or found[2])), int(found[3]))


def _parse_password(value: str) -> str:
    if len(value) < PASSWORD_LENGTH_MIN:
        raise ValueError
    return value
