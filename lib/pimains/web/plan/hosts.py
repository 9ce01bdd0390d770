"""Which names in a request's Host header are this machine's: a stranger's name that leads here is an attack.

A page of a stranger's site, whose name is made to lead to an address in this house once it is loaded (DNS rebinding), is of the same origin
as what answers there, and might read and switch everything. Its requests carry that name, and so are known by it. An address in figures is
nobody's name: no page can come from there but one of this machine.
"""

import ipaddress
import re

_SUFFIXES = ("local", "lan", "home", "home.arpa", "internal", "localdomain", "fritz.box")  # of home networks, none of them anybody's to buy
_HOST = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<name>[A-Za-z0-9_.-]+))(?::[0-9]{1,5})?")


def is_ours(header: str | None, hostname: str) -> bool:
    """Whether a Host header (RFC 9110, 7.2) names the machine called `hostname`, or an address."""
    found = _HOST.fullmatch(header or "")
    if found is None:
        return False
    name = (found["six"] or found["name"]).lower().removesuffix(".")
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name in names(hostname)
    return bool(found["six"]) == (":" in name)


def names(hostname: str) -> list[str]:
    """What people may call the machine, the likeliest first."""
    whole = hostname.lower().removesuffix(".")
    own = whole.partition(".")[0]
    if own in ("", "localhost"):
        return ["localhost"]
    return list(dict.fromkeys([f"{own}.local", own, whole, *(f"{own}.{suffix}" for suffix in _SUFFIXES), "localhost"]))


def is_same_origin(origin: str | None, scheme: str, host: str) -> bool:
    """Whether an Origin header (RFC 6454) is that of the page that `host` was asked for."""
    return origin is not None and origin.lower() == f"{scheme}://{host}".lower()


def told(hostname: str) -> list[str]:
    """Those that work in most houses, for people to type."""
    known = names(hostname)
    return list(dict.fromkeys([*known[:2], known[-1]]))
