"""Who is logged in at a UPS beside this machine, and how long each is waited for: by what it took before from FSD to its logout."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from pimains.core.plan.budget import budget


def others(listed: Sequence[str], own: str, own_logins: int) -> tuple[str, ...]:
    """The addresses of LIST CLIENT without this machine's logins; two clients at one address stand there twice."""
    left, mine = [], own_logins
    for address in listed:
        if address == own and mine:
            mine -= 1
        else:
            left.append(address)
    return tuple(left)


def wait_seconds(clients: Collection[str], took: Mapping[str, Sequence[float]], longest: float) -> float:
    """How long `clients` are waited for from the FSD on, by the seconds that each address `took`; HOSTSYNC_MAX is the `longest`."""
    return max((budget(took.get(address, ()), longest) for address in clients), default=0.0)


def gone(before: Sequence[str], now: Sequence[str]) -> list[str]:
    """The addresses that have logged out between two looks, once for each login."""
    return list((Counter(before) - Counter(now)).elements())
